SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._key_owner;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._key_owner(
    p_actor_id BIGINT
)
    RETURNS VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
    COMMENT 'Whose an idempotency key is'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One definition of actor in idempotency_keys.
    -- Parameters:  p_actor_id  acting user; NULL: the MySQL account itself
    -- Result:      user:7, or the account without its host, which may change between two calls
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _key_owner(7);
    RETURN COALESCE(CONCAT('user:', p_actor_id), REGEXP_REPLACE(USER(), '@[^@]*\\z', ''));
END$$

DELIMITER ;

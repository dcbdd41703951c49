SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._keep_key;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._keep_key(
    p_kind       VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
    p_actor_id   BIGINT,
    p_key        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    p_created_id BIGINT UNSIGNED
)
    COMMENT 'Writes down what was created under a key'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The other half of _claim_key, in the same statement.
    -- Parameters:  p_kind        as of _claim_key
    --              p_actor_id    as of _claim_key
    --              p_key         as of _claim_key; NULL: there is nothing to write
    --              p_created_id  the id of what was created
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's
    -- Locks:       the key, which the caller has locked
    -- Example:     CALL _keep_key('exam', 1, 'exam-of-june', 7);
    UPDATE idempotency_keys
    SET created_id = p_created_id
    WHERE kind = p_kind AND actor = _key_owner(p_actor_id) AND idempotency_key = p_key;
END$$

DELIMITER ;

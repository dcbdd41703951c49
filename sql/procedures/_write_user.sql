SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_user;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_user(
    p_username  VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_full_name VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_role      VARCHAR(20)
)
    RETURNS BIGINT UNSIGNED
    COMMENT 'Writes a user, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Done or undone as a whole, by KILL QUERY too. See _write_submissions.
    -- Parameters:  p_username   of _require_names
    --              p_full_name  of _require_names
    --              p_role       of users
    -- Result:      user_id
    -- Errors:      1062 where the name is taken
    -- Transaction: the caller's
    -- Locks:       the new row
    -- Example:     SET v_user_id = _write_user('alice', 'Alice Chen', 'candidate');
    INSERT INTO users (username, username_key, full_name, role, created_at)
    VALUES (p_username, _username_key(p_username), p_full_name, p_role, UTC_TIMESTAMP(6));

    RETURN LAST_INSERT_ID();
END$$

DELIMITER ;

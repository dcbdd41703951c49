SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_user;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_user(
    p_username        VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_full_name       VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_role            VARCHAR(20),
    p_actor           VARCHAR(300),
    p_idempotency_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
    RETURNS BIGINT UNSIGNED
    COMMENT 'Writes a user and the key of the call, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Done or undone as a whole, by KILL QUERY too. See _write_submissions.
    -- Parameters:  p_username         of _require_names
    --              p_full_name        of _require_names
    --              p_role             of users
    --              p_actor            whose key it is
    --              p_idempotency_key  NULL: none
    -- Result:      user_id
    -- Errors:      1062 where the name is taken, or the key used
    -- Transaction: the caller's
    -- Locks:       the new rows
    -- Example:     SET v_user_id = _write_user('alice', 'Alice Chen', 'candidate', NULL, NULL);
    DECLARE v_user_id BIGINT UNSIGNED;

    INSERT INTO users (username, username_key, full_name, role, created_at)
    VALUES (p_username, _username_key(p_username), p_full_name, p_role, UTC_TIMESTAMP(6));
    SET v_user_id = LAST_INSERT_ID();

    IF p_idempotency_key IS NOT NULL THEN
        INSERT INTO idempotency_keys (
            kind, actor, idempotency_key, created_id, digest, created_at
        )
        VALUES (
            'user', p_actor, p_idempotency_key, v_user_id,
            UNHEX(SHA2(JSON_ARRAY(v_user_id, p_username, p_full_name, p_role), 256)),
            UTC_TIMESTAMP(6)
        );
    END IF;

    RETURN v_user_id;
END$$

DELIMITER ;

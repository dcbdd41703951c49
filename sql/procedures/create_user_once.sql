SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.create_user_once;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.create_user_once(
    p_username        LONGTEXT,
    p_full_name       LONGTEXT,
    p_role            VARCHAR(255),
    p_idempotency_key LONGTEXT,
    p_actor_id        BIGINT
)
    COMMENT 'Creates a user under a key, or returns the one the key created'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     create_user for a client that may never see the answer: the same call again
    --              returns the user that the first one created, with their id.
    -- Parameters:  p_username         of create_user
    --              p_full_name        of create_user
    --              p_role             of create_user
    --              p_idempotency_key  1 to 64 printable ASCII characters that the client chose,
    --                                 unique among its own; NULL: as create_user
    --              p_actor_id         acting user, whose key it is; NULL: the MySQL account's
    -- Result sets: user_id, username, full_name, role, created_at
    -- Errors:      username_invalid, full_name_invalid, role_invalid, idempotency_key_invalid,
    --              username_taken, idempotency_key_reused; 1568 inside an open transaction
    -- Transaction: one statement of its own
    -- Locks:       the new rows; shared, the row of the key where it was used before
    -- Example:     CALL create_user_once('carol', 'Carol Silva', NULL, 'carol-1', NULL);
    --              user_id username full_name   role      created_at
    --                    3 carol    Carol Silva candidate 2026-11-24 09:00:00.000000
    DECLARE v_username VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_full_name VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_role VARCHAR(255) DEFAULT COALESCE(p_role, 'candidate');
    DECLARE v_actor VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
        DEFAULT _key_owner(p_actor_id);
    DECLARE v_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin;
    DECLARE v_user_id BIGINT UNSIGNED;
    DECLARE v_digest BINARY(32);
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET autocommit = 1, timestamp = DEFAULT;

    CALL _require_names(p_username, p_full_name, v_username, v_full_name);
    IF v_role COLLATE utf8mb4_0900_bin
        NOT IN ('candidate', 'viewer', 'grader', 'moderator', 'admin') THEN
        CALL _raise('role_invalid',
                    'role must be candidate, viewer, grader, moderator or admin');
    END IF;
    IF NOT REGEXP_LIKE(p_idempotency_key, '^[ -~]{1,64}\\z') THEN
        CALL _raise('idempotency_key_invalid',
                    'Idempotency-Key must have 1 to 64 printable ASCII characters');
    END IF;

    SET v_key = p_idempotency_key;

    CALL _settle_session();
    BEGIN
        -- The name is taken, perhaps by the first call under this key: that is told below.
        DECLARE EXIT HANDLER FOR 1062
            SET v_user_id = NULL;

        IF v_key IS NULL OR NOT EXISTS (
            SELECT 1
            FROM idempotency_keys
            WHERE kind = 'user' AND actor = v_actor AND idempotency_key = v_key
        ) THEN
            SET v_user_id = _write_user(v_username, v_full_name, v_role, v_actor, v_key);
        END IF;
    END;

    IF v_user_id IS NULL THEN
        -- Locked, so as to see what another call has committed since.
        SELECT created_id, digest
        INTO v_user_id, v_digest
        FROM idempotency_keys
        WHERE kind = 'user' AND actor = v_actor AND idempotency_key = v_key
        FOR SHARE;
        IF v_user_id IS NULL THEN
            CALL _raise('username_taken', CONCAT('the user name ', v_username, ' is taken'));
        END IF;
        IF v_digest
            <> UNHEX(SHA2(JSON_ARRAY(v_user_id, v_username, v_full_name, v_role), 256)) THEN
            CALL _raise('idempotency_key_reused', CONCAT(
                'Idempotency-Key stands for another call, which created user ', v_user_id));
        END IF;
    END IF;

    SELECT user_id, username, full_name, role, created_at
    FROM users
    WHERE user_id = v_user_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

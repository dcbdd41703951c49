SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.create_user;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.create_user(
    p_username  TEXT,
    p_full_name TEXT,
    p_role      VARCHAR(255)
)
    COMMENT 'Creates a candidate, a viewer, a grader, a moderator or an admin'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Everybody who takes exams or runs them.
    -- Parameters:  p_username   1 to 64 characters, taken once; case does not tell two apart,
    --                           accents do
    --              p_full_name  1 to 200 characters
    --              p_role       candidate, viewer, grader, moderator, admin; NULL: candidate
    -- Result sets: user_id, username, full_name, role, created_at
    -- Errors:      username_invalid, full_name_invalid, role_invalid, username_taken
    -- Transaction: one statement of its own; inside an open transaction, part of it
    -- Locks:       the new row
    -- Example:     CALL create_user('alice', 'Alice Chen', 'candidate');
    --              user_id username full_name  role      created_at
    --                    1 alice    Alice Chen candidate 2026-11-24 09:00:00.000000
    DECLARE EXIT HANDLER FOR 1062
        CALL _raise('username_taken', CONCAT('the user name ', LEFT(p_username, 64), ' is taken'));

    IF COALESCE(TRIM(p_username), '') = '' OR CHAR_LENGTH(p_username) > 64 THEN
        CALL _raise('username_invalid', 'username must have 1 to 64 characters');
    END IF;
    IF COALESCE(TRIM(p_full_name), '') = '' OR CHAR_LENGTH(p_full_name) > 200 THEN
        CALL _raise('full_name_invalid', 'full_name must have 1 to 200 characters');
    END IF;
    IF p_role COLLATE utf8mb4_0900_bin
        NOT IN ('candidate', 'viewer', 'grader', 'moderator', 'admin') THEN
        CALL _raise('role_invalid',
                    'role must be candidate, viewer, grader, moderator or admin');
    END IF;

    CALL _settle_session();
    INSERT INTO users (username, full_name, role, created_at)
    VALUES (p_username, p_full_name, COALESCE(p_role, 'candidate'), UTC_TIMESTAMP(6));

    SELECT user_id, username, full_name, role, created_at
    FROM users
    WHERE user_id = LAST_INSERT_ID();
END$$

DELIMITER ;

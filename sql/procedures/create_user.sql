SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.create_user;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.create_user(
    p_username  LONGTEXT,
    p_full_name LONGTEXT,
    p_role      VARCHAR(255)
)
    COMMENT 'Creates a candidate, a viewer, a grader, a moderator or an admin'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Everybody who takes exams or runs them.
    -- Parameters:  p_username   1 to 64 characters once the white space at both ends is gone, each
    --                           of which shows; taken once: case and the encoding of an accent do
    --                           not tell two apart, all else does
    --              p_full_name  1 to 200 characters likewise, none of which controls others
    --              p_role       candidate, viewer, grader, moderator, admin; NULL: candidate
    -- Result sets: user_id, username, full_name, role, created_at
    -- Errors:      username_invalid, full_name_invalid, role_invalid, username_taken
    -- Transaction: one statement of its own; inside an open transaction, part of it
    -- Locks:       the new row
    -- Example:     CALL create_user('alice', 'Alice Chen', 'candidate');
    --              user_id username full_name  role      created_at
    --                    1 alice    Alice Chen candidate 2026-11-24 09:00:00.000000
    DECLARE v_username VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_full_name VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_user_id BIGINT UNSIGNED;

    DECLARE EXIT HANDLER FOR 1062
        CALL _raise('username_taken', CONCAT('the user name ', v_username, ' is taken'));

    CALL _require_names(p_username, p_full_name, v_username, v_full_name);
    IF p_role COLLATE utf8mb4_0900_bin
        NOT IN ('candidate', 'viewer', 'grader', 'moderator', 'admin') THEN
        CALL _raise('role_invalid',
                    'role must be candidate, viewer, grader, moderator or admin');
    END IF;

    CALL _settle_session();
    SET v_user_id = _write_user(v_username, v_full_name, COALESCE(p_role, 'candidate'));

    SELECT user_id, username, full_name, role, created_at
    FROM users
    WHERE user_id = v_user_id;
END$$

DELIMITER ;

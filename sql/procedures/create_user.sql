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
    -- Errors:      username_invalid, full_name_invalid, role_invalid, username_taken;
    --              1568 inside an open transaction
    -- Transaction: one statement of its own
    -- Locks:       the new row
    -- Example:     CALL create_user('alice', 'Alice Chen', 'candidate');
    --              user_id username full_name  role      created_at
    --                    1 alice    Alice Chen candidate 2026-11-24 09:00:00.000000
    CALL create_user_once(p_username, p_full_name, p_role, NULL, NULL);
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.find_user;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.find_user(
    p_username LONGTEXT
)
    COMMENT 'Finds who has a user name'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The id of somebody whose name is known, however it is typed: by the same
    --              identity as create_user.
    -- Parameters:  p_username  case, and white space at both ends, do not matter
    -- Result sets: user_id, username, full_name, role, created_at: one row, or none where nobody
    --              has the name
    -- Errors:      1568 inside an open transaction
    -- Transaction: statements of their own
    -- Locks:       none
    -- Example:     CALL find_user(' ALICE ');
    --              user_id username full_name  role      created_at
    --                    1 alice    Alice Chen candidate 2026-11-24 09:00:00.000000
    DECLARE v_username_key TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET autocommit = 1;

    SELECT _username_key(p_username) INTO v_username_key;

    SELECT user_id, username, full_name, role, created_at
    FROM users
    WHERE username_key = v_username_key;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

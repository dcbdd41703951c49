SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_user;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_user(
    p_user_id BIGINT
)
    COMMENT 'Reads a user'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Who a user id is.
    -- Parameters:  p_user_id  of create_user
    -- Result sets: user_id, username, full_name, role, created_at
    -- Errors:      user_not_found; 1568 inside an open transaction
    -- Transaction: statements of their own
    -- Locks:       none
    -- Example:     CALL get_user(1);
    --              user_id username full_name  role      created_at
    --                    1 alice    Alice Chen candidate 2026-11-24 09:00:00.000000
    DECLARE v_exists BOOLEAN;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET autocommit = 1;

    SELECT EXISTS (SELECT 1 FROM users WHERE user_id = p_user_id) INTO v_exists;
    IF NOT v_exists THEN
        CALL _raise('user_not_found',
                    CONCAT('user ', COALESCE(p_user_id, 'NULL'), ' does not exist'));
    END IF;

    SELECT user_id, username, full_name, role, created_at
    FROM users
    WHERE user_id = p_user_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

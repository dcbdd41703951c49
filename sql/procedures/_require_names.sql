SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._require_names;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._require_names(
    p_username  LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_full_name LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    OUT o_username  VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    OUT o_full_name VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
)
    COMMENT 'Brings the names of a user to the form they are kept in, or refuses them'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One judge of names for all who write them one by one.
    -- Parameters:  p_username   as it was typed
    --              p_full_name  as it was typed
    --              o_username   as it is kept
    --              o_full_name  as it is kept
    -- Result sets: none
    -- Errors:      username_invalid, full_name_invalid
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _require_names(' alice ', 'Alice Chen', @username, @full_name);
    DECLARE v_reason VARCHAR(128);

    SELECT _username(p_username), _trimmed(p_full_name) INTO o_username, o_full_name;

    SET v_reason = _name_refusal('username', o_username);
    IF v_reason IS NOT NULL THEN
        CALL _raise('username_invalid', v_reason);
    END IF;
    SET v_reason = _name_refusal('full_name', o_full_name);
    IF v_reason IS NOT NULL THEN
        CALL _raise('full_name_invalid', v_reason);
    END IF;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._username;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._username(
    p_text LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
)
    RETURNS VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
    COMMENT 'A user name as it is kept and shown: trimmed, in NFC'
    DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     What somebody typed, without the white space of Unicode at both ends and with
    --              each letter written in one way. Whether it is a user name says _name_refusal.
    -- Parameters:  p_text  as it was typed; NULL: the answer is NULL
    -- Result:      the name; of more than 1024 characters the first 1024, which no name has
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _username('  Alice ');
    --              Alice
    RETURN _nfc(_trimmed(p_text));
END$$

DELIMITER ;

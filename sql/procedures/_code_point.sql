SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._code_point;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._code_point(
    p_letter VARCHAR(1) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
)
    RETURNS VARCHAR(8)
    COMMENT 'Names a character as Unicode does'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Speak of a character that cannot be shown.
    -- Parameters:  p_letter  one character; NULL: the answer is NULL
    -- Result:      U+ and its number in hex, of four digits at least
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _code_point('é');
    --              U+00E9
    DECLARE v_hex VARCHAR(8) DEFAULT TRIM(LEADING '0' FROM HEX(CONVERT(p_letter USING utf32)));

    RETURN CONCAT('U+', LPAD(v_hex, GREATEST(CHAR_LENGTH(v_hex), 4), '0'));
END$$

DELIMITER ;

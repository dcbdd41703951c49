SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._trimmed;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._trimmed(
    p_text LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
)
    RETURNS VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
    COMMENT 'Takes the white space of Unicode from both ends of a name'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     TRIM takes the space alone; a no-break space or a line end is none of a name
    --              either.
    -- Parameters:  p_text  as it was typed; NULL: the answer is NULL
    -- Result:      the text, empty where it is all white space; of more than 1024 characters the
    --              first 1024 as they are: no name is as long, and a pattern has its price
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT CONCAT('<', _trimmed(CONCAT(' Alice', CHAR(9))), '>');
    --              <Alice>
    IF p_text IS NULL OR CHAR_LENGTH(p_text) > 1024 THEN
        RETURN LEFT(p_text, 1024);
    END IF;
    RETURN COALESCE(
        REGEXP_SUBSTR(p_text, '(?s)[^[:White_Space:]](?:.*[^[:White_Space:]])?'), '');
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._raise;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._raise(
    p_code   VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin,
    p_detail TEXT
)
    COMMENT 'Fails with an error of the catalog'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The only place that signals. SQLSTATE 45000, the errno of the catalog, and a
    --              message that begins with the code.
    -- Parameters:  p_code    of error_catalog
    --              p_detail  what was wrong and what to do, for people; cut to what a message holds
    -- Result sets: none
    -- Errors:      p_code; an unknown code fails with 1644, which no caller expects, so that a test
    --              sees it
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _raise('exam_not_found', 'exam 7 does not exist');
    --              ERROR 50200 (45000): exam_not_found: exam 7 does not exist
    DECLARE v_errno INT DEFAULT 1644;
    -- Past 128 characters the server would replace the error with one about its length.
    DECLARE v_message VARCHAR(128) DEFAULT LEFT(CONCAT(p_code, ': ', COALESCE(p_detail, '')), 128);

    SELECT errno INTO v_errno
    FROM error_catalog
    WHERE code = p_code;

    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = v_errno, MESSAGE_TEXT = v_message;
END$$

DELIMITER ;

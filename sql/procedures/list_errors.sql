SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

DROP PROCEDURE IF EXISTS podium.list_errors;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.list_errors()
    COMMENT 'Lists the error catalog'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The gateway turns an errno into a status and a title, and may read no table.
    -- Parameters:  none
    -- Result sets: code, errno, http_status, title, pointer (NULL: no field of the body is at fault), by errno
    -- Errors:      none
    -- Transaction: none
    -- Locks:       none
    -- Example:     CALL list_errors();
    --              code           errno http_status title          pointer
    --              exam_not_found 50200         404 No such exam   /exam_id
    SELECT code, errno, http_status, title, pointer
    FROM error_catalog
    ORDER BY errno;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP TRIGGER IF EXISTS podium.score_audit_log_no_delete;

DELIMITER $$

-- The history is append-only for everybody, whatever his grants.
CREATE DEFINER = podium_owner@localhost TRIGGER podium.score_audit_log_no_delete
BEFORE DELETE ON podium.score_audit_log
FOR EACH ROW
BEGIN
    CALL podium._raise('audit_append_only', 'score_audit_log takes no DELETE');
END$$

DELIMITER ;

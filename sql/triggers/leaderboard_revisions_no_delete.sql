SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP TRIGGER IF EXISTS podium.leaderboard_revisions_no_delete;

DELIMITER $$

-- The history is append-only for everybody, whatever his grants.
CREATE DEFINER = podium_owner@localhost TRIGGER podium.leaderboard_revisions_no_delete
BEFORE DELETE ON podium.leaderboard_revisions
FOR EACH ROW
BEGIN
    CALL podium._raise('audit_append_only', 'leaderboard_revisions takes no DELETE');
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._tell_entries;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._tell_entries(
    p_entries JSON
)
    COMMENT 'Returns entries of a board'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one shape in which a board is told.
    -- Parameters:  p_entries  array of objects with the columns below; NULL: none
    -- Result sets: rank, user_id, username, full_name, total_score, total_time_sec, by rank and
    --              user_id
    -- Errors:      none
    -- Transaction: none
    -- Locks:       none
    -- Example:     CALL _tell_entries(JSON_EXTRACT(v_read, '$.page'));
    SELECT n.`rank`, n.user_id, n.username, n.full_name, n.total_score, n.total_time_sec
    FROM JSON_TABLE(
        p_entries, '$[*]'
        COLUMNS (
            `rank`         BIGINT          PATH '$.rank',
            user_id        BIGINT UNSIGNED PATH '$.user_id',
            username       VARCHAR(64)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                           PATH '$.username',
            full_name      VARCHAR(200)    CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                           PATH '$.full_name',
            total_score    DECIMAL(7, 4)   PATH '$.total_score',
            total_time_sec INT             PATH '$.total_time_sec'
        )
    ) AS n
    ORDER BY n.`rank`, n.user_id;
END$$

DELIMITER ;

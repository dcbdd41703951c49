SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._rank;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._rank(
    p_board_id     BIGINT UNSIGNED,
    p_standing_key BIGINT
)
    RETURNS INT UNSIGNED
    COMMENT 'Dense rank of a standing on a board'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One more than the number of distinct better standings, from the counters.
    -- Parameters:  p_board_id      of leaderboards
    --              p_standing_key  of leaderboard_snapshot
    -- Result:      rank from 1; NULL for a NULL key
    -- Errors:      none
    -- Locks:       none in a consistent read
    -- Example:     SELECT _rank(1, 3512758272303);
    RETURN IF(p_standing_key IS NULL, NULL, 1 + (
        SELECT COALESCE(SUM(c.standings), 0)
        FROM leaderboard_levels AS l
        STRAIGHT_JOIN leaderboard_counters AS c
            ON c.board_id = p_board_id
            AND c.level = l.level
            AND c.parent = p_standing_key >> l.shift << l.shift
            AND c.bucket > p_standing_key
    ));
END$$

DELIMITER ;

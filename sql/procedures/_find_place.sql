SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._find_place;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._find_place(
    p_board_id         BIGINT UNSIGNED,
    p_offset           BIGINT,
    OUT o_standing_key BIGINT,
    OUT o_skip         BIGINT
)
    COMMENT 'Finds the standing at a place of the board order'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Deep pages at the cost of the first: the entries before them are counted by the
    --              counters, not read.
    -- Parameters:  p_board_id      of leaderboards
    --              p_offset        entries before the place, from 0
    --              o_standing_key  the standing that holds the place; NULL: past the end
    --              o_skip          entries with that standing that lie before the place
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's
    -- Locks:       none in a consistent read
    -- Example:     CALL _find_place(1, 50, @standing_key, @skip);
    DECLARE v_level INT;
    DECLARE v_parent BIGINT;
    DECLARE v_bucket BIGINT;
    DECLARE v_divided BOOLEAN;
    DECLARE v_before BIGINT;

    SET o_skip = p_offset;
    SELECT MAX(level) INTO v_level FROM leaderboard_levels;     -- Not SET: see _find_board.

    -- A loop, since the range that is looked into is the one chosen on the level above: as many
    -- rounds as there are levels at most, whatever the offset.
    descent: REPEAT
        SET v_parent = COALESCE(v_bucket, 0), v_bucket = NULL;

        SELECT c.bucket, c.divided, c.before_it
        INTO v_bucket, v_divided, v_before
        FROM (
            SELECT
                bucket,
                divided,
                entries,
                SUM(entries) OVER (ORDER BY bucket DESC ROWS UNBOUNDED PRECEDING) - entries
                    AS before_it
            FROM leaderboard_counters
            WHERE board_id = p_board_id AND level = v_level AND parent = v_parent
        ) AS c
        WHERE c.before_it <= o_skip AND c.before_it + c.entries > o_skip;

        IF v_bucket IS NULL THEN
            LEAVE descent;
        END IF;
        SET o_skip = o_skip - v_before, v_level = v_level - 1;
    UNTIL v_divided IS NULL END REPEAT;

    SET o_standing_key = v_bucket;
END$$

DELIMITER ;

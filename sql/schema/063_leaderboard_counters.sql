SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- How many distinct standings, and how many entries, lie in each range of keys: a tree that grows
-- where the board is crowded. A range lists its standings, a row each, until there are more than
-- its level allows. From then on it is divided, and has a row for each range of the level below
-- that somebody has been in. A row counts one part of one range: (level, parent) names the range,
-- bucket is the lowest key of the part. A rank is one more than the standings of the parts with a
-- greater bucket, summed over the ranges that the key lies in. A divided range stays divided, and a
-- range that all have left keeps its row, until the board is recalculated; a standing that all have
-- left goes. parent is stored, not computed: only equality on a stored column is executed as a
-- look-up.
CREATE TABLE IF NOT EXISTS podium.leaderboard_counters (
    board_id  BIGINT UNSIGNED  NOT NULL,
    level     TINYINT UNSIGNED NOT NULL,
    parent    BIGINT           NOT NULL,
    bucket    BIGINT           NOT NULL,
    standings INT              NOT NULL,
    entries   INT              NOT NULL,
    divided   BOOLEAN          NULL,            -- NULL: a single standing
    -- _rank, _write_submissions, _find_place: the parts of one range, best last
    PRIMARY KEY (board_id, level, parent, bucket),
    -- No foreign keys: they would be looked up for each new row, a twentieth of an array's time,
    -- and check_leaderboard compares all rows with what follows from the entries.
    CONSTRAINT ck_leaderboard_counters_standings CHECK (standings BETWEEN 0 AND entries),
    CONSTRAINT ck_leaderboard_counters_divided CHECK (divided IN (FALSE, TRUE))
) ENGINE = InnoDB COMMENT = 'Distinct standings and entries per range of standing keys';

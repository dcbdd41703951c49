SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- How many distinct standings, and how many entries, lie in each range of keys. A rank is one more
-- than the standings in the better buckets of the same parent, summed over the levels. Bucket and
-- parent are stored, not computed, because only equality on a stored column is executed as a
-- look-up. On level 0 a bucket is one standing: standings is 1, or 0 once its last holder has left
-- it. Counters that have fallen to zero stay until a recalculation clears them: they are few beside
-- the audit rows, and a rank reads no more of them than the width of a level.
CREATE TABLE IF NOT EXISTS podium.leaderboard_counters (
    board_id  BIGINT UNSIGNED  NOT NULL,
    level     TINYINT UNSIGNED NOT NULL,
    parent    BIGINT           NOT NULL,
    bucket    BIGINT           NOT NULL,
    standings INT              NOT NULL,
    entries   INT              NOT NULL,
    -- _rank, _write_submissions, _find_place: the buckets of one parent, best last
    PRIMARY KEY (board_id, level, parent, bucket),
    -- No foreign keys: they would be looked up for each new row, a twentieth of an array's time,
    -- and check_leaderboard compares all rows with what follows from the entries.
    CONSTRAINT ck_leaderboard_counters_standings CHECK (standings BETWEEN 0 AND entries)
) ENGINE = InnoDB COMMENT = 'Distinct standings and entries per range of standing keys';

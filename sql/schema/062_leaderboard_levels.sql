SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The levels of the rank counters, filled by sql/seed/leaderboard_levels.sql. Two keys lie in the
-- same range of a level where key >> shift is the same; that range is divided into those of the
-- level below, which are child_shift wide. A range is known by its lowest possible key,
-- key >> shift << shift.
CREATE TABLE IF NOT EXISTS podium.leaderboard_levels (
    level       TINYINT UNSIGNED  NOT NULL,     -- the highest holds one range, the board
    shift       TINYINT UNSIGNED  NOT NULL,
    child_shift TINYINT UNSIGNED  NOT NULL,     -- 0: divided into single standings
    capacity    SMALLINT UNSIGNED NOT NULL,     -- a range with more standings is divided
    PRIMARY KEY (level),
    -- There is nothing to divide single standings into.
    CONSTRAINT ck_leaderboard_levels_capacity CHECK (child_shift > 0 OR capacity >= 1 << shift)
) ENGINE = InnoDB COMMENT = 'Widths of the ranges that the rank counters count';

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The fixed levels of the rank counters, filled by sql/seed/leaderboard_levels.sql. The bucket of a
-- key on a level is standing_key >> bucket_shift; it lies in the parent standing_key >>
-- parent_shift.
CREATE TABLE IF NOT EXISTS podium.leaderboard_levels (
    level        TINYINT UNSIGNED NOT NULL,     -- 0: distinct standings; the highest: the board
    bucket_shift TINYINT UNSIGNED NOT NULL,
    parent_shift TINYINT UNSIGNED NOT NULL,
    PRIMARY KEY (level)
) ENGINE = InnoDB COMMENT = 'Widths of the ranges that the rank counters count';

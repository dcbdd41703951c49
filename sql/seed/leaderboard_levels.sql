SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- Six bits a level: a rank reads at most 64 rows on each of seven levels, whatever the size of the
-- board, and a submission writes two rows on each; fewer bits read less and write more. The last
-- level is the board itself, since no standing_key reaches 2^42. A change here calls for
-- recalculate_leaderboard of every exam; rows are therefore never changed, only added where
-- missing.
INSERT INTO podium.leaderboard_levels (level, bucket_shift, parent_shift)
VALUES
    (0, 0, 6),
    (1, 6, 12),
    (2, 12, 18),
    (3, 18, 24),
    (4, 24, 30),
    (5, 30, 36),
    (6, 36, 42),
    (7, 42, 63)
ON DUPLICATE KEY UPDATE level = leaderboard_levels.level;

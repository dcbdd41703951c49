SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- Seven bits a level: a rank sums at most 127 rows on each of six levels, whatever the size of the
-- Seven bits a level: board.
-- The last level is the board itself, since no standing_key reaches 2^42. A change here calls for
-- recalculate_leaderboard of every exam; rows are therefore never changed, only added where
-- missing.
INSERT INTO podium.leaderboard_levels (level, bucket_shift, parent_shift)
VALUES
    (0, 0, 7),
    (1, 7, 14),
    (2, 14, 21),
    (3, 21, 28),
    (4, 28, 35),
    (5, 35, 42),
    (6, 42, 63)
ON DUPLICATE KEY UPDATE level = leaderboard_levels.level;

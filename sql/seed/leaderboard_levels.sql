SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- Three levels divide the time, which is the low 22 bits of a standing_key, four the score above
-- them; no standing_key reaches 2^42. A rank reads at most 32 rows on each level of the score and 64
-- on each of the time but the third, which has 1,024 ranges of 68 minutes: exams fill few of them.
-- A submission writes a row a level, down to the range that is not divided. A change here calls for
-- recalculate_leaderboard of every exam; rows are therefore never changed, only added where missing.
INSERT INTO podium.leaderboard_levels (level, shift, child_shift, capacity)
VALUES
    (1, 6, 0, 64),
    (2, 12, 6, 32),
    (3, 22, 12, 32),
    (4, 27, 22, 32),
    (5, 32, 27, 32),
    (6, 37, 32, 32),
    (7, 42, 37, 32),
    (8, 63, 42, 1)
ON DUPLICATE KEY UPDATE level = leaderboard_levels.level;

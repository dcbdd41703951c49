SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- Three levels for the time, which are the low 22 bits of a standing_key, four for the score above
-- them. A rank reads at most 32 rows on each level of the score, and 64 on each of the time but the
-- third, which has 1,024 buckets of 68 minutes: exams fill few of them. A submission writes two
-- rows on each level; fewer bits a level read less and write more. The last level is the board
-- itself, since no standing_key reaches 2^42. A change here calls for recalculate_leaderboard of
-- every exam; rows are therefore never changed, only added where missing.
INSERT INTO podium.leaderboard_levels (level, bucket_shift, parent_shift)
VALUES
    (0, 0, 6),
    (1, 6, 12),
    (2, 12, 22),
    (3, 22, 27),
    (4, 27, 32),
    (5, 32, 37),
    (6, 37, 42),
    (7, 42, 63)
ON DUPLICATE KEY UPDATE level = leaderboard_levels.level;

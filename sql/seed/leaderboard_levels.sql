SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The time is the low 22 bits of a standing_key, the score the 20 above them; no key reaches 2^42.
-- A rank reads at most 16 rows on each level of the score, at most 64 on each of the time, and the
-- standings of one range that is not divided. A submission writes a row a level, down to that
-- range: narrower levels read less and write more. The lowest range has no more keys than it may
-- list. A change here calls for recalculate_leaderboard of every exam; rows are therefore never
-- changed, only added where missing.
INSERT INTO podium.leaderboard_levels (level, shift, child_shift, capacity)
VALUES
    (1, 5, 0, 32),
    (2, 11, 5, 48),
    (3, 17, 11, 48),
    (4, 22, 17, 48),
    (5, 26, 22, 48),
    (6, 30, 26, 48),
    (7, 34, 30, 48),
    (8, 38, 34, 48),
    (9, 42, 38, 48),
    (10, 63, 42, 1)
ON DUPLICATE KEY UPDATE level = leaderboard_levels.level;

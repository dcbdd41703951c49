SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- Every board for people who read with SQL. The rank is the window function itself; a condition on
-- exam_id, its partition column, is pushed down into the view.
CREATE OR REPLACE
    DEFINER = podium_owner@localhost
    SQL SECURITY DEFINER
    VIEW podium.leaderboard AS
SELECT
    b.exam_id,
    DENSE_RANK() OVER (
        PARTITION BY b.exam_id
        ORDER BY s.total_score DESC, s.total_time_sec ASC
    ) AS `rank`,
    s.user_id,
    u.username,
    u.full_name,
    s.total_score,
    s.total_time_sec,
    s.session_id,
    b.revision
FROM podium.leaderboards AS b
INNER JOIN podium.leaderboard_snapshot AS s ON s.board_id = b.board_id
INNER JOIN podium.users AS u ON u.user_id = s.user_id;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.export_leaderboard;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.export_leaderboard(
    p_exam_id BIGINT
)
    COMMENT 'Reads a whole board, every entry of one revision'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The whole board in one consistent snapshot, however many scores come in
    --              meanwhile. Its time grows with the board; fetch its rows as they come.
    -- Parameters:  p_exam_id  of create_exam
    -- Result sets: a row per entry: exam_id, exam_title, total_participants, revision, rank,
    --              user_id, username, full_name, total_score, total_time_sec, by rank and user_id.
    --              Of a board without entries one row, which tells the exam alone
    -- Errors:      exam_not_found; 1568 inside an open transaction
    -- Transaction: one statement of its own
    -- Locks:       none
    -- Example:     CALL export_leaderboard(1);
    --              exam_id exam_title             total_participants revision rank user_id ...
    --                    1 Backend Challenge 2026                842     1187    1       1 ...
    --                    ...
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1;

    CALL _find_board(p_exam_id, v_board_id);

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SELECT
        e.exam_id,
        e.title AS exam_title,
        b.total_participants,
        b.revision,
        s.`rank`,
        s.user_id,
        u.username,
        u.full_name,
        s.total_score,
        s.total_time_sec
    FROM leaderboards AS b
    STRAIGHT_JOIN exams AS e FORCE INDEX (PRIMARY) ON e.exam_id = b.exam_id
    LEFT JOIN (
        SELECT
            DENSE_RANK() OVER (ORDER BY standing_key DESC) AS `rank`,
            user_id, total_score, total_time_sec
        FROM leaderboard_snapshot
        WHERE board_id = v_board_id
    ) AS s ON TRUE
    LEFT JOIN users AS u FORCE INDEX (PRIMARY) ON u.user_id = s.user_id
    WHERE b.board_id = v_board_id
    ORDER BY s.`rank`, s.user_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

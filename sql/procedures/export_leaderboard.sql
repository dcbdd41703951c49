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
    -- Result sets: 1: exam_id, exam_title, total_participants, revision
    --              2: rank, user_id, username, full_name, total_score, total_time_sec, by rank and
    --                 user_id
    -- Errors:      exam_not_found; 1568 inside an open transaction
    -- Transaction: its own, REPEATABLE READ, READ ONLY
    -- Locks:       none
    -- Example:     CALL export_leaderboard(1);
    --              exam_id exam_title             total_participants revision
    --                    1 Backend Challenge 2026                842     1187
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    --                 ...
    DECLARE v_board_id BIGINT UNSIGNED;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;
        CALL _find_board(p_exam_id, v_board_id);

        SELECT e.exam_id, e.title AS exam_title, b.total_participants, b.revision
        FROM leaderboards AS b
        INNER JOIN exams AS e ON e.exam_id = b.exam_id
        WHERE b.board_id = v_board_id;

        SELECT
            DENSE_RANK() OVER (ORDER BY s.standing_key DESC) AS `rank`,
            s.user_id,
            u.username,
            u.full_name,
            s.total_score,
            s.total_time_sec
        FROM leaderboard_snapshot AS s
        STRAIGHT_JOIN users AS u FORCE INDEX (PRIMARY) ON u.user_id = s.user_id
        WHERE s.board_id = v_board_id
        ORDER BY `rank`, s.user_id;

        COMMIT AND NO CHAIN NO RELEASE;
    END;
END$$

DELIMITER ;

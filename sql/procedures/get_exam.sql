SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_exam;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_exam(
    p_exam_id BIGINT
)
    COMMENT 'Reads one exam'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     An exam with the state of its board.
    -- Parameters:  p_exam_id  of create_exam
    -- Result sets: exam_id, title, weight_coding, weight_quiz, weight_assessment, max_attempts,
    --              attempt_policy, starts_at, ends_at, duration_sec, submissions_by,
    --              board_access, board_names, created_at, revision, total_participants,
    --              changed_at (of the board)
    -- Errors:      exam_not_found; 1568 inside an open transaction
    -- Transaction: statements of their own
    -- Locks:       none
    -- Example:     CALL get_exam(1);
    --              exam_id title                  weight_coding ... revision total_participants
    --                    1 Backend Challenge 2026         50.00 ...     1187                842
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
        e.exam_id, e.title, e.weight_coding, e.weight_quiz, e.weight_assessment, e.max_attempts,
        e.attempt_policy, e.starts_at, e.ends_at, e.duration_sec, e.submissions_by, e.board_access,
        e.board_names, e.created_at, b.revision, b.total_participants, b.changed_at
    FROM exams AS e
    INNER JOIN leaderboards AS b ON b.exam_id = e.exam_id
    WHERE b.board_id = v_board_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

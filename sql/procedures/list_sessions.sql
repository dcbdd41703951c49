SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.list_sessions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.list_sessions(
    p_exam_id  BIGINT,
    p_user_id  BIGINT,
    p_status   VARCHAR(255),
    p_exam_ids JSON,
    p_after    BIGINT,
    p_limit    BIGINT
)
    COMMENT 'Lists sessions by exam, candidate and status'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Who is sitting an exam, what a candidate has begun, and the id of a session
    --              whose answer was lost.
    -- Parameters:  p_exam_id   only this exam's; NULL: all
    --              p_user_id   only this candidate's; NULL: all
    --              p_status    in_progress or finished; NULL: both
    --              p_exam_ids  array of exams that the caller is confined to; NULL: not confined
    --              p_after     session_id to go on behind; NULL: from the first
    --              p_limit     1 to 1000 rows; NULL: 100
    -- Result sets: session_id, exam_id, user_id, attempt_no, status, version, total_score,
    --              weighted_coding, weighted_quiz, weighted_assessment, total_time_sec, started_at,
    --              deadline_at, finished_at, by session_id
    -- Errors:      exam_not_found, status_invalid, limit_invalid; 1568 inside an open transaction
    -- Transaction: statements of their own
    -- Locks:       none
    -- Example:     CALL list_sessions(1, NULL, 'in_progress', NULL, NULL, 10);
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_after BIGINT DEFAULT COALESCE(p_after, 0);
    DECLARE v_limit BIGINT DEFAULT COALESCE(p_limit, 100);
    DECLARE v_status VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
        DEFAULT p_status;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1;

    IF v_limit NOT BETWEEN 1 AND 1000 THEN
        CALL _raise('limit_invalid', 'limit must be 1 to 1000');
    END IF;
    IF v_status NOT IN ('in_progress', 'finished') THEN
        CALL _raise('status_invalid', 'status must be in_progress or finished');
    END IF;
    IF p_user_id IS NULL AND p_exam_id IS NOT NULL THEN
        CALL _find_board(p_exam_id, v_board_id);
    END IF;

    -- Three statements, so that each is a range of one index from where the page begins.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    IF p_user_id IS NOT NULL THEN
        SELECT
            session_id, exam_id, user_id, attempt_no, status, version, total_score, weighted_coding,
            weighted_quiz, weighted_assessment, total_time_sec, started_at, deadline_at, finished_at
        FROM exam_sessions FORCE INDEX (fk_exam_sessions_user)
        WHERE user_id = p_user_id AND session_id > v_after
            AND (p_exam_id IS NULL OR exam_id = p_exam_id)
            AND (v_status IS NULL OR status = v_status)
            AND (p_exam_ids IS NULL OR exam_id MEMBER OF (p_exam_ids))
        ORDER BY session_id
        LIMIT v_limit;
    ELSEIF p_exam_id IS NOT NULL THEN
        SELECT
            session_id, exam_id, user_id, attempt_no, status, version, total_score, weighted_coding,
            weighted_quiz, weighted_assessment, total_time_sec, started_at, deadline_at, finished_at
        FROM exam_sessions FORCE INDEX (ix_exam_sessions_exam_session)
        WHERE exam_id = p_exam_id AND session_id > v_after
            AND (v_status IS NULL OR status = v_status)
            AND (p_exam_ids IS NULL OR exam_id MEMBER OF (p_exam_ids))
        ORDER BY session_id
        LIMIT v_limit;
    ELSE
        SELECT
            session_id, exam_id, user_id, attempt_no, status, version, total_score, weighted_coding,
            weighted_quiz, weighted_assessment, total_time_sec, started_at, deadline_at, finished_at
        FROM exam_sessions FORCE INDEX (PRIMARY)
        WHERE session_id > v_after
            AND (v_status IS NULL OR status = v_status)
            AND (p_exam_ids IS NULL OR exam_id MEMBER OF (p_exam_ids))
        ORDER BY session_id
        LIMIT v_limit;
    END IF;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

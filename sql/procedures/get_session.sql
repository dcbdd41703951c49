SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_session;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_session(
    p_session_id BIGINT
)
    COMMENT 'Reads one session with its module scores'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A session's state and totals, and the scores that make them, of one moment.
    -- Parameters:  p_session_id  of start_session
    -- Result sets: 1: session_id, exam_id, user_id, attempt_no, status, version, total_score,
    --                 weighted_coding, weighted_quiz, weighted_assessment, total_time_sec,
    --                 started_at, deadline_at, finished_at
    --              2: module_type, raw_score, max_score, weighted_score, time_spent_sec, details,
    --                 submitted_at; no row where nothing is scored
    -- Errors:      session_not_found; 1568 inside an open transaction
    -- Transaction: its own, REPEATABLE READ, READ ONLY
    -- Locks:       none
    -- Example:     CALL get_session(1);
    --              session_id exam_id user_id attempt_no status      version total_score ...
    --                       1       1       1          1 in_progress       3     83.7500 ...
    --              module_type raw_score               max_score                ...
    --              coding      85.50000000000000000000 100.00000000000000000000 ...
    DECLARE v_exists BOOLEAN;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;

        -- Not IF EXISTS: see _find_board.
        SELECT EXISTS (SELECT 1 FROM exam_sessions WHERE session_id = p_session_id) INTO v_exists;
        IF NOT v_exists THEN
            CALL _raise('session_not_found',
                        CONCAT('session ', COALESCE(p_session_id, 'NULL'), ' does not exist'));
        END IF;

        SELECT
            session_id, exam_id, user_id, attempt_no, status, version, total_score, weighted_coding,
            weighted_quiz, weighted_assessment, total_time_sec, started_at, deadline_at, finished_at
        FROM exam_sessions
        WHERE session_id = p_session_id;

        SELECT
            module_type, raw_score, max_score, weighted_score, time_spent_sec, details, submitted_at
        FROM module_scores
        WHERE session_id = p_session_id
        ORDER BY module_type;

        COMMIT AND NO CHAIN NO RELEASE;
    END;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.finish_session;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.finish_session(
    p_session_id BIGINT,
    p_actor_id   BIGINT
)
    COMMENT 'Finishes a session; finishing it again changes nothing'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     After it the candidates themselves submit no more; staff and DBAs still can.
    -- Parameters:  p_session_id  of start_session
    --              p_actor_id    acting user; candidates finish their own sessions only; NULL:
    --                            the MySQL account
    -- Result sets: session_id, exam_id, user_id, attempt_no, status, version, total_score,
    --              weighted_coding, weighted_quiz, weighted_assessment, total_time_sec, started_at,
    --              deadline_at, finished_at
    -- Errors:      session_not_found (also where it is somebody else's), forbidden; 1568 inside an
    --              open transaction
    -- Transaction: one statement of its own
    -- Locks:       the session; a submission to it that holds the lock is waited for
    -- Example:     CALL finish_session(1, NULL);
    --              session_id exam_id user_id attempt_no status   version total_score ...
    --                       1       1       1          1 finished       3     83.7500 ...
    DECLARE v_user_id BIGINT UNSIGNED;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET autocommit = 1, timestamp = DEFAULT;

    SELECT (SELECT user_id FROM exam_sessions WHERE session_id = p_session_id) INTO v_user_id;
    IF v_user_id IS NULL THEN
        CALL _raise('session_not_found',
                    CONCAT('session ', COALESCE(p_session_id, 'NULL'), ' does not exist'));
    END IF;
    CALL _require_actor(p_actor_id, NULL, v_user_id, p_session_id);

    UPDATE exam_sessions
    SET status = 'finished', finished_at = UTC_TIMESTAMP(6)
    WHERE session_id = p_session_id AND status = 'in_progress';

    SELECT
        session_id, exam_id, user_id, attempt_no, status, version, total_score, weighted_coding,
        weighted_quiz, weighted_assessment, total_time_sec, started_at, deadline_at, finished_at
    FROM exam_sessions
    WHERE session_id = p_session_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

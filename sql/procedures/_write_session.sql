SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_session;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_session(
    p_exam_id    BIGINT,
    p_user_id    BIGINT,
    p_actor_id   BIGINT,
    p_actor_role VARCHAR(20)
)
    RETURNS JSON
    COMMENT 'Starts an attempt, or finds the one in progress, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The rules of start_session under the exam's lock: done or undone as a whole, and
    --              no lock left behind, by KILL QUERY too. See _write_submissions.
    -- Parameters:  see start_session_once
    -- Result:      {"session_id": ..., "created": 1: new, 0: was in progress}
    -- Errors:      those of start_session; 1062 where another call has started the same attempt in
    --              between: the caller starts again and finds it
    -- Transaction: the statement's own, READ COMMITTED: two starts are told apart by the unique key
    --              alone
    -- Locks:       shared, the exam, before the new row, as update_exam_weights does, so that the
    --              two cannot deadlock; the new row, and shared its user
    -- Example:     SET v_started = _write_session(1, 1, NULL, NULL);
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_session_id BIGINT UNSIGNED;
    DECLARE v_attempt_no INT DEFAULT 0;
    DECLARE v_in_progress BOOLEAN DEFAULT FALSE;
    DECLARE v_role VARCHAR(20);
    DECLARE v_max_attempts INT;
    DECLARE v_starts_at, v_ends_at DATETIME(6);
    DECLARE v_duration_sec BIGINT;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);

    CALL _find_board(p_exam_id, v_board_id);
    -- Before anything is looked up: the answer tells nobody which users there are.
    CALL _require_actor(p_actor_id, p_actor_role, p_user_id, NULL);
    SELECT (SELECT role FROM users WHERE user_id = p_user_id) INTO v_role;
    IF v_role IS NULL THEN
        CALL _raise('user_not_found',
                    CONCAT('user ', COALESCE(p_user_id, 'NULL'), ' does not exist'));
    END IF;
    IF v_role <> 'candidate' THEN
        CALL _raise('not_a_candidate', CONCAT(
            'user ', p_user_id, ' is not a candidate: who runs exams takes none'));
    END IF;

    SELECT max_attempts, starts_at, ends_at, duration_sec
    INTO v_max_attempts, v_starts_at, v_ends_at, v_duration_sec
    FROM exams
    WHERE exam_id = p_exam_id
    FOR SHARE;

    -- More rows than one at the most by LIMIT; none leaves the variables as they are.
    BEGIN
        DECLARE CONTINUE HANDLER FOR NOT FOUND BEGIN END;
        SELECT session_id, attempt_no, status = 'in_progress'
        INTO v_session_id, v_attempt_no, v_in_progress
        FROM exam_sessions FORCE INDEX (uq_exam_sessions_exam_user_attempt)
        WHERE exam_id = p_exam_id AND user_id = p_user_id
        ORDER BY attempt_no DESC
        LIMIT 1;
    END;

    IF v_in_progress THEN
        RETURN JSON_OBJECT('session_id', v_session_id, 'created', 0);
    END IF;
    IF v_starts_at > v_now THEN
        CALL _raise('exam_not_open',
                    CONCAT('exam ', p_exam_id, ' starts at ', v_starts_at, ' UTC'));
    END IF;
    IF v_ends_at <= v_now THEN
        CALL _raise('exam_ended', CONCAT('exam ', p_exam_id, ' ended at ', v_ends_at, ' UTC'));
    END IF;
    IF v_attempt_no >= v_max_attempts THEN
        CALL _raise('attempts_exhausted', CONCAT(
            'user ', p_user_id,
            IF(v_max_attempts = 1, ' has used the one attempt', CONCAT(
                ' has used all ', v_max_attempts, ' attempts')),
            ' at exam ', p_exam_id));
    END IF;

    INSERT INTO exam_sessions (exam_id, user_id, attempt_no, status, started_at, deadline_at)
    VALUES (
        p_exam_id, p_user_id, v_attempt_no + 1, 'in_progress', v_now,
        _deadline(v_now, v_duration_sec, v_ends_at)
    );
    RETURN JSON_OBJECT('session_id', LAST_INSERT_ID(), 'created', 1);
END$$

DELIMITER ;

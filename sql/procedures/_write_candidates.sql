SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_candidates;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_candidates(
    p_exam_id BIGINT,
    p_items   JSON
)
    RETURNS JSON
    COMMENT 'Creates the missing users and starts their sessions, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Users and sessions of an array, done or undone as a whole: a function is one
    --              statement to the server, so that KILL QUERY leaves no user without a session.
    -- Parameters:  p_exam_id  of create_exam
    --              p_items    of _read_candidates
    -- Result:      that of _find_attempts, with user_created. It depends on the tables alone, hence
    --              DETERMINISTIC, which the server demands of a function that writes while the
    --              binary log is on
    -- Errors:      1062 where another call has created the same since: the caller starts again
    -- Transaction: the caller's, READ COMMITTED
    -- Locks:       shared, the exam; the new users by username_key, the new sessions by user
    -- Example:     SELECT _write_candidates(1, '[]');
    --              []
    DECLARE v_before, v_after JSON;
    DECLARE v_duration_sec BIGINT;
    DECLARE v_ends_at, v_deadline_at DATETIME(6);
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);

    -- Before the new rows, as start_session does.
    SELECT ends_at, duration_sec
    INTO v_ends_at, v_duration_sec
    FROM exams
    WHERE exam_id = p_exam_id
    FOR SHARE;
    SET v_deadline_at = v_now + INTERVAL v_duration_sec SECOND;

    SELECT _find_attempts(p_exam_id, p_items, FALSE) INTO v_before;

    INSERT INTO users (username, username_key, full_name, role, created_at)
    SELECT i.username, i.username_key, i.full_name, 'candidate', v_now
    FROM JSON_TABLE(
        v_before, '$[*]'
        COLUMNS (
            username     VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                      PATH '$.username',
            username_key VARCHAR(192) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                      PATH '$.username_key',
            full_name    VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                      PATH '$.full_name',
            repeat_no    INT          PATH '$.repeat_no',
            user_id      BIGINT       PATH '$.user_id',
            code         VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin PATH '$.code'
        )
    ) AS i
    WHERE i.code IS NULL AND i.user_id IS NULL AND i.repeat_no = 1
    ORDER BY i.username_key;

    SELECT _find_attempts(p_exam_id, p_items, FALSE) INTO v_after;

    INSERT INTO exam_sessions (exam_id, user_id, attempt_no, status, started_at, deadline_at)
    SELECT
        p_exam_id, i.user_id, i.attempt_no, 'in_progress', v_now,
        -- The earlier of the two; NULL where the exam has neither.
        COALESCE(LEAST(v_deadline_at, v_ends_at), v_deadline_at, v_ends_at)
    FROM JSON_TABLE(
        v_after, '$[*]'
        COLUMNS (
            user_id    BIGINT   PATH '$.user_id',
            attempt_no SMALLINT PATH '$.attempt_no',
            starts     BOOLEAN  PATH '$.starts'
        )
    ) AS i
    WHERE i.starts
    ORDER BY i.user_id;

    RETURN (
        SELECT COALESCE(JSON_ARRAYAGG(JSON_OBJECT(
            'item_no', a.item_no,
            'user_id', a.user_id,
            'user_created',
                o.user_id IS NULL AND a.user_id IS NOT NULL AND a.repeat_no = 1,
            'attempts', a.attempts,
            'attempt_no', a.attempt_no,
            'starts', a.starts,
            'code', a.code,
            'reason', a.reason
        )), JSON_ARRAY())
        FROM JSON_TABLE(
            v_after, '$[*]'
            COLUMNS (
                item_no    INT          PATH '$.item_no',
                repeat_no  INT          PATH '$.repeat_no',
                user_id    BIGINT       PATH '$.user_id',
                attempts   INT          PATH '$.attempts',
                attempt_no SMALLINT     PATH '$.attempt_no',
                starts     BOOLEAN      PATH '$.starts',
                code       VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin PATH '$.code',
                reason     VARCHAR(128) PATH '$.reason'
            )
        ) AS a
        INNER JOIN JSON_TABLE(
            v_before, '$[*]' COLUMNS (item_no INT PATH '$.item_no', user_id BIGINT PATH '$.user_id')
        ) AS o ON o.item_no = a.item_no
    );
END$$

DELIMITER ;

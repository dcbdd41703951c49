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
    -- Transaction: one statement of its own, REPEATABLE READ
    -- Locks:       none
    -- Example:     CALL get_session(1);
    --              session_id exam_id user_id attempt_no status      version total_score ...
    --                       1       1       1          1 in_progress       3     83.7500 ...
    --              module_type raw_score               max_score                ...
    --              coding      85.50000000000000000000 100.00000000000000000000 ...
    DECLARE v_session, v_modules JSON;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1;

    SELECT
        JSON_OBJECT(
            'session_id', s.session_id,
            'exam_id', s.exam_id,
            'user_id', s.user_id,
            'attempt_no', s.attempt_no,
            'status', s.status,
            'version', s.version,
            'total_score', s.total_score,
            'weighted_coding', s.weighted_coding,
            'weighted_quiz', s.weighted_quiz,
            'weighted_assessment', s.weighted_assessment,
            'total_time_sec', s.total_time_sec,
            'started_at', s.started_at,
            'deadline_at', s.deadline_at,
            'finished_at', s.finished_at
        ),
        (
            SELECT JSON_ARRAYAGG(JSON_OBJECT(
                'place', m.module_type + 0,
                'module_type', m.module_type,
                'raw_score', m.raw_score,
                'max_score', m.max_score,
                'weighted_score', m.weighted_score,
                'time_spent_sec', m.time_spent_sec,
                'details', m.details,
                'submitted_at', m.submitted_at
            ))
            FROM module_scores AS m
            WHERE m.session_id = p_session_id
        )
    INTO v_session, v_modules
    FROM (SELECT 1) AS one
    LEFT JOIN exam_sessions AS s ON s.session_id = p_session_id;

    IF JSON_VALUE(v_session, '$.session_id') IS NULL THEN
        CALL _raise('session_not_found',
                    CONCAT('session ', COALESCE(p_session_id, 'NULL'), ' does not exist'));
    END IF;

    SELECT
        s.session_id, s.exam_id, s.user_id, s.attempt_no, s.status, s.version, s.total_score,
        s.weighted_coding, s.weighted_quiz, s.weighted_assessment, s.total_time_sec, s.started_at,
        s.deadline_at, s.finished_at
    FROM JSON_TABLE(
        v_session, '$'
        COLUMNS (
            session_id          BIGINT UNSIGNED   PATH '$.session_id',
            exam_id             BIGINT UNSIGNED   PATH '$.exam_id',
            user_id             BIGINT UNSIGNED   PATH '$.user_id',
            attempt_no          SMALLINT UNSIGNED PATH '$.attempt_no',
            status              VARCHAR(20)       PATH '$.status',
            version             INT UNSIGNED      PATH '$.version',
            total_score         DECIMAL(7, 4)     PATH '$.total_score',
            weighted_coding     DECIMAL(7, 4)     PATH '$.weighted_coding',
            weighted_quiz       DECIMAL(7, 4)     PATH '$.weighted_quiz',
            weighted_assessment DECIMAL(7, 4)     PATH '$.weighted_assessment',
            total_time_sec      INT               PATH '$.total_time_sec',
            started_at          DATETIME(6)       PATH '$.started_at',
            deadline_at         DATETIME(6)       PATH '$.deadline_at',
            finished_at         DATETIME(6)       PATH '$.finished_at'
        )
    ) AS s;

    SELECT
        m.module_type, m.raw_score, m.max_score, m.weighted_score, m.time_spent_sec, m.details,
        m.submitted_at
    FROM JSON_TABLE(
        v_modules, '$[*]'
        COLUMNS (
            place          INT             PATH '$.place',
            module_type    VARCHAR(20)     PATH '$.module_type',
            raw_score      DECIMAL(30, 20) PATH '$.raw_score',
            max_score      DECIMAL(30, 20) PATH '$.max_score',
            weighted_score DECIMAL(7, 4)   PATH '$.weighted_score',
            time_spent_sec INT             PATH '$.time_spent_sec',
            details        JSON            PATH '$.details',
            submitted_at   DATETIME(6)     PATH '$.submitted_at'
        )
    ) AS m
    ORDER BY m.place;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_lock_holders;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_lock_holders(
    p_exam_id BIGINT
)
    COMMENT 'Tells who holds locks of boards'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Whom a submission that is not carried out may be waiting for: connections whose
    --              transaction holds locks of rows of boards, sessions, scores, exams or users.
    --              Calls under way are among them. KILL with connection_id ends one; what it has
    --              not committed is undone.
    -- Parameters:  p_exam_id  of create_exam; NULL: of all
    -- Result sets: exam_id (NULL: a lock behind the last row of a table, or of rows that are no
    --              exam's, which may stop any board), connection_id (NULL: a transaction without
    --              one, as XA PREPARE leaves it), account, host, holding_sec (since its transaction
    --              began), waiting (transactions that wait for it), state (idle: nothing is being
    --              carried out, it has forgotten to commit; waiting: for another lock itself;
    --              running), statement (the last one it sent, values replaced by ?): those first
    --              that wait for nobody, then by holding_sec
    -- Errors:      exam_not_found; 1568 inside an open transaction
    -- Transaction: statements of their own
    -- Locks:       none
    -- Example:     CALL get_lock_holders(1);
    --              exam_id connection_id account host      holding_sec waiting state ...
    --                    1            42 jane    localhost          31       3 idle  ...
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

    IF p_exam_id IS NOT NULL THEN
        CALL _find_board(p_exam_id, v_board_id);
    END IF;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    WITH
    -- Whose transaction it is the lock on the table tells, which the connection took itself; one on
    -- a row may have been moved since, and is then said to be the mover's.
    boards AS (
        SELECT
            engine_transaction_id AS transaction_id,
            MAX(IF(lock_type = 'TABLE', thread_id, NULL))
                OVER (PARTITION BY engine_transaction_id) AS thread_id,
            lock_type = 'RECORD' AND lock_status = 'GRANTED' AS is_held,
            object_name, index_name, lock_data
        FROM performance_schema.data_locks
        WHERE object_schema = 'podium' AND object_name = 'leaderboards'
    ),
    -- A call holds the rows of its boards beside all else, of which there may be a million where
    -- one is recalculated: those are not asked for.
    others AS (
        SELECT DISTINCT l.engine_transaction_id AS transaction_id, l.thread_id
        FROM performance_schema.events_transactions_current AS t
        STRAIGHT_JOIN performance_schema.data_locks AS l ON l.thread_id = t.thread_id
        WHERE t.state = 'ACTIVE' AND t.thread_id <> PS_CURRENT_THREAD_ID()
            AND l.lock_type = 'TABLE' AND l.object_schema = 'podium'
            AND t.thread_id NOT IN (
                SELECT thread_id FROM boards WHERE is_held AND thread_id IS NOT NULL)
    ),
    held AS (
        SELECT DISTINCT
            transaction_id, thread_id, object_name, index_name,
            SUBSTRING_INDEX(lock_data, ',', 1) AS first_key
        FROM boards
        WHERE is_held
        UNION ALL
        SELECT DISTINCT
            o.transaction_id, o.thread_id, l.object_name, l.index_name,
            SUBSTRING_INDEX(l.lock_data, ',', 1)
        FROM others AS o
        STRAIGHT_JOIN performance_schema.data_locks AS l
            ON l.engine_transaction_id = o.transaction_id
        WHERE l.lock_type = 'RECORD' AND l.lock_status = 'GRANTED' AND l.object_schema = 'podium'
    ),
    -- What a row of each index begins with.
    keyed AS (
        SELECT
            transaction_id, thread_id,
            IF(REGEXP_LIKE(first_key, '^[0-9]+$'), CAST(first_key AS UNSIGNED), NULL) AS id,
            (object_name, index_name) = ('exams', 'PRIMARY') OR index_name IN (
                'uq_exam_sessions_exam_user_attempt', 'ix_exam_sessions_exam_session',
                'uq_leaderboards_exam') AS is_exam,
            (object_name, index_name) IN (
                ('exam_sessions', 'PRIMARY'), ('module_scores', 'PRIMARY'))
                OR index_name IN (
                    'fk_leaderboard_snapshot_session',
                    'uq_score_audit_log_session_submission_id') AS is_session,
            (object_name, index_name) IN (
                ('leaderboards', 'PRIMARY'), ('leaderboard_snapshot', 'PRIMARY'),
                ('leaderboard_counters', 'PRIMARY'), ('leaderboard_revisions', 'PRIMARY'),
                ('score_audit_log', 'PRIMARY'))
                OR index_name = 'ix_leaderboard_snapshot_standing_key' AS is_board
        FROM held
    ),
    holders AS (
        SELECT DISTINCT
            k.transaction_id, k.thread_id,
            IF(k.is_exam, k.id, COALESCE(b.exam_id, s.exam_id)) AS exam_id
        FROM keyed AS k
        LEFT JOIN leaderboards AS b ON k.is_board AND b.board_id = k.id
        LEFT JOIN exam_sessions AS s ON k.is_session AND s.session_id = k.id
    ),
    waits AS (
        SELECT DISTINCT
            requesting_engine_transaction_id AS waiter, blocking_engine_transaction_id AS holder
        FROM performance_schema.data_lock_waits
    )
    SELECT
        h.exam_id,
        t.processlist_id AS connection_id,
        t.processlist_user AS account,
        t.processlist_host AS host,
        CAST(COALESCE(x.timer_wait DIV 1000000000000, t.processlist_time) AS UNSIGNED)
            AS holding_sec,
        (SELECT COUNT(*) FROM waits WHERE holder = h.transaction_id) AS waiting,
        IF(h.transaction_id IN (SELECT waiter FROM waits), 'waiting',
           IF(t.processlist_command = 'Sleep' OR t.thread_id IS NULL, 'idle', 'running')) AS state,
        LEFT(s.digest_text, 200) AS statement
    FROM holders AS h
    LEFT JOIN performance_schema.threads AS t ON t.thread_id = h.thread_id
    LEFT JOIN performance_schema.events_transactions_current AS x
        ON x.thread_id = h.thread_id AND x.state = 'ACTIVE'
    LEFT JOIN performance_schema.events_statements_current AS s
        ON s.thread_id = h.thread_id AND s.nesting_event_level = 0
    WHERE (p_exam_id IS NULL OR h.exam_id IS NULL OR h.exam_id = p_exam_id)
    ORDER BY state = 'waiting', holding_sec DESC, connection_id, h.exam_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

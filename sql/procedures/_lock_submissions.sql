SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._lock_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._lock_submissions(
    p_items   JSON,
    p_recheck BOOLEAN
)
    RETURNS JSON
    COMMENT 'Locks the boards and sessions of submissions and decides each item'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Everything that can change between two submissions is read here, under the
    --              board's lock: weights, status, deadline, version, the scores to be replaced.
    -- Parameters:  p_items    of _read_submissions
    --              p_recheck  look the submission ids up once more; READ COMMITTED only, since a
    --                         locking search for what is not there would lock a gap
    -- Result:      array of objects, those not refused so far, by board and place: item_no,
    --              board_id, exam_id, session_id, user_id, module_type, raw_score, max_score,
    --              weighted_score, time_spent_sec, expected_version, submission_id, payload_hash
    --              (hex), actor_id, request_id; base_version, base_total_score, base_time_sec: of
    --              the session before the array; old_raw_score, old_max_score, old_weighted_score,
    --              old_time_spent_sec: what is replaced (NULL: the module's first score);
    --              most_attempts, attempt_policy; code: why it is refused. Then what follows from
    --              the items of its session before it, as if there were none (see
    --              _chain_submissions): is_last (of its module), version, total_before. NULL where
    --              no item is left
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE, or READ COMMITTED where p_recheck
    -- Locks:       the boards in ascending order, each followed by its sessions, FOR UPDATE; then,
    --              shared, the exams and the module scores to be replaced. Every look-up is by a
    --              whole unique key that exists, so that records are locked and never gaps: two
    --              boards do not meet.
    -- Example:     SET v_items = _lock_submissions(v_items, FALSE);
    DECLARE v_held JSON;

    SELECT JSON_ARRAYAGG(JSON_OBJECT(
        'item_no', t.item_no,
        'board_id', b.board_id,
        'exam_id', e.exam_id,
        'session_id', s.session_id,
        'user_id', s.user_id,
        'module_type', t.module_type,
        'raw_score', t.raw_score,
        'max_score', t.max_score,
        -- What _weighted_score says, written out: calling it costs more than it does.
        -- check_leaderboard holds the two together.
        'weighted_score', CAST(
            (t.raw_score * CASE t.module_type
                WHEN 'coding' THEN e.weight_coding
                WHEN 'quiz' THEN e.weight_quiz
                ELSE e.weight_assessment
            END * 20000 + t.max_score) DIV (2 * t.max_score) * 0.0001 AS DECIMAL(7, 4)),
        'time_spent_sec', t.time_spent_sec,
        'expected_version', t.expected_version,
        'submission_id', t.submission_id,
        'payload_hash', t.payload_hash,
        'actor_id', t.actor_id,
        'request_id', t.request_id,
        'base_version', s.version,
        'base_total_score', s.total_score,
        'base_time_sec', s.total_time_sec,
        'old_raw_score', m.raw_score,
        'old_max_score', m.max_score,
        'old_weighted_score', m.weighted_score,
        'old_time_spent_sec', m.time_spent_sec,
        'most_attempts', e.most_attempts,
        'attempt_policy', e.attempt_policy,
        'is_last', TRUE,
        'version', s.version + 1,
        'total_before', s.total_score,
        'code', CASE
            WHEN r.payload_hash = UNHEX(t.payload_hash) THEN 'replay'
            WHEN r.payload_hash IS NOT NULL THEN 'submission_id_reused'
            WHEN t.as_candidate AND e.submissions_by = 'graders' THEN 'forbidden'
            WHEN t.actor_id = s.user_id AND s.status = 'finished' THEN 'session_finished'
            -- By the moment it arrived: this statement's, less the time it has waited elsewhere.
            WHEN t.actor_id = s.user_id
                AND UTC_TIMESTAMP(6) - INTERVAL t.waited_us MICROSECOND > s.deadline_at
                THEN 'deadline_passed'
            WHEN t.expected_version <> s.version THEN 'version_conflict'
            WHEN s.total_time_sec - COALESCE(m.time_spent_sec, 0) + t.time_spent_sec > 4194303
                THEN 'time_spent_invalid'
        END
    ))
    INTO v_held
    FROM (
        SELECT
            j.item_no, j.board_id, j.session_id, j.module_type, j.raw_score, j.max_score,
            j.time_spent_sec, j.expected_version, j.submission_id, j.payload_hash, j.actor_id,
            j.as_candidate, j.request_id, j.waited_us
        FROM JSON_TABLE(
            p_items, '$[*]'
            COLUMNS (
                item_no          INT UNSIGNED    PATH '$.item_no',
                board_id         BIGINT UNSIGNED PATH '$.board_id',
                session_id       BIGINT UNSIGNED PATH '$.session_id',
                module_type      VARCHAR(20)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                                 PATH '$.module_type',
                raw_score        DECIMAL(30, 20) PATH '$.raw_score',
                max_score        DECIMAL(30, 20) PATH '$.max_score',
                time_spent_sec   INT             PATH '$.time_spent_sec',
                expected_version BIGINT          PATH '$.expected_version',
                submission_id    VARCHAR(64)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                                 PATH '$.submission_id',
                payload_hash     CHAR(64)        PATH '$.payload_hash',
                actor_id         BIGINT          PATH '$.actor_id',
                as_candidate     BOOLEAN         PATH '$.as_candidate',
                request_id       VARCHAR(64)     PATH '$.request_id',
                waited_us        BIGINT          PATH '$.waited_us',
                replayed         BOOLEAN         PATH '$.replayed',
                code             VARCHAR(40)     PATH '$.code'
            )
        ) AS j
        WHERE j.code IS NULL AND NOT j.replayed
        -- The boards ascend. The limit, which no array reaches, keeps the order: without one the
        -- server would drop it.
        ORDER BY j.board_id, j.item_no
        LIMIT 1000
    ) AS t
    STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = t.board_id
    STRAIGHT_JOIN exams AS e FORCE INDEX (PRIMARY) ON e.exam_id = b.exam_id
    STRAIGHT_JOIN exam_sessions AS s FORCE INDEX (PRIMARY) ON s.session_id = t.session_id
    -- No key, no look-up: a search for a score that is not there would lock the gap it is missing
    -- from.
    LEFT JOIN module_scores AS m FORCE INDEX (PRIMARY)
        ON m.session_id = CASE
            WHEN t.module_type = 'coding' AND s.weighted_coding IS NOT NULL THEN s.session_id
            WHEN t.module_type = 'quiz' AND s.weighted_quiz IS NOT NULL THEN s.session_id
            WHEN t.module_type = 'assessment' AND s.weighted_assessment IS NOT NULL
                THEN s.session_id
        END
        AND m.module_type = t.module_type
    LEFT JOIN score_audit_log AS r FORCE INDEX (uq_score_audit_log_session_submission_id)
        ON r.session_id = IF(p_recheck, t.session_id, NULL)
        AND r.submission_id = t.submission_id
    FOR UPDATE OF b, s FOR SHARE OF e, m, r;

    RETURN v_held;
END$$

DELIMITER ;

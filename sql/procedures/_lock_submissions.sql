SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._lock_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._lock_submissions()
    COMMENT 'Locks boards and sessions of tmp_submissions and decides each item'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Everything that can change between two submissions is read here, under the
    --              board's lock: weights, status, deadline, version, the scores to be replaced.
    -- Parameters:  none; reads tmp_submissions
    -- Result sets: none; leaves the items not refused so far in tmp_items, the code set where one
    --              is refused
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE
    -- Locks:       the boards in ascending order, each followed by its sessions, FOR UPDATE; then,
    --              shared, the exams and the module scores to be replaced. Every look-up is by a
    --              whole unique key that exists, so that records are locked and never gaps: two
    --              boards do not meet.
    -- Example:     CALL _lock_submissions();
    INSERT INTO tmp_items (
        place, item_no, board_id, exam_id, session_id, user_id, module_type, raw_score, max_score,
        weighted_score, time_spent_sec, expected_version, submission_id, payload_hash,
        base_version, base_total_score, base_time_sec,
        old_raw_score, old_max_score, old_weighted_score, old_time_spent_sec,
        max_attempts, attempt_policy, depends, code
    )
    SELECT
        t.place, t.item_no, b.board_id, e.exam_id, s.session_id, s.user_id, t.module_type,
        t.raw_score, t.max_score,
        _weighted_score(
            t.module_type, t.raw_score, t.max_score,
            e.weight_coding, e.weight_quiz, e.weight_assessment),
        t.time_spent_sec, t.expected_version, t.submission_id, t.payload_hash,
        s.version, s.total_score, s.total_time_sec,
        m.raw_score, m.max_score, m.weighted_score, m.time_spent_sec,
        e.max_attempts, e.attempt_policy,
        t.id_items > 1
            OR (t.session_items > 1
                AND (t.expected_version IS NOT NULL
                     OR s.total_time_sec + t.session_time_sec > 4194303)),
        CASE
            WHEN t.actor_id = s.user_id AND s.status = 'finished' THEN 'session_finished'
            WHEN t.actor_id = s.user_id AND UTC_TIMESTAMP(6) > s.deadline_at THEN 'deadline_passed'
            WHEN t.session_items > 1 OR t.id_items > 1 THEN NULL
            WHEN t.expected_version <> s.version THEN 'version_conflict'
            WHEN s.total_time_sec - COALESCE(m.time_spent_sec, 0) + t.time_spent_sec > 4194303
                THEN 'time_spent_invalid'
        END
    FROM tmp_submissions AS t FORCE INDEX (PRIMARY)
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
    WHERE t.code IS NULL AND NOT t.replayed
    ORDER BY t.place        -- the boards ascend
    FOR UPDATE OF b, s;
END$$

DELIMITER ;

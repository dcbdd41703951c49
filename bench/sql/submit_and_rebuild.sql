SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

DROP PROCEDURE IF EXISTS podium_bench.submit_and_rebuild;

DELIMITER $$

CREATE PROCEDURE podium_bench.submit_and_rebuild(
    p_session_id     BIGINT,
    p_module_type    VARCHAR(20),
    p_raw_score      DECIMAL(30, 20),
    p_max_score      DECIMAL(30, 20),
    p_time_spent_sec INT
)
    COMMENT 'Submits one module score and ranks the whole exam anew'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The design everybody writes first: module score, totals, audit row and a snapshot ranked anew
    --              by DENSE_RANK(), in one transaction.
    -- Parameters:  as of podium.submit_score
    -- Result sets: one row: rank, total_score, total_time_sec, version
    -- Errors:      none
    -- Transaction: its own, SERIALIZABLE, as Podium's
    -- Locks:       the exam, which orders its submissions; then the session, all sessions of the exam shared,
    --              and its whole snapshot
    -- Example:     CALL submit_and_rebuild(1, 'coding', 85.5, 100, 2400);
    DECLARE v_exam_id BIGINT UNSIGNED;
    DECLARE v_weight DECIMAL(5, 2);
    DECLARE v_old_total_score DECIMAL(7, 4);

    SELECT exam_id INTO v_exam_id FROM rebuild_sessions WHERE session_id = p_session_id;

    SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
    START TRANSACTION;

    SELECT
        CASE p_module_type
            WHEN 'coding' THEN weight_coding
            WHEN 'quiz' THEN weight_quiz
            WHEN 'assessment' THEN weight_assessment
        END
    INTO v_weight
    FROM rebuild_exams
    WHERE exam_id = v_exam_id
    FOR UPDATE;

    SELECT total_score
    INTO v_old_total_score
    FROM rebuild_sessions
    WHERE session_id = p_session_id
    FOR UPDATE;

    INSERT INTO rebuild_module_scores (
        session_id, module_type, raw_score, max_score, weighted_score, time_spent_sec, submitted_at
    )
    VALUES (
        p_session_id, p_module_type, p_raw_score, p_max_score,
        ROUND(p_raw_score * v_weight / p_max_score, 4), p_time_spent_sec, UTC_TIMESTAMP(6)
    )
    AS n
    ON DUPLICATE KEY UPDATE
        raw_score = n.raw_score,
        max_score = n.max_score,
        weighted_score = n.weighted_score,
        time_spent_sec = n.time_spent_sec,
        submitted_at = n.submitted_at;

    UPDATE rebuild_sessions AS s
    INNER JOIN (
        SELECT
            session_id,
            SUM(weighted_score) AS total_score,
            SUM(time_spent_sec) AS total_time_sec
        FROM rebuild_module_scores
        WHERE session_id = p_session_id
        GROUP BY session_id
    ) AS t ON t.session_id = s.session_id
    SET s.version = s.version + 1,
        s.total_score = t.total_score,
        s.total_time_sec = t.total_time_sec;

    DELETE FROM rebuild_snapshot WHERE exam_id = v_exam_id;

    INSERT INTO rebuild_snapshot (
        exam_id, user_id, session_id, total_score, total_time_sec, entry_rank
    )
    SELECT
        exam_id, user_id, session_id, total_score, total_time_sec,
        DENSE_RANK() OVER (ORDER BY total_score DESC, total_time_sec)
    FROM rebuild_sessions
    WHERE exam_id = v_exam_id AND version > 0;

    INSERT INTO rebuild_audit_log (
        exam_id, session_id, module_type, actor, old_total_score, new_total_score, entry_rank, created_at
    )
    SELECT
        e.exam_id, e.session_id, p_module_type, USER(), v_old_total_score, e.total_score, e.entry_rank,
        UTC_TIMESTAMP(6)
    FROM rebuild_sessions AS s
    INNER JOIN rebuild_snapshot AS e ON e.exam_id = s.exam_id AND e.user_id = s.user_id
    WHERE s.session_id = p_session_id;

    COMMIT;

    SELECT e.entry_rank AS `rank`, s.total_score, s.total_time_sec, s.version
    FROM rebuild_sessions AS s
    INNER JOIN rebuild_snapshot AS e ON e.exam_id = s.exam_id AND e.user_id = s.user_id
    WHERE s.session_id = p_session_id;
END$$

DELIMITER ;

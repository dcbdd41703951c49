SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

DROP PROCEDURE IF EXISTS podium._write_scores;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._write_scores()
    COMMENT 'Writes the accepted items to module_scores and exam_sessions'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The last accepted item of a module stands; each accepted item counts one version.
    -- Parameters:  none; reads tmp_items
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE, the boards locked
    -- Locks:       the module scores written, FOR UPDATE
    -- Example:     CALL _write_scores();
    INSERT INTO module_scores (
        session_id, module_type, raw_score, max_score, weighted_score, time_spent_sec, details, submitted_at
    )
    SELECT
        n.session_id, n.module_type, n.raw_score, n.max_score, n.weighted_score, n.time_spent_sec,
        n.details, UTC_TIMESTAMP(6)
    FROM (
        SELECT
            i.session_id, i.module_type, i.raw_score, i.max_score, i.weighted_score, i.time_spent_sec,
            t.details,
            ROW_NUMBER() OVER (PARTITION BY i.session_id, i.module_type ORDER BY i.item_no DESC) AS newness
        FROM tmp_items AS i
        STRAIGHT_JOIN tmp_submissions AS t ON t.board_id = i.board_id AND t.item_no = i.item_no
        WHERE i.code IS NULL
    ) AS n
    WHERE n.newness = 1
    ON DUPLICATE KEY UPDATE
        raw_score = n.raw_score,
        max_score = n.max_score,
        weighted_score = n.weighted_score,
        time_spent_sec = n.time_spent_sec,
        details = n.details,
        submitted_at = UTC_TIMESTAMP(6);

    UPDATE (
        SELECT
            n.session_id,
            COUNT(*) AS accepted,
            SUM(IF(n.newness = 1, n.time_spent_sec - COALESCE(n.old_time_spent_sec, 0), 0)) AS time_gained,
            MAX(IF(n.newness = 1 AND n.module_type = 'coding', n.weighted_score, NULL)) AS coding,
            MAX(IF(n.newness = 1 AND n.module_type = 'quiz', n.weighted_score, NULL)) AS quiz,
            MAX(IF(n.newness = 1 AND n.module_type = 'assessment', n.weighted_score, NULL)) AS assessment
        FROM (
            SELECT
                i.session_id, i.module_type, i.weighted_score, i.time_spent_sec, i.old_time_spent_sec,
                ROW_NUMBER() OVER (
                    PARTITION BY i.session_id, i.module_type ORDER BY i.item_no DESC
                ) AS newness
            FROM tmp_items AS i
            WHERE i.code IS NULL
        ) AS n
        GROUP BY n.session_id
    ) AS a
    STRAIGHT_JOIN exam_sessions AS s ON s.session_id = a.session_id
    SET s.version = s.version + a.accepted,
        s.total_time_sec = s.total_time_sec + a.time_gained,
        s.weighted_coding = COALESCE(a.coding, s.weighted_coding),
        s.weighted_quiz = COALESCE(a.quiz, s.weighted_quiz),
        s.weighted_assessment = COALESCE(a.assessment, s.weighted_assessment);
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

DROP PROCEDURE IF EXISTS podium._write_entries;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._write_entries()
    COMMENT 'Brings the board entries of the accepted items up to date'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Chooses the attempt that counts for each candidate and writes it to the snapshot.
    -- Parameters:  none; reads tmp_items
    -- Result sets: none; leaves in tmp_entries what was written, with the standing before and after
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE, the boards locked
    -- Locks:       the entries written, FOR UPDATE. Where an exam allows several attempts, also the
    --              candidate's other sessions, shared, with the gap behind them: a new attempt waits.
    -- Example:     CALL _write_entries();
    INSERT INTO tmp_entries (
        board_id, user_id, session_id, total_score, total_time_sec,
        weighted_coding, weighted_quiz, weighted_assessment, old_key, new_key
    )
    SELECT
        c.board_id, c.user_id, c.session_id, c.total_score, c.total_time_sec,
        c.weighted_coding, c.weighted_quiz, c.weighted_assessment, o.standing_key, c.standing_key
    FROM (
        SELECT
            a.board_id,
            a.user_id,
            a.submitted_before OR COUNT(*) OVER (PARTITION BY a.board_id, a.user_id) > a.attempts AS listed,
            s.session_id,
            s.total_score,
            s.total_time_sec,
            COALESCE(s.weighted_coding, 0) AS weighted_coding,
            COALESCE(s.weighted_quiz, 0) AS weighted_quiz,
            COALESCE(s.weighted_assessment, 0) AS weighted_assessment,
            s.standing_key,
            ROW_NUMBER() OVER (
                PARTITION BY a.board_id, a.user_id
                ORDER BY
                    CASE a.attempt_policy
                        WHEN 'best' THEN -s.standing_key
                        WHEN 'latest' THEN -CAST(s.attempt_no AS SIGNED)
                        ELSE CAST(s.attempt_no AS SIGNED)
                    END,
                    s.attempt_no
            ) AS preference
        FROM (
            SELECT
                i.board_id,
                i.user_id,
                MIN(i.exam_id) AS exam_id,
                MIN(i.session_id) AS session_id,
                MIN(i.attempt_policy) AS attempt_policy,
                MIN(i.max_attempts) AS max_attempts,
                MAX(i.base_version) > 0 AS submitted_before,
                COUNT(DISTINCT i.session_id) AS attempts
            FROM tmp_items AS i
            WHERE i.code IS NULL
            GROUP BY i.board_id, i.user_id
        ) AS a
        -- One attempt at most: the session itself, found by its key, and no range is locked.
        LEFT JOIN exam_sessions AS r
            ON r.exam_id = IF(a.max_attempts > 1, a.exam_id, NULL)
            AND r.user_id = a.user_id
            AND r.version > 0
        STRAIGHT_JOIN exam_sessions AS s ON s.session_id = COALESCE(r.session_id, a.session_id)
    ) AS c
    -- No key, no look-up, no gap locked: see _lock_submissions.
    LEFT JOIN leaderboard_snapshot AS o
        ON o.board_id = c.board_id
        AND o.user_id = IF(c.listed, c.user_id, NULL)
    WHERE c.preference = 1;

    INSERT INTO leaderboard_snapshot (
        board_id, user_id, session_id, total_score, total_time_sec, standing_key
    )
    SELECT e.board_id, e.user_id, e.session_id, e.total_score, e.total_time_sec, e.new_key
    FROM tmp_entries AS e
    ON DUPLICATE KEY UPDATE
        session_id = e.session_id,
        total_score = e.total_score,
        total_time_sec = e.total_time_sec,
        standing_key = e.new_key;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._rebuild_board;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._rebuild_board(
    p_board_id BIGINT UNSIGNED
)
    COMMENT 'Computes everything derived from module_scores anew'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Weighted scores, session totals, entries and counters of a board from the raw
    --              scores. Its cost grows with the exam: it is for changes of the weights and for
    --              repair, and the baseline that the counters are measured against.
    -- Parameters:  p_board_id  of leaderboards
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's, READ COMMITTED, the board locked
    -- Locks:       all sessions and module scores of the exam, all entries and counters of the
    --              board
    -- Example:     CALL _rebuild_board(1);
    DECLARE v_exam_id BIGINT UNSIGNED DEFAULT (
        SELECT exam_id FROM leaderboards WHERE board_id = p_board_id
    );
    DECLARE v_level INT DEFAULT (SELECT MAX(level) FROM leaderboard_levels);

    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ exams AS e
    STRAIGHT_JOIN exam_sessions AS s FORCE INDEX (uq_exam_sessions_exam_user_attempt)
        ON s.exam_id = e.exam_id
    STRAIGHT_JOIN module_scores AS m FORCE INDEX (PRIMARY) ON m.session_id = s.session_id
    SET m.weighted_score = _weighted_score(
        m.module_type, m.raw_score, m.max_score,
        e.weight_coding, e.weight_quiz, e.weight_assessment)
    WHERE e.exam_id = v_exam_id;

    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ (
        SELECT
            n.session_id,
            MAX(IF(m.module_type = 'coding', m.weighted_score, NULL)) AS coding,
            MAX(IF(m.module_type = 'quiz', m.weighted_score, NULL)) AS quiz,
            MAX(IF(m.module_type = 'assessment', m.weighted_score, NULL)) AS assessment,
            COALESCE(SUM(m.time_spent_sec), 0) AS total_time_sec
        FROM exam_sessions AS n FORCE INDEX (uq_exam_sessions_exam_user_attempt)
        LEFT JOIN module_scores AS m FORCE INDEX (PRIMARY) ON m.session_id = n.session_id
        WHERE n.exam_id = v_exam_id
        GROUP BY n.session_id
    ) AS t
    STRAIGHT_JOIN exam_sessions AS s FORCE INDEX (PRIMARY) ON s.session_id = t.session_id
    SET s.weighted_coding = t.coding,
        s.weighted_quiz = t.quiz,
        s.weighted_assessment = t.assessment,
        s.total_time_sec = t.total_time_sec;

    DELETE FROM leaderboard_snapshot WHERE board_id = p_board_id;

    INSERT INTO leaderboard_snapshot (
        board_id, user_id, session_id, total_score, total_time_sec, standing_key
    )
    SELECT p_board_id, c.user_id, c.session_id, c.total_score, c.total_time_sec, c.standing_key
    FROM (
        SELECT
            s.user_id,
            s.session_id,
            s.total_score,
            s.total_time_sec,
            s.standing_key,
            ROW_NUMBER() OVER (
                PARTITION BY s.user_id
                ORDER BY
                    CASE e.attempt_policy
                        WHEN 'best' THEN -s.standing_key
                        WHEN 'latest' THEN -CAST(s.attempt_no AS SIGNED)
                        ELSE CAST(s.attempt_no AS SIGNED)
                    END,
                    s.attempt_no
            ) AS preference
        FROM exams AS e
        INNER JOIN exam_sessions AS s FORCE INDEX (uq_exam_sessions_exam_user_attempt)
            ON s.exam_id = e.exam_id
        WHERE e.exam_id = v_exam_id AND s.version > 0
    ) AS c
    WHERE c.preference = 1;

    -- Not the row of the whole board, which keeps other boards' gaps unlocked: see _write_exam.
    DELETE /*+ SET_VAR(range_optimizer_max_mem_size = 8388608) */ FROM leaderboard_counters
    WHERE board_id = p_board_id AND level < v_level;

    -- From the board down, as many rounds as there are levels: a range that holds more standings
    -- than its level allows is divided, and the next round finds its parts.
    INSERT INTO leaderboard_counters (board_id, level, parent, bucket, standings, entries, divided)
    SELECT p_board_id, v_level, 0, 0, n.standings, n.entries, n.standings > n.capacity
    FROM (
        SELECT
            COUNT(DISTINCT e.standing_key) AS standings,
            COUNT(e.standing_key) AS entries,
            MIN(l.capacity) AS capacity
        FROM leaderboard_levels AS l
        LEFT JOIN leaderboard_snapshot AS e ON e.board_id = p_board_id
        WHERE l.level = v_level - 1
    ) AS n
    ON DUPLICATE KEY UPDATE
        standings = n.standings, entries = n.entries, divided = n.standings > n.capacity;

    WHILE v_level > 1 DO
        SET v_level = v_level - 1;

        INSERT INTO leaderboard_counters (
            board_id, level, parent, bucket, standings, entries, divided
        )
        SELECT
            p_board_id, MIN(l.level), r.bucket,
            IF(r.divided, k.standing_key >> l.child_shift << l.child_shift, k.standing_key)
                AS part,
            COUNT(*), SUM(k.entries), IF(r.divided, COUNT(*) > MIN(b.capacity), NULL)
        FROM leaderboard_levels AS l
        INNER JOIN leaderboard_levels AS u ON u.level = l.level + 1
        LEFT JOIN leaderboard_levels AS b ON b.level = l.level - 1
        STRAIGHT_JOIN (
            SELECT standing_key, COUNT(*) AS entries
            FROM leaderboard_snapshot
            WHERE board_id = p_board_id
            GROUP BY standing_key
        ) AS k
        STRAIGHT_JOIN leaderboard_counters AS r FORCE INDEX (PRIMARY)
            ON r.board_id = p_board_id
            AND r.level = u.level
            AND r.parent = k.standing_key >> u.shift << u.shift
            AND r.bucket = k.standing_key >> l.shift << l.shift
            AND r.divided IS NOT NULL       -- a standing may have the lowest key of a range
        WHERE l.level = v_level
        GROUP BY r.bucket, r.divided, part;
    END WHILE;
END$$

DELIMITER ;

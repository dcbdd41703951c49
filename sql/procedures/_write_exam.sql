SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_exam;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_exam(
    p_title             VARCHAR(200),
    p_weight_coding     DECIMAL(5, 2),
    p_weight_quiz       DECIMAL(5, 2),
    p_weight_assessment DECIMAL(5, 2),
    p_max_attempts      INT,
    p_attempt_policy    VARCHAR(20),
    p_starts_at         DATETIME(6),
    p_ends_at           DATETIME(6),
    p_duration_sec      INT
)
    RETURNS BIGINT UNSIGNED
    COMMENT 'Writes an exam and its board, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     No exam without a board: done or undone as a whole, by KILL QUERY too. See
    --              _write_submissions.
    -- Parameters:  the columns of exams, judged by create_exam
    -- Result:      exam_id
    -- Errors:      none
    -- Transaction: the caller's
    -- Locks:       the new rows
    -- Example:     SET v_exam_id = _write_exam('Exam', 50, 30, 20, 1, 'best', NULL, NULL, NULL);
    DECLARE v_exam_id BIGINT UNSIGNED;

    INSERT INTO exams (
        title, weight_coding, weight_quiz, weight_assessment, max_attempts, most_attempts,
        attempt_policy, starts_at, ends_at, duration_sec, created_at
    )
    VALUES (
        p_title, p_weight_coding, p_weight_quiz, p_weight_assessment, p_max_attempts,
        p_max_attempts, p_attempt_policy, p_starts_at, p_ends_at, p_duration_sec, UTC_TIMESTAMP(6)
    );
    SET v_exam_id = LAST_INSERT_ID();

    -- The chain of each board begins with a value of its own, so that no history fits another
    -- board.
    INSERT INTO leaderboards (exam_id, head_hash, changed_at)
    VALUES (
        v_exam_id, UNHEX(SHA2(CONCAT('podium board of exam ', v_exam_id), 256)),
        UTC_TIMESTAMP(6)
    );

    -- The tree of its counters begins with the whole board, empty. This row is the last of the
    -- board's: who looks into one tree locks no gap of another's.
    INSERT INTO leaderboard_counters (
        board_id, level, parent, bucket, standings, entries, divided
    )
    SELECT LAST_INSERT_ID(), MAX(level), 0, 0, 0, 0, FALSE
    FROM leaderboard_levels;

    RETURN v_exam_id;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.create_exam;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.create_exam(
    p_title             TEXT,
    p_weight_coding     DECIMAL(30, 15),
    p_weight_quiz       DECIMAL(30, 15),
    p_weight_assessment DECIMAL(30, 15),
    p_max_attempts      BIGINT,
    p_attempt_policy    VARCHAR(255),
    p_starts_at         VARCHAR(255),
    p_ends_at           VARCHAR(255),
    p_duration_sec      BIGINT
)
    COMMENT 'Creates an exam and its board'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     An exam with its weights, attempts and schedule, and the empty board it is
    --              ranked on.
    -- Parameters:  p_title           1 to 200 characters, none of which controls others
    --              p_weight_*        points out of 100, two decimals, summing to 100; all NULL: 50,
    --                                30, 20
    --              p_max_attempts    1 to 1000; NULL: 1
    --              p_attempt_policy  best, latest or first; NULL: best
    --              p_starts_at       a DATETIME in UTC, or RFC 3339; NULL: open at once
    --              p_ends_at         the same, after p_starts_at; NULL: never closes
    --              p_duration_sec    seconds for one attempt, above 0; NULL: unlimited
    -- Result sets: the columns of get_exam
    -- Errors:      title_invalid, weights_invalid, max_attempts_invalid, attempt_policy_invalid,
    --              schedule_invalid, time_invalid, duration_invalid; 1568 inside an open
    --              transaction
    -- Transaction: its own
    -- Locks:       the new rows
    -- Example:     CALL create_exam(
    --                  'Backend Challenge 2026', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    --              exam_id title                  weight_coding ... revision total_participants
    --                    1 Backend Challenge 2026         50.00 ...        0                  0
    DECLARE v_exam_id BIGINT UNSIGNED;
    DECLARE v_starts_at, v_ends_at DATETIME(6);
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET autocommit = 1, timestamp = DEFAULT;

    CALL _settle_session();

    IF p_weight_coding IS NULL AND p_weight_quiz IS NULL AND p_weight_assessment IS NULL THEN
        SET p_weight_coding = 50, p_weight_quiz = 30, p_weight_assessment = 20;
    END IF;
    CALL _require_weights(p_weight_coding, p_weight_quiz, p_weight_assessment);
    SET v_starts_at = _utc(p_starts_at, 'starts_at');
    SET v_ends_at = _utc(p_ends_at, 'ends_at');
    CALL _require_exam(
        p_title, p_max_attempts, p_attempt_policy, v_starts_at, v_ends_at, p_duration_sec);

    SET v_exam_id = _write_exam(
        p_title, p_weight_coding, p_weight_quiz, p_weight_assessment,
        COALESCE(p_max_attempts, 1), COALESCE(p_attempt_policy, 'best'),
        v_starts_at, v_ends_at, p_duration_sec);

    CALL get_exam(v_exam_id);
    SET autocommit = v_autocommit;
END$$

DELIMITER ;

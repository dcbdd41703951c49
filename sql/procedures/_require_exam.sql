SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._require_exam;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._require_exam(
    p_title          TEXT,
    p_max_attempts   BIGINT,
    p_attempt_policy VARCHAR(255),
    p_starts_at      DATETIME(6),
    p_ends_at        DATETIME(6),
    p_duration_sec   BIGINT
)
    COMMENT 'Refuses an exam that breaks a rule'
    DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The rules of the table's constraints, told in words, for new exams and changed
    --              ones. The weights have _require_weights.
    -- Parameters:  the columns of exams; NULL: the default of create_exam
    -- Result sets: none
    -- Errors:      title_invalid, max_attempts_invalid, attempt_policy_invalid, schedule_invalid,
    --              duration_invalid
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _require_exam('Exam', 0, 'best', NULL, NULL, NULL);
    --              ERROR 50203 (45000): max_attempts_invalid: max_attempts must be 1 to 1000
    IF _name_refusal('title', p_title) IS NOT NULL THEN
        CALL _raise('title_invalid', _name_refusal('title', p_title));
    END IF;
    IF p_max_attempts NOT BETWEEN 1 AND 1000 THEN
        CALL _raise('max_attempts_invalid', 'max_attempts must be 1 to 1000');
    END IF;
    IF p_attempt_policy COLLATE utf8mb4_0900_bin NOT IN ('best', 'latest', 'first') THEN
        CALL _raise('attempt_policy_invalid', 'attempt_policy must be best, latest or first');
    END IF;
    IF p_ends_at <= p_starts_at THEN
        CALL _raise('schedule_invalid', 'ends_at must be after starts_at');
    END IF;
    IF p_duration_sec NOT BETWEEN 1 AND 4194303 THEN
        CALL _raise('duration_invalid', 'duration_sec must be 1 to 4194303');
    END IF;
END$$

DELIMITER ;

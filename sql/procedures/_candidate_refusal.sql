SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._candidate_refusal;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._candidate_refusal(
    p_code       VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin,
    p_reason     VARCHAR(128),
    p_exam_id    BIGINT,
    p_user_id    BIGINT,
    p_actor_id   BIGINT,
    p_attempts   INT,
    p_attempt_no INT
)
    RETURNS VARCHAR(200)
    COMMENT 'What a refused candidate of an array is told'
    DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One wording for the rows of register_candidates and get_scores.
    -- Parameters:  p_code        of error_catalog; NULL: accepted
    --              p_reason      of _name_refusal, where a name is refused
    --              p_exam_id     of create_exam
    --              p_user_id     the candidate; NULL: nobody is called so yet
    --              p_actor_id    acting user, for not_own_session
    --              p_attempts    how many attempts there are
    --              p_attempt_no  the one that is asked for
    -- Result:      code and text; NULL where accepted
    -- Errors:      none
    -- Transaction: the caller's
    -- Locks:       none, called by a SELECT
    -- Example:     SELECT _candidate_refusal('exam_not_open', NULL, 1, NULL, NULL, 0, 1);
    --              exam_not_open: exam 1 starts at 2026-11-24 09:00:00.000000 UTC
    DECLARE v_who VARCHAR(40) DEFAULT COALESCE(CONCAT('user ', p_user_id), 'a new candidate');
    DECLARE v_starts_at, v_ends_at DATETIME(6);
    DECLARE v_max_attempts INT;

    IF p_code IN ('exam_not_open', 'exam_ended', 'attempts_exhausted') THEN
        SELECT starts_at, ends_at, max_attempts
        INTO v_starts_at, v_ends_at, v_max_attempts
        FROM exams
        WHERE exam_id = p_exam_id;
    END IF;

    RETURN CONCAT(p_code, ': ', CASE p_code
        WHEN 'candidates_invalid' THEN 'a candidate must be a JSON object'
        WHEN 'username_invalid' THEN p_reason
        WHEN 'full_name_invalid' THEN p_reason
        WHEN 'not_a_candidate' THEN CONCAT(
            v_who, ' is not a candidate: who runs exams takes none')
        WHEN 'attempt_no_invalid' THEN 'attempt_no must be a whole number from 1'
        WHEN 'not_own_session' THEN CONCAT(
            'user ', p_actor_id, ' is a candidate and starts their own sessions only')
        WHEN 'attempt_not_found' THEN CONCAT(
            v_who, ' has ', p_attempts, IF(p_attempts = 1, ' attempt', ' attempts'), ' at exam ',
            p_exam_id, ' and attempt ', p_attempt_no, ' cannot start now')
        WHEN 'exam_not_open' THEN CONCAT('exam ', p_exam_id, ' starts at ', v_starts_at, ' UTC')
        WHEN 'exam_ended' THEN CONCAT('exam ', p_exam_id, ' ended at ', v_ends_at, ' UTC')
        WHEN 'attempts_exhausted' THEN CONCAT(
            v_who,
            IF(v_max_attempts = 1, ' has used the one attempt', CONCAT(
                ' has used all ', v_max_attempts, ' attempts')),
            ' at exam ', p_exam_id)
    END);
END$$

DELIMITER ;

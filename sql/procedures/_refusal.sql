SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._refusal;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._refusal(
    p_code             VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin,
    p_session_id       BIGINT,
    p_exam_id          BIGINT,
    p_actor_id         BIGINT,
    p_expected_version BIGINT,
    p_current_version  INT UNSIGNED
)
    RETURNS VARCHAR(128)
    COMMENT 'What a refused submission is told'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One wording for the rows of submit_scores and the errors of submit_score.
    -- Parameters:  p_code             of error_catalog
    --              p_exam_id          NULL: the item was refused before its exam was looked at
    --              p_current_version  of the session, for version_conflict
    -- Result:      the text behind the code
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _refusal('version_conflict', 42, 1, NULL, 3, 5);
    --              session 42 is at version 5, not 3
    DECLARE v_session VARCHAR(40) DEFAULT CONCAT('session ', COALESCE(p_session_id, 'NULL'));

    RETURN CASE p_code
        WHEN 'submissions_invalid' THEN 'a submission must be a JSON object'
        WHEN 'module_unknown' THEN 'module_type must be coding, quiz or assessment'
        WHEN 'raw_score_invalid' THEN 'raw_score must be a number from 0 to max_score'
        WHEN 'max_score_invalid' THEN 'max_score must be a number above 0 and below 10000000000'
        WHEN 'time_spent_invalid'
            THEN 'time_spent_sec must be a whole number from 0; a session holds at most 4194303'
        WHEN 'details_invalid' THEN 'details must be a JSON object of at most 65535 bytes'
        WHEN 'expected_version_invalid' THEN 'expected_version must be a whole number from 0'
        WHEN 'submission_id_invalid' THEN 'submission_id must be 1 to 64 printable ASCII characters'
        WHEN 'request_id_invalid'
            THEN 'request_id must be 1 to 64 letters, digits, dots, dashes and underscores'
        WHEN 'role_invalid'
            THEN 'actor_role must be candidate, viewer, grader, moderator or admin'
        WHEN 'waited_ms_invalid' THEN 'waited_ms must be a whole number from 0 to 600000'
        WHEN 'forbidden' THEN COALESCE(
            CONCAT('exam ', p_exam_id, ' takes scores from graders only'),
            'viewers submit no scores')
        WHEN 'session_not_found' THEN CONCAT(v_session, ' does not exist')
        WHEN 'actor_not_found' THEN COALESCE(
            CONCAT('user ', p_actor_id, ' does not exist and cannot act'),
            'actor_id must be the number of a user')
        WHEN 'submission_id_reused'
            THEN 'this submission id came with other values before; take a new one'
        WHEN 'session_finished' THEN CONCAT(v_session, ' is finished')
        WHEN 'deadline_passed' THEN CONCAT('the deadline of ', v_session, ' has passed')
        WHEN 'version_conflict' THEN CONCAT(
            v_session, ' is at version ', p_current_version, ', not ', p_expected_version)
    END;
END$$

DELIMITER ;

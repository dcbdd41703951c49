SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.submit_score;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.submit_score(
    p_session_id       BIGINT,
    p_module_type      TEXT,
    p_raw_score        DECIMAL(65, 20),
    p_max_score        DECIMAL(65, 20),
    p_time_spent_sec   BIGINT,
    p_details          JSON,
    p_expected_version BIGINT,
    p_submission_id    TEXT,
    p_actor_id         BIGINT
)
    COMMENT 'Submits one module score'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     submit_scores for one submission, where a refusal is an error.
    -- Parameters:  p_session_id        of start_session
    --              p_module_type       coding, quiz or assessment
    --              p_raw_score         0 to p_max_score
    --              p_max_score         above 0
    --              p_time_spent_sec    seconds
    --              p_details           any JSON object; NULL: none
    --              p_expected_version  the session's version before this; NULL: whatever it is
    --              p_submission_id     1 to 64 printable ASCII characters; the same id again
    --                                  returns the first outcome and changes nothing; NULL: a new
    --                                  one
    --              p_actor_id          acting user; NULL: the MySQL account itself
    -- Result sets: one row with the columns of submit_scores
    -- Errors:      module_unknown, raw_score_invalid, max_score_invalid, time_spent_invalid,
    --              details_invalid, expected_version_invalid, submission_id_invalid,
    --              session_not_found, actor_not_found, forbidden,
    --              session_finished, deadline_passed, version_conflict,
    --              submission_id_reused; 1568 inside an open transaction
    -- Transaction: see submit_scores
    -- Locks:       the board, then the session and what is written
    -- Example:     CALL submit_score(1, 'coding', 85.5, 100, 2400, '{"test_cases_passed": 17}',
    --                                NULL, NULL, NULL);
    --              item_no status ... version revision rank total_score weighted_coding ...
    --                    0    200 ...       2        2    1     69.7500         42.7500 ...
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE v_items, v_refused, v_item JSON;
    DECLARE v_code VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET autocommit = 1, timestamp = DEFAULT;

    CALL _submit(
        JSON_ARRAY(JSON_OBJECT(
            'session_id', p_session_id,
            'module_type', p_module_type,
            'raw_score', p_raw_score,
            'max_score', p_max_score,
            'time_spent_sec', p_time_spent_sec,
            'details', p_details,
            'expected_version', p_expected_version,
            'submission_id', p_submission_id
        )),
        p_actor_id, v_items, v_refused
    );

    SET v_item = JSON_MERGE_PATCH(
        JSON_EXTRACT(v_items, '$[0]'), COALESCE(JSON_EXTRACT(v_refused, '$[0]'), JSON_OBJECT()));
    SET v_code = JSON_VALUE(v_item, '$.code');
    IF v_code <> 'replay' THEN
        CALL _raise(v_code, JSON_VALUE(v_item, '$.detail'));
    END IF;
    CALL _tell_submissions(v_items, v_refused);

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

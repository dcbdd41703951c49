SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.submit_scores;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.submit_scores(
    p_submissions JSON,
    p_actor_id    BIGINT
)
    COMMENT 'Submits an array of module scores; each succeeds or fails for itself'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Scores, audit rows, revision, board and ranks of up to 1000 submissions in one
    --              transaction. About as many statements run for 500 as for one.
    -- Parameters:  p_submissions  array of objects: session_id, module_type (coding, quiz,
    --                             assessment), raw_score, max_score, time_spent_sec (seconds);
    --                             optional: details (object), expected_version (of the session
    --                             before it), submission_id (makes it repeatable; default a new
    --                             one; an id of another session is another id), actor_id,
    --                             actor_role (a candidate submits for their own sessions, where the
    --                             exam lets candidates submit, a viewer not at all; default the
    --                             actor's role), actor_exam_ids (array: the exams that the actor is
    --                             confined to), request_id (1 to 64 letters, digits, dots, dashes
    --                             and underscores; kept in the audit log, so that its row is found
    --                             by what the logs say), waited_ms (0 to 600000: how long the item
    --                             had arrived before this call; a deadline is judged by the
    --                             arrival)
    --              p_actor_id     acting user of items without actor_id; NULL: the MySQL account
    --                             itself
    -- Result sets: one row per item, in order: item_no (from 0), status (200 or the HTTP status of
    --              the refusal), code, message (NULL where accepted), current_version (of a
    --              version_conflict), submission_id, replayed, exam_id, session_id, user_id,
    --              module_type, version, revision, and the candidate's entry on the board at that
    --              revision: rank, total_score, weighted_coding, weighted_quiz,
    --              weighted_assessment, total_time_sec; committed_at (of the revision)
    -- Errors:      submissions_invalid, too_many_items; 1568 inside an open transaction. What is
    --              wrong with one item is in its row: see error_catalog, 503xx and 504xx
    -- Transaction: its own, SERIALIZABLE, which ends with the call however it ends; after 1213 or
    --              1205 nothing has happened: try again. A call that is killed leaves autocommit on
    -- Locks:       the boards concerned in ascending order, then their sessions and what is written
    -- Example:     CALL submit_scores('[{"session_id": 1, "module_type": "quiz", "raw_score": 90,
    --                                    "max_score": 100, "time_spent_sec": 900}]', NULL);
    --              item_no status code message ... version revision rank total_score ...
    --                    0    200 NULL NULL    ...       1        1    1     27.0000 ...
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE v_items, v_refused JSON;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET autocommit = 1, timestamp = DEFAULT;

    CALL _submit(p_submissions, p_actor_id, v_items, v_refused);

    CALL _tell_submissions(v_items, v_refused);
    SET autocommit = v_autocommit;
END$$

DELIMITER ;

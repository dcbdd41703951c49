SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._submit;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._submit(
    p_submissions JSON,
    p_actor_id    BIGINT,
    OUT o_items   JSON,
    OUT o_refused JSON
)
    COMMENT 'Carries out an array of submissions in one SERIALIZABLE transaction'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one implementation of a submission. submit_score and submit_scores differ
    --              only in how they tell the outcome.
    -- Parameters:  p_submissions, p_actor_id  see submit_scores
    --              o_items    the items of _read_submissions. Accepted and replayed ones are found
    --                         in score_audit_log by session and submission_id
    --              o_refused  the items of _write_submissions that were refused under the lock
    -- Result sets: none
    -- Errors:      submissions_invalid, too_many_items; 1205 and 1213 after which nothing has
    --              happened and the caller may try again
    -- Transaction: one to read, READ COMMITTED, and one to write, SERIALIZABLE, each a statement;
    --              the caller has set autocommit
    -- Locks:       those of _write_submissions
    -- Example:     CALL _submit('[]', NULL, v_items, v_refused);
    -- The details of those that have any, an object by place in the array.
    DECLARE v_details JSON;

    -- As text and back: a DECIMAL or a date inside a JSON value of MySQL's does not survive a dump,
    -- and what is hashed has to.
    IF JSON_CONTAINS_PATH(p_submissions, 'one', '$[*].details') THEN
        SELECT JSON_OBJECTAGG(j.item_no - 1, CAST(CAST(j.details AS CHAR) AS JSON))
        INTO v_details
        FROM JSON_TABLE(
            p_submissions, '$[*]'
            COLUMNS (
                item_no FOR ORDINALITY,
                details JSON PATH '$.details'
            )
        ) AS j
        WHERE JSON_TYPE(j.details) = 'OBJECT';
    END IF;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SELECT _read_submissions(p_submissions, v_details, p_actor_id) INTO o_items;

    BEGIN
        -- The same submission id was committed by somebody else since it was looked up: look again
        -- under the board's lock. One that slips in for each attempt would keep a large array from
        -- ever coming through.
        DECLARE EXIT HANDLER FOR 1062
        BEGIN
            SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            SET o_refused = _write_submissions(o_items, v_details, TRUE);
        END;

        SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
        SET o_refused = _write_submissions(o_items, v_details, FALSE);
    END;
END$$

DELIMITER ;

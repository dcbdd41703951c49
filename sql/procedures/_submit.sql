SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._submit;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._submit(
    p_submissions JSON,
    p_actor_id    BIGINT
)
    COMMENT 'Carries out an array of submissions in one SERIALIZABLE transaction'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one implementation of a submission. submit_score and submit_scores differ
    --              only in how they tell the outcome, so this private routine, and no other, owns a
    --              transaction.
    -- Parameters:  see submit_scores
    -- Result sets: none; leaves a row per item in tmp_submissions. Accepted and replayed items are
    --              found in score_audit_log by their submission_id.
    -- Errors:      submissions_invalid, too_many_items; 1568 inside an open transaction; 1205 and
    --              1213 after which nothing has happened and the caller may try again
    -- Transaction: its own: READ COMMITTED to read, then SERIALIZABLE to write
    -- Locks:       _lock_submissions, _write_submissions, in this order
    -- Example:     CALL _submit('[]', NULL);
    DECLARE v_done BOOLEAN DEFAULT FALSE;
    DECLARE v_attempts INT DEFAULT 0;
    DECLARE v_accepted INT;
    DECLARE v_refused INT;
    DECLARE v_depending INT;
    DECLARE v_written BOOLEAN;

    -- First of all, outside of any handler: in somebody's open transaction this fails and touches
    -- nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    -- Again only where the same submission id was committed by somebody else since it was looked
    -- up.
    WHILE NOT v_done DO
        BEGIN
            DECLARE EXIT HANDLER FOR 1062
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                SET v_attempts = v_attempts + 1;
                IF v_attempts > 3 THEN
                    RESIGNAL;
                END IF;
                SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            END;
            DECLARE EXIT HANDLER FOR SQLEXCEPTION
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                RESIGNAL;
            END;

            START TRANSACTION;
            CALL _open_workspace(COALESCE(JSON_LENGTH(p_submissions), 0));
            CALL _read_submissions(p_submissions, p_actor_id);
            COMMIT AND NO CHAIN NO RELEASE;

            SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
            START TRANSACTION;
            CALL _lock_submissions();

            SELECT
                COALESCE(SUM(code IS NULL), 0), COALESCE(SUM(code IS NOT NULL), 0),
                COALESCE(SUM(depends), 0)
            INTO v_accepted, v_refused, v_depending
            FROM tmp_items;

            IF v_depending > 0 THEN
                CALL _decide_in_order();
                SELECT COALESCE(SUM(code IS NULL), 0), COALESCE(SUM(code IS NOT NULL), 0)
                INTO v_accepted, v_refused
                FROM tmp_items;
            END IF;

            IF v_refused > 0 THEN
                UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ tmp_submissions AS t
                INNER JOIN tmp_items AS i ON i.place = t.place
                SET t.replayed = i.code = 'replay',
                    t.code = NULLIF(i.code, 'replay'),
                    t.current_version = i.base_version
                WHERE i.code IS NOT NULL;
            END IF;

            IF v_accepted > 0 THEN
                SET v_written = _write_submissions();
            END IF;
            COMMIT AND NO CHAIN NO RELEASE;
            SET v_done = TRUE;
        END;
    END WHILE;
END$$

DELIMITER ;

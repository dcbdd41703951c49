SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.create_exam_once;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.create_exam_once(
    p_exam            JSON,
    p_idempotency_key TEXT,
    p_actor_id        BIGINT
)
    COMMENT 'Creates an exam with all its settings, once for each key'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     create_exam for callers who may have to repeat it, and for all that update_exam
    --              can set.
    -- Parameters:  p_exam             an object: title, and what else p_changes of update_exam may
    --                                 hold
    --              p_idempotency_key  1 to 64 printable ASCII characters, the caller's own. The
    --                                 same again with the same p_exam returns the exam that it
    --                                 created, as it stands now; NULL: none
    --              p_actor_id         acting user, whose key it is; NULL: the MySQL account itself
    -- Result sets: the columns of get_exam
    -- Errors:      idempotency_key_invalid, idempotency_key_reused, changes_invalid, time_invalid,
    --              title_invalid, weights_invalid, max_attempts_invalid, attempt_policy_invalid,
    --              schedule_invalid, duration_invalid, submissions_by_invalid,
    --              board_access_invalid, board_names_invalid; 1568 inside an open
    --              transaction; after 1213 nothing has happened: try again
    -- Transaction: one statement of its own, READ COMMITTED
    -- Locks:       the key, the new rows; a call with the same key is waited for
    -- Example:     CALL create_exam_once(
    --                  '{"title": "Finals", "board_access": "everyone"}', 'finals-1', NULL);
    --              exam_id title  weight_coding ... board_access ... revision total_participants
    --                    1 Finals         50.00 ... everyone     ...        0                  0
    DECLARE v_exam_id BIGINT UNSIGNED;
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

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET v_exam_id = _write_exam_once(p_exam, LEFT(p_idempotency_key, 1000), p_actor_id);

    CALL get_exam(v_exam_id);
    SET autocommit = v_autocommit;
END$$

DELIMITER ;

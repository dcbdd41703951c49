SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.update_exam;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.update_exam(
    p_exam_id  BIGINT,
    p_changes  JSON,
    p_actor_id BIGINT
)
    COMMENT 'Changes settings of an exam, and what follows from them'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Title, schedule, attempts, weights and access of an exam, in one commit and as
    --              one revision that names old and new values. What changes nothing makes no
    --              revision. All may change at any time. A moved end or another duration moves the
    --              deadlines of the attempts in progress; another policy or other weights rebuild
    --              the board.
    -- Parameters:  p_exam_id   of create_exam
    --              p_changes   an object with any of: title, weights (an object; modules left out
    --                          keep theirs), max_attempts, attempt_policy, starts_at, ends_at
    --                          (text such as 2026-12-01T09:00:00+01:00, without an offset UTC;
    --                          null: none), duration_sec (null: unlimited), submissions_by
    --                          (graders, candidates), board_access (everyone, signed_in,
    --                          participants, staff), board_names (full, username, hidden)
    --              p_actor_id  acting user; NULL: the MySQL account itself
    -- Result sets: the columns of get_exam
    -- Errors:      exam_not_found, changes_invalid, time_invalid, title_invalid, weights_invalid,
    --              max_attempts_invalid, attempt_policy_invalid, schedule_invalid,
    --              duration_invalid, submissions_by_invalid, board_access_invalid,
    --              board_names_invalid; 1568 inside an open transaction
    -- Transaction: one statement of its own, READ COMMITTED. With another policy or other
    --              weights its length grows with the exam; submissions wait
    -- Locks:       the board, the exam, then what follows from the change
    -- Example:     CALL update_exam(1, '{"submissions_by": "candidates"}', NULL);
    --              exam_id title                  ... submissions_by board_access board_names ...
    --                    1 Backend Challenge 2026 ... candidates     signed_in    full        ...
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_changed BOOLEAN;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET autocommit = 1, timestamp = DEFAULT;

    CALL _find_board(p_exam_id, v_board_id);

    -- Stricter, it would lock the gaps between its rows, and so strangers' sessions and scores. All
    -- that writes a board holds its lock.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET v_changed = _write_settings(v_board_id, p_changes, p_actor_id);

    CALL get_exam(p_exam_id);
    SET autocommit = v_autocommit;
END$$

DELIMITER ;

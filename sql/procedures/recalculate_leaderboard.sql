SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.recalculate_leaderboard;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.recalculate_leaderboard(
    p_exam_id  BIGINT,
    p_actor_id BIGINT
)
    COMMENT 'Rebuilds the board of an exam from its raw scores'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Repair: weighted scores, totals, entries and counters are computed anew. Nothing
    --              raw and no history changes.
    -- Parameters:  p_exam_id   of create_exam
    --              p_actor_id  acting user; NULL: the MySQL account itself
    -- Result sets: exam_id, revision, total_participants, changed_at
    -- Errors:      exam_not_found; 1568 inside an open transaction
    -- Transaction: its own, READ COMMITTED. Its length grows with the exam; submissions wait.
    -- Locks:       the board, then all of the exam's sessions, module scores, entries and counters
    -- Example:     CALL recalculate_leaderboard(1, NULL);
    --              exam_id revision total_participants changed_at
    --                    1        4                842 2026-11-25 00:14:45.432311
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_written BOOLEAN;
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
    SET v_written = _revise_board(v_board_id, NULL, NULL, NULL, p_actor_id);

    SELECT exam_id, revision, total_participants, changed_at
    FROM leaderboards
    WHERE board_id = v_board_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

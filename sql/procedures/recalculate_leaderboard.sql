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
    -- Transaction: its own, SERIALIZABLE. Its length grows with the exam; submissions wait.
    -- Locks:       the board, then all of the exam's sessions, module scores, entries and counters
    -- Example:     CALL recalculate_leaderboard(1, NULL);
    --              exam_id revision total_participants changed_at
    --                    1        4                842 2026-11-25 00:14:45.432311
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_written BOOLEAN;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION;
        CALL _settle_session();
        CALL _find_board(p_exam_id, v_board_id);
        COMMIT AND NO CHAIN NO RELEASE;

        SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
        START TRANSACTION;
        SET v_board_id = (SELECT board_id FROM leaderboards WHERE board_id = v_board_id FOR UPDATE);
        SET v_written = _revise_board(v_board_id, NULL, NULL, NULL, p_actor_id);
        COMMIT AND NO CHAIN NO RELEASE;
    END;

    SELECT exam_id, revision, total_participants, changed_at
    FROM leaderboards
    WHERE board_id = v_board_id;

    COMMIT AND NO CHAIN NO RELEASE;     -- of this SELECT, on a connection without autocommit
END$$

DELIMITER ;

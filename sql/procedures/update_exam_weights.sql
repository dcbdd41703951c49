SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.update_exam_weights;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.update_exam_weights(
    p_exam_id           BIGINT,
    p_weight_coding     DECIMAL(30, 15),
    p_weight_quiz       DECIMAL(30, 15),
    p_weight_assessment DECIMAL(30, 15),
    p_actor_id          BIGINT
)
    COMMENT 'Changes the weights of an exam and recalculates its board'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     New weights and the board they give, in one commit.
    -- Parameters:  p_exam_id   of create_exam
    --              p_weight_*  points out of 100, two decimals, summing to 100
    --              p_actor_id  acting user; NULL: the MySQL account itself
    -- Result sets: the columns of get_exam
    -- Errors:      exam_not_found, weights_invalid; 1568 inside an open transaction
    -- Transaction: its own, READ COMMITTED. Its length grows with the exam; submissions wait.
    -- Locks:       the board, the exam, then all of its sessions, module scores, entries and
    --              counters
    -- Example:     CALL update_exam_weights(1, 40, 40, 20, NULL);
    --              exam_id title                  weight_coding ... revision total_participants
    --                    1 Backend Challenge 2026         40.00 ...        5                842
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
    CALL _require_weights(p_weight_coding, p_weight_quiz, p_weight_assessment);

    -- Stricter, it would lock the gaps between its rows, and so strangers' sessions and scores. All
    -- that writes a board holds its lock.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET v_written = _revise_board(
        v_board_id, p_weight_coding, p_weight_quiz, p_weight_assessment, p_actor_id);

    CALL get_exam(p_exam_id);
    SET autocommit = v_autocommit;
END$$

DELIMITER ;

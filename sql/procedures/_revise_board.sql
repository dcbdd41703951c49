SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._revise_board;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._revise_board(
    p_board_id          BIGINT UNSIGNED,
    p_weight_coding     DECIMAL(5, 2),
    p_weight_quiz       DECIMAL(5, 2),
    p_weight_assessment DECIMAL(5, 2),
    p_actor_id          BIGINT
)
    RETURNS BOOLEAN
    COMMENT 'Rebuilds a board, with new weights or the old ones, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Weights, all that is derived from them, and the revision: done or undone as a
    --              whole, by KILL QUERY too. See _write_submissions.
    -- Parameters:  p_board_id  of leaderboards
    --              p_weight_*  of the exam from now on; all NULL: as they are
    --              p_actor_id  acting user; NULL: the MySQL account itself
    -- Result:      TRUE
    -- Errors:      none
    -- Transaction: the statement's own, READ COMMITTED; called by SET, as _write_submissions is
    -- Locks:       FOR UPDATE, the board, and the exam where its weights change; then those of
    --              _rebuild_board
    -- Example:     SET v_written = _revise_board(1, 40, 40, 20, NULL);
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_details JSON;

    SELECT board_id INTO v_board_id
    FROM leaderboards
    WHERE board_id = p_board_id
    FOR UPDATE;

    IF p_weight_coding IS NOT NULL THEN
        SELECT JSON_OBJECT(
            'old', JSON_OBJECT(
                'coding', e.weight_coding, 'quiz', e.weight_quiz,
                'assessment', e.weight_assessment),
            'new', JSON_OBJECT(
                'coding', p_weight_coding, 'quiz', p_weight_quiz,
                'assessment', p_weight_assessment))
        INTO v_details
        FROM leaderboards AS b
        INNER JOIN exams AS e ON e.exam_id = b.exam_id
        WHERE b.board_id = p_board_id
        FOR UPDATE;

        UPDATE exams
        SET weight_coding = p_weight_coding,
            weight_quiz = p_weight_quiz,
            weight_assessment = p_weight_assessment
        WHERE exam_id = (SELECT exam_id FROM leaderboards WHERE board_id = p_board_id);
    END IF;

    CALL _rebuild_board(p_board_id);
    CALL _advance_board(
        p_board_id, IF(p_weight_coding IS NULL, 'recalculation', 'weights'), p_actor_id, v_details);

    RETURN TRUE;
END$$

DELIMITER ;

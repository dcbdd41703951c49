SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._require_reader;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._require_reader(
    p_exam_id      BIGINT,
    p_viewer_id    BIGINT,
    p_viewer_role  VARCHAR(20),
    OUT o_board_id BIGINT UNSIGNED,
    OUT o_names    VARCHAR(20)
)
    COMMENT 'Finds the board of an exam for somebody who may read it'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Whoever may not read a board is told what they would be of an exam that does not
    --              exist.
    -- Parameters:  p_exam_id      of create_exam
    --              p_viewer_id    see _sees_board
    --              p_viewer_role  see _sees_board
    --              o_board_id     of leaderboards
    --              o_names        board_names as it holds for the viewer: full for graders
    -- Result sets: none
    -- Errors:      exam_not_found
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _require_reader(1, 7, 'candidate', @board_id, @names);
    DECLARE v_sees BOOLEAN;

    CALL _find_board(p_exam_id, o_board_id);

    SELECT
        _sees_board(e.board_access, e.exam_id, p_viewer_id, p_viewer_role),
        IF(COALESCE(p_viewer_role, 'admin') IN ('grader', 'moderator', 'admin'),
           'full', e.board_names)
    INTO v_sees, o_names
    FROM exams AS e
    WHERE e.exam_id = p_exam_id;

    IF NOT v_sees THEN
        CALL _raise('exam_not_found', CONCAT('exam ', p_exam_id, ' does not exist'));
    END IF;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._find_board;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._find_board(
    p_exam_id      BIGINT,
    OUT o_board_id BIGINT UNSIGNED
)
    COMMENT 'Finds the board of an exam'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     An exam and its board are created together and last; every call that names an
    --              exam begins here.
    -- Parameters:  p_exam_id   of create_exam
    --              o_board_id  of leaderboards
    -- Result sets: none
    -- Errors:      exam_not_found
    -- Transaction: the caller's
    -- Locks:       none, or shared on the board inside a SERIALIZABLE transaction
    -- Example:     CALL _find_board(1, @board_id);
    -- Not SET: outside of a SELECT InnoDB reads the newest rows and locks them, in any isolation.
    SELECT (SELECT board_id FROM leaderboards WHERE exam_id = p_exam_id) INTO o_board_id;

    IF o_board_id IS NULL THEN
        CALL _raise('exam_not_found',
                    CONCAT('exam ', COALESCE(p_exam_id, 'NULL'), ' does not exist'));
    END IF;
END$$

DELIMITER ;

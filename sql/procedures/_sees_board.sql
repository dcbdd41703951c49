SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._sees_board;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._sees_board(
    p_board_access VARCHAR(20),
    p_exam_id      BIGINT UNSIGNED,
    p_viewer_id    BIGINT,
    p_viewer_role  VARCHAR(20)
)
    RETURNS BOOLEAN
    COMMENT 'Tells whether somebody may read the board of an exam'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one place that says what board_access means.
    -- Parameters:  p_board_access  of the exam
    --              p_exam_id       of exams
    --              p_viewer_id     who reads
    --              p_viewer_role   candidate, viewer, grader, moderator, admin; nobody: there is no
    --                              token; NULL: the MySQL account itself, which may
    -- Result:      TRUE or FALSE; any other role is as good as none
    -- Errors:      none
    -- Locks:       none, called by a SELECT
    -- Example:     SELECT _sees_board('participants', 1, 7, 'candidate');
    RETURN CASE
        WHEN p_viewer_role IS NULL OR p_viewer_role IN ('grader', 'moderator', 'admin') THEN TRUE
        WHEN p_board_access = 'everyone' THEN TRUE
        WHEN p_viewer_role NOT IN ('candidate', 'viewer') THEN FALSE
        WHEN p_board_access = 'signed_in' THEN TRUE
        WHEN p_board_access = 'participants' AND p_viewer_role = 'candidate' THEN EXISTS (
            SELECT 1 FROM exam_sessions WHERE exam_id = p_exam_id AND user_id = p_viewer_id
        )
        ELSE FALSE
    END;
END$$

DELIMITER ;

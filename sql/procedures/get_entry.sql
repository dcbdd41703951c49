SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_entry;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_entry(
    p_exam_id BIGINT,
    p_user_id BIGINT
)
    COMMENT 'Reads the entry of one candidate'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Where somebody stands, without a page around it.
    -- Parameters:  p_exam_id  of create_exam
    --              p_user_id  of create_user
    -- Result sets: exam_id, revision, rank, user_id, username, full_name, total_score,
    --              weighted_coding, weighted_quiz, weighted_assessment, total_time_sec, session_id,
    --              attempt_no, changed_at (of the board)
    -- Errors:      exam_not_found, entry_not_found; 1568 inside an open transaction
    -- Transaction: one statement of its own: entry, rank and revision are of one moment
    -- Locks:       none
    -- Example:     CALL get_entry(1, 1);
    --              exam_id revision rank user_id username full_name  total_score ...
    --                    1        3    1       1 alice    Alice Chen     83.7500 ...
    CALL view_entry(p_exam_id, p_user_id, NULL, NULL);
END$$

DELIMITER ;

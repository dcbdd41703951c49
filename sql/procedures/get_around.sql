SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_around;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_around(
    p_exam_id BIGINT,
    p_user_id BIGINT,
    p_window  BIGINT
)
    COMMENT 'Reads the entries above and below a candidate'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The candidate's own entry with its neighbours in board order.
    -- Parameters:  p_exam_id  of create_exam
    --              p_user_id  in the middle
    --              p_window   1 to 100 entries on each side, fewer at the ends of the board; NULL:
    --                         5
    -- Result sets: 1: exam_id, exam_title, total_participants, user_id, window, revision,
    --                 changed_at
    --              2: rank, user_id, username, full_name, total_score, total_time_sec, by rank and
    --                 user_id
    -- Errors:      exam_not_found, entry_not_found, window_invalid; 1568 inside an open transaction
    -- Transaction: one statement of its own, REPEATABLE READ
    -- Locks:       none
    -- Example:     CALL get_around(1, 1, 1);
    --              exam_id exam_title             total_participants user_id window revision ...
    --                    1 Backend Challenge 2026                842       1      1     1187 ...
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    --                 2       2 bob      Bob Stone      94.0000           3100
    CALL view_around(p_exam_id, p_user_id, p_window, NULL, NULL);
END$$

DELIMITER ;

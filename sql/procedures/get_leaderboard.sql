SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_leaderboard;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_leaderboard(
    p_exam_id  BIGINT,
    p_page     BIGINT,
    p_per_page BIGINT,
    p_user_id  BIGINT
)
    COMMENT 'Reads a page of a board, with somebody''s own entry'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The board, page by page; all three result sets are of the revision in the first.
    -- Parameters:  p_exam_id   of create_exam
    --              p_page      from 1; NULL: 1. A page past the end is empty
    --              p_per_page  1 to 200 entries; NULL: 50
    --              p_user_id   whose own entry to add; NULL: nobody's
    -- Result sets: 1: exam_id, exam_title, total_participants, page, per_page, revision,
    --                 changed_at, epoch (16 hexadecimal digits of the revision's hash: tell it from
    --                 one of the same number before a restore)
    --              2: rank, user_id, username, full_name, total_score, total_time_sec, by rank and
    --                 user_id
    --              3: the same columns for p_user_id; no row where he is not on the board
    -- Errors:      exam_not_found, page_invalid, per_page_invalid; 1568 inside an open transaction
    -- Transaction: one statement of its own, REPEATABLE READ
    -- Locks:       none
    -- Example:     CALL get_leaderboard(1, 1, 50, 1);
    --              exam_id exam_title             total_participants page per_page revision ...
    --                    1 Backend Challenge 2026                842    1       50     1187 ...
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    CALL view_leaderboard(p_exam_id, p_page, p_per_page, p_user_id, NULL, NULL);
END$$

DELIMITER ;

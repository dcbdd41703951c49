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
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_exists BOOLEAN;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1;

    CALL _find_board(p_exam_id, v_board_id);

    -- Not IF EXISTS: see _find_board.
    SELECT EXISTS (
        SELECT 1 FROM leaderboard_snapshot WHERE board_id = v_board_id AND user_id = p_user_id
    ) INTO v_exists;
    IF NOT v_exists THEN
        CALL _raise('entry_not_found', CONCAT(
            'user ', COALESCE(p_user_id, 'NULL'), ' has no score in exam ', p_exam_id));
    END IF;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SELECT
        b.exam_id,
        b.revision,
        _rank(e.board_id, e.standing_key) AS `rank`,
        e.user_id,
        u.username,
        u.full_name,
        e.total_score,
        COALESCE(s.weighted_coding, 0) AS weighted_coding,
        COALESCE(s.weighted_quiz, 0) AS weighted_quiz,
        COALESCE(s.weighted_assessment, 0) AS weighted_assessment,
        e.total_time_sec,
        e.session_id,
        s.attempt_no,
        b.changed_at
    FROM leaderboard_snapshot AS e
    INNER JOIN leaderboards AS b ON b.board_id = e.board_id
    INNER JOIN users AS u ON u.user_id = e.user_id
    INNER JOIN exam_sessions AS s ON s.session_id = e.session_id
    WHERE e.board_id = v_board_id AND e.user_id = p_user_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.view_entry;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.view_entry(
    p_exam_id     BIGINT,
    p_user_id     BIGINT,
    p_viewer_id   BIGINT,
    p_viewer_role VARCHAR(20)
)
    COMMENT 'Reads the entry of one candidate as somebody may see it'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     get_entry as somebody may see it: of others it tells what a board shows.
    -- Parameters:  p_exam_id      of create_exam
    --              p_user_id      of create_user
    --              p_viewer_id    who reads; a candidate sees their own names whatever is hidden
    --              p_viewer_role  candidate, viewer, grader, moderator, admin; nobody: there is no
    --                             token; NULL: the MySQL account itself, which sees all
    -- Result sets: the columns of get_entry. The weighted ones, session_id and attempt_no are NULL
    --              where the entry is somebody else's and the viewer no grader
    -- Errors:      exam_not_found (also where they may not read the board), entry_not_found; 1568
    --              inside an open transaction
    -- Transaction: one statement of its own: entry, rank and revision are of one moment
    -- Locks:       none
    -- Example:     CALL view_entry(1, 1, 2, 'candidate');
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_names VARCHAR(20);
    DECLARE v_exists, v_is_own, v_tells_all BOOLEAN;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1;

    CALL _require_reader(p_exam_id, p_viewer_id, p_viewer_role, v_board_id, v_names);
    SET v_is_own = COALESCE(p_user_id = p_viewer_id, FALSE);
    SET v_tells_all = v_is_own
        OR COALESCE(p_viewer_role, 'admin') IN ('grader', 'moderator', 'admin');

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
        IF(v_names = 'hidden' AND NOT v_is_own, CONCAT('candidate-', u.user_id), u.username)
            AS username,
        CASE
            WHEN v_names = 'full' OR v_is_own THEN u.full_name
            WHEN v_names = 'username' THEN u.username
            ELSE CONCAT('Candidate ', u.user_id)
        END AS full_name,
        e.total_score,
        IF(v_tells_all, COALESCE(s.weighted_coding, 0), NULL) AS weighted_coding,
        IF(v_tells_all, COALESCE(s.weighted_quiz, 0), NULL) AS weighted_quiz,
        IF(v_tells_all, COALESCE(s.weighted_assessment, 0), NULL) AS weighted_assessment,
        e.total_time_sec,
        IF(v_tells_all, e.session_id, NULL) AS session_id,
        IF(v_tells_all, s.attempt_no, NULL) AS attempt_no,
        b.changed_at
    FROM leaderboard_snapshot AS e
    INNER JOIN leaderboards AS b ON b.board_id = e.board_id
    INNER JOIN users AS u ON u.user_id = e.user_id
    INNER JOIN exam_sessions AS s ON s.session_id = e.session_id
    WHERE e.board_id = v_board_id AND e.user_id = p_user_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

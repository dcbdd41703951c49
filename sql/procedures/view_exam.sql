SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.view_exam;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.view_exam(
    p_exam_id     BIGINT,
    p_viewer_id   BIGINT,
    p_viewer_role VARCHAR(20)
)
    COMMENT 'Reads one exam as somebody may see it'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     get_exam as somebody may see it. Exams are seen by those who may read their
    --              boards, and by all candidates, who may be about to sit them.
    -- Parameters:  p_exam_id      of create_exam
    --              p_viewer_id    who reads
    --              p_viewer_role  candidate, viewer, grader, moderator, admin; nobody: there is no
    --                             token; NULL: the MySQL account itself, which sees all
    -- Result sets: the columns of get_exam. revision, total_participants and changed_at are NULL
    --              for a candidate who may not read the board
    -- Errors:      exam_not_found (also where they may not see it); 1568 inside an open transaction
    -- Transaction: statements of their own
    -- Locks:       none
    -- Example:     CALL view_exam(1, 2, 'candidate');
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

    -- Not IF EXISTS: see _find_board.
    SELECT EXISTS (
        SELECT 1
        FROM exams AS e
        WHERE e.exam_id = p_exam_id
            AND (
                p_viewer_role = 'candidate'
                OR _sees_board(e.board_access, e.exam_id, p_viewer_id, p_viewer_role)
            )
    ) INTO v_exists;
    IF NOT v_exists THEN
        CALL _raise('exam_not_found',
                    CONCAT('exam ', COALESCE(p_exam_id, 'NULL'), ' does not exist'));
    END IF;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SELECT
        e.exam_id, e.title, e.weight_coding, e.weight_quiz, e.weight_assessment, e.max_attempts,
        e.attempt_policy, e.starts_at, e.ends_at, e.duration_sec, e.submissions_by, e.board_access,
        e.board_names, e.created_at,
        IF(s.sees, b.revision, NULL) AS revision,
        IF(s.sees, b.total_participants, NULL) AS total_participants,
        IF(s.sees, b.changed_at, NULL) AS changed_at
    FROM exams AS e
    INNER JOIN leaderboards AS b ON b.exam_id = e.exam_id
    INNER JOIN LATERAL (
        SELECT _sees_board(e.board_access, e.exam_id, p_viewer_id, p_viewer_role) AS sees
    ) AS s
    WHERE e.exam_id = p_exam_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

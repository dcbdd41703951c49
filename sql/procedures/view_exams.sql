SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.view_exams;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.view_exams(
    p_after       BIGINT,
    p_limit       BIGINT,
    p_exam_ids    JSON,
    p_viewer_id   BIGINT,
    p_viewer_role VARCHAR(20)
)
    COMMENT 'Lists the exams that somebody may see'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     list_exams as somebody may see it; see view_exam.
    -- Parameters:  p_after        exam_id to go on behind; NULL: from the first
    --              p_limit        1 to 1000 rows; NULL: 100
    --              p_exam_ids     array of exams that the viewer is confined to; NULL: not confined
    --              p_viewer_id    who reads
    --              p_viewer_role  candidate, viewer, grader, moderator, admin; nobody: there is no
    --                             token; NULL: the MySQL account itself, which sees all
    -- Result sets: the columns of view_exam, by exam_id
    -- Errors:      limit_invalid; 1568 inside an open transaction
    -- Transaction: statements of their own
    -- Locks:       none
    -- Example:     CALL view_exams(NULL, 10, NULL, 2, 'candidate');
    DECLARE v_limit INT DEFAULT 100;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1;

    IF p_limit NOT BETWEEN 1 AND 1000 THEN
        CALL _raise('limit_invalid', 'limit must be 1 to 1000');
    END IF;
    SET v_limit = COALESCE(p_limit, v_limit);

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
    WHERE e.exam_id > COALESCE(p_after, 0)
        AND (p_exam_ids IS NULL OR e.exam_id MEMBER OF (p_exam_ids))
        AND (s.sees OR p_viewer_role = 'candidate')
    ORDER BY e.exam_id
    LIMIT v_limit;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

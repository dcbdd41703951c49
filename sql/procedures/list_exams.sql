SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.list_exams;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.list_exams(
    p_after BIGINT,
    p_limit BIGINT
)
    COMMENT 'Lists exams'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     All exams, page by page.
    -- Parameters:  p_after  exam_id to go on behind; NULL: from the first
    --              p_limit  1 to 1000 rows; NULL: 100
    -- Result sets: the columns of get_exam, by exam_id
    -- Errors:      limit_invalid; 1568 inside an open transaction
    -- Transaction: statements of their own
    -- Locks:       none
    -- Example:     CALL list_exams(NULL, 10);
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
        e.board_names, e.created_at, b.revision, b.total_participants, b.changed_at
    FROM exams AS e
    INNER JOIN leaderboards AS b ON b.exam_id = e.exam_id
    WHERE e.exam_id > COALESCE(p_after, 0)
    ORDER BY e.exam_id
    LIMIT v_limit;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

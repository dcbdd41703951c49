SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_session_exams;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_session_exams(
    p_session_ids JSON
)
    COMMENT 'Tells which exams sessions belong to'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Whose lock a submission will wait for, before it waits: a gateway keeps the
    --              submissions of one exam apart from those of the others.
    -- Parameters:  p_session_ids  array of ids of start_session, at most 1,000
    -- Result sets: session_id, exam_id; no row of a session that does not exist
    -- Errors:      too_many_items; 1568 inside an open transaction
    -- Transaction: one statement of its own
    -- Locks:       none
    -- Example:     CALL get_session_exams('[1, 99]');
    --              session_id exam_id
    --                       1       1
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1;

    IF JSON_LENGTH(p_session_ids) > 1000 THEN
        CALL _raise('too_many_items', CONCAT(
            JSON_LENGTH(p_session_ids), ' sessions, at most 1000 go in one array'));
    END IF;

    SELECT
        s.session_id,
        s.exam_id
    FROM JSON_TABLE(
        p_session_ids, '$[*]' COLUMNS (session_id BIGINT PATH '$' NULL ON ERROR)
    ) AS asked
    INNER JOIN exam_sessions AS s ON s.session_id = asked.session_id
    GROUP BY s.session_id
    ORDER BY s.session_id;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._exam_settings;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._exam_settings(
    p_exam_id BIGINT UNSIGNED
)
    RETURNS JSON
    COMMENT 'What update_exam can change, as it stands'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One shape for what a change is laid over, for telling whether it changes
    --              anything, and for the history.
    -- Parameters:  p_exam_id  of exams; NULL: what a new one has where nothing else is said
    -- Result:      an object, its keys those of p_changes of update_exam; times as text, the
    --              weights as an object. As it is after a dump and its restore: decimals inside
    --              JSON come back as doubles
    -- Errors:      none
    -- Locks:       none, or shared on the exam inside a SERIALIZABLE transaction
    -- Example:     SELECT _exam_settings(1);
    --              {"title": "Backend Challenge 2026", "ends_at": null, "weights": ...}
    IF p_exam_id IS NULL THEN
        RETURN JSON_OBJECT(
            'title', '', 'weights', JSON_OBJECT('coding', 50, 'quiz', 30, 'assessment', 20),
            'max_attempts', 1, 'attempt_policy', 'best', 'starts_at', NULL, 'ends_at', NULL,
            'duration_sec', NULL, 'submissions_by', 'graders', 'board_access', 'signed_in',
            'board_names', 'full');
    END IF;

    RETURN (
        SELECT CAST(CAST(JSON_OBJECT(
            'title', title,
            'weights', JSON_OBJECT(
                'coding', weight_coding, 'quiz', weight_quiz, 'assessment', weight_assessment),
            'max_attempts', max_attempts,
            'attempt_policy', attempt_policy,
            'starts_at', CAST(starts_at AS CHAR),
            'ends_at', CAST(ends_at AS CHAR),
            'duration_sec', duration_sec,
            'submissions_by', submissions_by,
            'board_access', board_access,
            'board_names', board_names
        ) AS CHAR) AS JSON)
        FROM exams
        WHERE exam_id = p_exam_id
    );
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_exam_once;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_exam_once(
    p_exam     JSON,
    p_key      VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_actor_id BIGINT
)
    RETURNS BIGINT UNSIGNED
    COMMENT 'Writes an exam with all its settings, unless its key has one, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Key, exam, settings and board: done or undone as a whole, by KILL QUERY too. See
    --              _write_submissions.
    -- Parameters:  see create_exam_once
    -- Result:      exam_id
    -- Errors:      those of create_exam_once
    -- Locks:       the key, the new rows
    -- Example:     SET v_exam_id = _write_exam_once('{"title": "Exam"}', NULL, NULL);
    DECLARE v_exam_id BIGINT UNSIGNED DEFAULT
        _claim_key('exam', p_actor_id, p_key, p_exam);
    DECLARE v_exam JSON;

    IF v_exam_id IS NULL THEN
        -- The title alone has no default. Judged before anything is written: a refusal would use up
        -- an id.
        SET v_exam = IF(
            JSON_TYPE(p_exam) = 'OBJECT', JSON_MERGE_PATCH('{"title": ""}', p_exam), p_exam);
        CALL _apply_settings(NULL, _exam_settings(NULL), v_exam);
        SET v_exam_id = _write_exam('An exam', 50, 30, 20, 1, 'best', NULL, NULL, NULL);
        CALL _apply_settings(v_exam_id, _exam_settings(v_exam_id), v_exam);
        CALL _keep_key('exam', p_actor_id, p_key, v_exam_id);
    END IF;

    RETURN v_exam_id;
END$$

DELIMITER ;

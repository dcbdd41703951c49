SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_settings;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_settings(
    p_board_id BIGINT UNSIGNED,
    p_changes  JSON,
    p_actor_id BIGINT
)
    RETURNS BOOLEAN
    COMMENT 'Changes settings of an exam and what follows from them, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Settings, deadlines, board and revision: done or undone as a whole, by KILL
    --              QUERY too. See _write_submissions.
    -- Parameters:  p_board_id  of leaderboards
    --              p_changes   see update_exam
    --              p_actor_id  acting user; NULL: the MySQL account itself
    -- Result:      whether anything was changed
    -- Errors:      those of update_exam but for exam_not_found
    -- Transaction: the statement's own, READ COMMITTED; called by SET, as _write_submissions is
    -- Locks:       the board, its exam; where a schedule changes, the sessions in progress; where
    --              weights or the policy change, those of _rebuild_board
    -- Example:     SET v_changed = _write_settings(1, '{"title": "Finals"}', NULL);
    DECLARE v_exam_id BIGINT UNSIGNED;
    DECLARE v_old, v_new, v_old_details, v_new_details JSON;

    SELECT exam_id INTO v_exam_id
    FROM leaderboards
    WHERE board_id = p_board_id
    FOR UPDATE;
    SELECT exam_id INTO v_exam_id
    FROM exams
    WHERE exam_id = v_exam_id
    FOR UPDATE;
    SET v_old = _exam_settings(v_exam_id);

    CALL _apply_settings(v_exam_id, v_old, p_changes);
    SET v_new = _exam_settings(v_exam_id);

    SELECT
        JSON_OBJECTAGG(k.name, JSON_EXTRACT(v_old, CONCAT('$.', k.name))),
        JSON_OBJECTAGG(k.name, JSON_EXTRACT(v_new, CONCAT('$.', k.name)))
    INTO v_old_details, v_new_details
    FROM JSON_TABLE(
        JSON_KEYS(v_new), '$[*]' COLUMNS (name VARCHAR(20) CHARACTER SET ascii PATH '$')
    ) AS k
    WHERE JSON_EXTRACT(v_old, CONCAT('$.', k.name)) <> JSON_EXTRACT(v_new, CONCAT('$.', k.name));

    IF v_new_details IS NULL THEN
        RETURN FALSE;
    END IF;

    IF JSON_CONTAINS_PATH(v_new_details, 'one', '$.ends_at', '$.duration_sec') THEN
        UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ exams AS e
        STRAIGHT_JOIN exam_sessions AS s FORCE INDEX (uq_exam_sessions_exam_user_attempt)
            ON s.exam_id = e.exam_id
        SET s.deadline_at = _deadline(s.started_at, e.duration_sec, e.ends_at)
        WHERE e.exam_id = v_exam_id AND s.status = 'in_progress';
    END IF;
    IF JSON_CONTAINS_PATH(v_new_details, 'one', '$.weights', '$.attempt_policy') THEN
        CALL _rebuild_board(p_board_id);
    END IF;
    CALL _advance_board(
        p_board_id, 'settings', p_actor_id,
        JSON_OBJECT('old', v_old_details, 'new', v_new_details));

    RETURN TRUE;
END$$

DELIMITER ;

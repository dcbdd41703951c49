SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_session_once;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_session_once(
    p_exam_id    BIGINT,
    p_user_id    BIGINT,
    p_key        VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_actor_id   BIGINT,
    p_actor_role VARCHAR(20)
)
    RETURNS JSON
    COMMENT 'Starts an attempt, unless its key has one, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Key and session: done or undone as a whole, by KILL QUERY too. See
    --              _write_submissions. The session that is in progress keeps the key as well: it
    --              may be finished before the call is repeated.
    -- Parameters:  see start_session_once
    -- Result:      that of _write_session; without created where the key has its session already
    -- Errors:      those of start_session_once, and 1062 as of _write_session
    -- Transaction: the statement's own, READ COMMITTED
    -- Locks:       the key, then those of _write_session
    -- Example:     SET v_started = _write_session_once(1, 1, 'alice-1', NULL, NULL);
    DECLARE v_session_id BIGINT UNSIGNED DEFAULT _claim_key(
        'session', p_actor_id, p_key, JSON_OBJECT('exam_id', p_exam_id, 'user_id', p_user_id));
    DECLARE v_started JSON;

    IF v_session_id IS NOT NULL THEN
        RETURN JSON_OBJECT('session_id', v_session_id);
    END IF;

    SET v_started = _write_session(p_exam_id, p_user_id, p_actor_id, p_actor_role);
    CALL _keep_key('session', p_actor_id, p_key,
                   JSON_VALUE(v_started, '$.session_id' RETURNING UNSIGNED));
    RETURN v_started;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._require_actor;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._require_actor(
    p_actor_id   BIGINT,
    p_actor_role VARCHAR(20),
    p_user_id    BIGINT,
    p_session_id BIGINT
)
    COMMENT 'Refuses who may not act for a candidate'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A candidate starts and finishes their own sessions, staff anybody's. Of
    --              somebody else's session they are told what they would be of one that does not
    --              exist: which there are is nobody's business.
    -- Parameters:  p_actor_id    acting user; NULL: the MySQL account itself, which may
    --              p_actor_role  their role where the caller answers for it; NULL: that of users
    --              p_user_id     whose session it is
    --              p_session_id  the session; NULL: one that is about to start
    -- Result sets: none
    -- Errors:      not_own_session (before it starts), session_not_found, forbidden (of graders,
    --              who see all sessions, but neither start nor finish any)
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _require_actor(7, NULL, 8, 42);
    --              ERROR 50300 (45000): session_not_found: session 42 does not exist
    DECLARE v_role VARCHAR(20);

    -- Not SET, which would lock the row; and nobody is refused what is their own.
    SELECT IF(
        p_actor_id <> p_user_id,
        COALESCE(p_actor_role, (SELECT role FROM users WHERE user_id = p_actor_id)), NULL)
    INTO v_role;

    IF v_role = 'grader' THEN
        CALL _raise('forbidden', 'graders neither start nor finish sessions');
    END IF;
    IF v_role IN ('candidate', 'viewer') THEN
        IF p_session_id IS NULL THEN
            CALL _raise('not_own_session', CONCAT(
                'user ', p_actor_id, ' is a ', v_role, ' and starts their own sessions only'));
        END IF;
        CALL _raise('session_not_found', CONCAT('session ', p_session_id, ' does not exist'));
    END IF;
END$$

DELIMITER ;

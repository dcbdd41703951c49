SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._require_actor;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._require_actor(
    p_actor_id   BIGINT,
    p_user_id    BIGINT,
    p_session_id BIGINT
)
    COMMENT 'Refuses candidates who act for somebody else'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A candidate starts and finishes his own sessions, staff anybody's.
    -- Parameters:  p_actor_id    acting user; NULL: the MySQL account itself, which may
    --              p_user_id     whose session it is
    --              p_session_id  named in the message; NULL: one that is about to start
    -- Result sets: none
    -- Errors:      not_own_session
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _require_actor(7, 8, 42);
    --              ERROR 50304 (45000): not_own_session: session 42 does not belong to user 7
    IF p_actor_id <> p_user_id
        AND EXISTS (SELECT 1 FROM users WHERE user_id = p_actor_id AND role = 'candidate') THEN
        CALL _raise('not_own_session', IF(
            p_session_id IS NULL,
            CONCAT('user ', p_actor_id, ' is a candidate and starts sessions for himself only'),
            CONCAT('session ', p_session_id, ' does not belong to user ', p_actor_id)
        ));
    END IF;
END$$

DELIMITER ;

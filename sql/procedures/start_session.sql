SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.start_session;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.start_session(
    p_exam_id  BIGINT,
    p_user_id  BIGINT,
    p_actor_id BIGINT
)
    COMMENT 'Starts an attempt of a candidate, or returns the one in progress'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One session in progress per candidate and exam, however many calls race for it.
    -- Parameters:  p_exam_id   of create_exam
    --              p_user_id   the candidate
    --              p_actor_id  acting user; a candidate starts their own sessions only; NULL: the
    --                          MySQL account
    -- Result sets: session_id, exam_id, user_id, attempt_no, status, version, total_score,
    --              weighted_coding, weighted_quiz, weighted_assessment, total_time_sec, started_at,
    --              deadline_at, finished_at, created (1: new, 0: was in progress)
    -- Errors:      exam_not_found, not_own_session, forbidden, user_not_found, not_a_candidate,
    --              exam_not_open, exam_ended, attempts_exhausted; 1568 inside an open transaction
    -- Transaction: its own, READ COMMITTED: two starts are told apart by the unique key alone
    -- Locks:       the new row; shared, its exam and its user
    -- Example:     CALL start_session(1, 1, NULL);
    --              session_id exam_id user_id attempt_no status      version ... created
    --                       1       1       1          1 in_progress       0 ...       1
    CALL start_session_once(p_exam_id, p_user_id, NULL, p_actor_id, NULL);
END$$

DELIMITER ;

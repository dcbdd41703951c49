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
    --              p_actor_id  acting user; a candidate starts his own sessions only; NULL: the
    --                          MySQL account
    -- Result sets: session_id, exam_id, user_id, attempt_no, status, version, total_score,
    --              weighted_coding, weighted_quiz, weighted_assessment, total_time_sec, started_at,
    --              deadline_at, finished_at, created (1: new, 0: was in progress)
    -- Errors:      exam_not_found, user_not_found, not_own_session, not_a_candidate, exam_not_open,
    --              exam_ended, attempts_exhausted; 1568 inside an open transaction
    -- Transaction: its own, READ COMMITTED: two starts are told apart by the unique key alone
    -- Locks:       the new row; shared, its exam and its user
    -- Example:     CALL start_session(1, 1, NULL);
    --              session_id exam_id user_id attempt_no status      version ... created
    --                       1       1       1          1 in_progress       0 ...       1
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_session_id BIGINT UNSIGNED;
    DECLARE v_attempt_no INT;
    DECLARE v_in_progress BOOLEAN;
    DECLARE v_max_attempts INT;
    DECLARE v_starts_at, v_ends_at, v_deadline_at DATETIME(6);
    DECLARE v_duration_sec BIGINT;
    DECLARE v_now DATETIME(6);
    DECLARE v_created BOOLEAN DEFAULT FALSE;
    DECLARE v_collisions INT DEFAULT 0;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    -- Again where another call has started the same attempt in between.
    WHILE v_session_id IS NULL DO
        BEGIN
            DECLARE EXIT HANDLER FOR 1062
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                SET v_collisions = v_collisions + 1;
                IF v_collisions > 3 THEN
                    RESIGNAL;
                END IF;
                SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            END;
            DECLARE EXIT HANDLER FOR SQLEXCEPTION
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                RESIGNAL;
            END;

            START TRANSACTION;
            CALL _settle_session();

            CALL _find_board(p_exam_id, v_board_id);
            IF NOT EXISTS (SELECT 1 FROM users WHERE user_id = p_user_id) THEN
                CALL _raise('user_not_found',
                            CONCAT('user ', COALESCE(p_user_id, 'NULL'), ' does not exist'));
            END IF;
            CALL _require_actor(p_actor_id, p_user_id, NULL);
            IF (SELECT role FROM users WHERE user_id = p_user_id) <> 'candidate' THEN
                CALL _raise('not_a_candidate', CONCAT(
                    'user ', p_user_id, ' is not a candidate: who runs exams takes none'));
            END IF;

            -- Locked before the new row, as update_exam_weights does, so that the two cannot
            -- deadlock.
            SELECT max_attempts, starts_at, ends_at, duration_sec
            INTO v_max_attempts, v_starts_at, v_ends_at, v_duration_sec
            FROM exams
            WHERE exam_id = p_exam_id
            FOR SHARE;

            SET v_now = UTC_TIMESTAMP(6), v_attempt_no = 0, v_in_progress = FALSE;
            SELECT session_id, attempt_no, status = 'in_progress'
            INTO v_session_id, v_attempt_no, v_in_progress
            FROM exam_sessions
            WHERE exam_id = p_exam_id AND user_id = p_user_id
            ORDER BY attempt_no DESC
            LIMIT 1;

            IF NOT v_in_progress THEN
                SET v_session_id = NULL;
                IF v_starts_at > v_now THEN
                    CALL _raise('exam_not_open',
                                CONCAT('exam ', p_exam_id, ' starts at ', v_starts_at, ' UTC'));
                END IF;
                IF v_ends_at <= v_now THEN
                    CALL _raise('exam_ended',
                                CONCAT('exam ', p_exam_id, ' ended at ', v_ends_at, ' UTC'));
                END IF;
                IF v_attempt_no >= v_max_attempts THEN
                    CALL _raise('attempts_exhausted', CONCAT(
                        'user ', p_user_id, ' has used all ', v_max_attempts, ' attempts at exam ',
                        p_exam_id));
                END IF;
                SET v_deadline_at = v_now + INTERVAL v_duration_sec SECOND;

                INSERT INTO exam_sessions (
                    exam_id, user_id, attempt_no, status, started_at, deadline_at
                )
                VALUES (
                    p_exam_id, p_user_id, v_attempt_no + 1, 'in_progress', v_now,
                    -- The earlier of the two; NULL where the exam has neither.
                    COALESCE(LEAST(v_deadline_at, v_ends_at), v_deadline_at, v_ends_at)
                );
                SET v_session_id = LAST_INSERT_ID(), v_created = TRUE;
            END IF;
            COMMIT AND NO CHAIN NO RELEASE;
        END;
    END WHILE;

    SELECT
        session_id, exam_id, user_id, attempt_no, status, version, total_score, weighted_coding,
        weighted_quiz, weighted_assessment, total_time_sec, started_at, deadline_at, finished_at,
        v_created AS created
    FROM exam_sessions
    WHERE session_id = v_session_id;

    COMMIT AND NO CHAIN NO RELEASE;     -- of this SELECT, on a connection without autocommit
END$$

DELIMITER ;

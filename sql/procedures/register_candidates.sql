SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.register_candidates;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.register_candidates(
    p_exam_id    BIGINT,
    p_candidates JSON,
    p_actor_id   BIGINT
)
    COMMENT 'Creates the candidates of an array who are missing and starts their sessions'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     create_user and start_session for up to 1000 candidates in one transaction; a
    --              repetition finds what the first call made. Each succeeds or fails for itself.
    -- Parameters:  p_exam_id     of create_exam
    --              p_candidates  array of objects: username (1 to 64 characters; case does not tell
    --                            two apart, accents do), full_name (1 to 200 characters; of
    --                            somebody known already it changes nothing)
    --              p_actor_id    acting user; a candidate starts his own sessions only; NULL: the
    --                            MySQL account
    -- Result sets: one row per item, in order: item_no (from 0), status (200 or the HTTP status of
    --              the refusal), code, message (NULL where accepted), user_id, user_created,
    --              session_id, attempt_no, session_created (1: new, 0: was there before)
    -- Errors:      exam_not_found, candidates_invalid, too_many_items; 1568 inside an open
    --              transaction; after 1213 or 1205 nothing has happened: try again. In rows:
    --              candidates_invalid, username_invalid, full_name_invalid, not_own_session,
    --              exam_not_open, exam_ended, attempts_exhausted
    -- Transaction: its own, READ COMMITTED: two starts are told apart by the unique keys alone
    -- Locks:       shared, the exam; the new users by username, the new sessions by user, so that
    --              two calls with the same names wait for each other in one direction
    -- Example:     CALL register_candidates(
    --                  1, '[{"username": "alice", "full_name": "Alice Chen"}]', NULL);
    --              item_no status code message user_id user_created session_id attempt_no ...
    --                    0    200 NULL NULL          1            1          1          1 ...
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_max_attempts INT;
    DECLARE v_starts_at, v_ends_at, v_deadline_at DATETIME(6);
    DECLARE v_duration_sec BIGINT;
    DECLARE v_now DATETIME(6);
    DECLARE v_closed VARCHAR(40);
    DECLARE v_done BOOLEAN DEFAULT FALSE;
    DECLARE v_collisions INT DEFAULT 0;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    -- Again where another call has created the same users or sessions in between. Each time that
    -- call has ended, so as many as overlap with this array are the bound.
    WHILE NOT v_done DO
        BEGIN
            DECLARE EXIT HANDLER FOR 1062
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                SET v_collisions = v_collisions + 1;
                IF v_collisions > 10 THEN
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
            CALL _read_candidates(p_candidates, p_actor_id);

            -- Before the new rows, as start_session does.
            SELECT max_attempts, starts_at, ends_at, duration_sec
            INTO v_max_attempts, v_starts_at, v_ends_at, v_duration_sec
            FROM exams
            WHERE exam_id = p_exam_id
            FOR SHARE;
            SET v_now = UTC_TIMESTAMP(6);
            SET v_deadline_at = v_now + INTERVAL v_duration_sec SECOND;
            SET v_closed = CASE
                WHEN v_starts_at > v_now THEN 'exam_not_open'
                WHEN v_ends_at <= v_now THEN 'exam_ended'
            END;

            INSERT INTO users (username, full_name, role, created_at)
            SELECT username, full_name, 'candidate', v_now
            FROM tmp_candidates
            WHERE code IS NULL AND user_id IS NULL AND repeat_no = 1 AND v_closed IS NULL
            ORDER BY username;

            CALL _find_attempts(p_exam_id, v_max_attempts, v_closed);

            INSERT INTO exam_sessions (
                exam_id, user_id, attempt_no, status, started_at, deadline_at
            )
            SELECT
                p_exam_id, user_id, attempt_no, 'in_progress', v_now,
                -- The earlier of the two; NULL where the exam has neither.
                COALESCE(LEAST(v_deadline_at, v_ends_at), v_deadline_at, v_ends_at)
            FROM tmp_attempts
            WHERE starts
            ORDER BY user_id;

            COMMIT AND NO CHAIN NO RELEASE;
            SET v_done = TRUE;
        END;
    END WHILE;

    SELECT
        t.item_no,
        COALESCE(c.http_status, 200) AS status,
        t.code,
        CONCAT(t.code, ': ', CASE t.code
            WHEN 'candidates_invalid' THEN 'a candidate must be a JSON object'
            WHEN 'username_invalid' THEN 'username must have 1 to 64 characters'
            WHEN 'full_name_invalid' THEN 'full_name must have 1 to 200 characters'
            WHEN 'not_own_session' THEN CONCAT(
                'user ', p_actor_id, ' is a candidate and starts sessions for himself only')
            WHEN 'exam_not_open' THEN CONCAT(
                'exam ', p_exam_id, ' starts at ', v_starts_at, ' UTC')
            WHEN 'exam_ended' THEN CONCAT('exam ', p_exam_id, ' ended at ', v_ends_at, ' UTC')
            WHEN 'attempts_exhausted' THEN CONCAT(
                'user ', t.user_id, ' has used all ', v_max_attempts, ' attempts at exam ',
                p_exam_id)
        END) AS message,
        t.user_id,
        t.user_created,
        s.session_id,
        s.attempt_no,
        t.starts AS session_created
    FROM tmp_attempts AS t
    LEFT JOIN error_catalog AS c ON c.code = t.code
    LEFT JOIN exam_sessions AS s FORCE INDEX (uq_exam_sessions_exam_user_attempt)
        ON s.exam_id = p_exam_id AND s.user_id = IF(t.code IS NULL, t.user_id, NULL)
        AND s.attempt_no = t.attempt_no
    ORDER BY t.item_no;

    COMMIT AND NO CHAIN NO RELEASE;     -- of this SELECT, on a connection without autocommit
END$$

DELIMITER ;

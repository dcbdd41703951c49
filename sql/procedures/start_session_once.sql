SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.start_session_once;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.start_session_once(
    p_exam_id         BIGINT,
    p_user_id         BIGINT,
    p_idempotency_key TEXT,
    p_actor_id        BIGINT,
    p_actor_role      VARCHAR(255)
)
    COMMENT 'Starts an attempt of a candidate, once for each key'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     start_session for a client that may never see the answer: the same call again
    --              returns the session that the first one returned, and starts no other, also
    --              where that one is finished by now.
    -- Parameters:  p_exam_id          of create_exam
    --              p_user_id          the candidate
    --              p_idempotency_key  1 to 64 printable ASCII characters that the client chose,
    --                                 unique among its own; NULL: none
    --              p_actor_id         acting user, whose key it is; a candidate starts their own
    --                                 sessions only; NULL: the MySQL account
    --              p_actor_role       their role where the caller answers for it; NULL: that of
    --                                 users
    -- Result sets: session_id, exam_id, user_id, attempt_no, status, version, total_score,
    --              weighted_coding, weighted_quiz, weighted_assessment, total_time_sec, started_at,
    --              deadline_at, finished_at, created (1: new, 0: was in progress; the same again
    --              for the same key). The session is told as it stands now
    -- Errors:      those of start_session, role_invalid, idempotency_key_invalid,
    --              idempotency_key_reused; 1568 inside an open transaction; after 1213 nothing has
    --              happened: try again
    -- Transaction: one statement of its own, READ COMMITTED: two starts are told apart by the
    --              unique key alone
    -- Locks:       the key, the new row; shared, its exam and its user; a call with the same key is
    --              waited for
    -- Example:     CALL start_session_once(1, 2, 'bob-1', NULL, NULL);
    --              session_id exam_id user_id attempt_no status      version ... created
    --                       2       1       2          1 in_progress       0 ...       1
    DECLARE v_key VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
        DEFAULT LEFT(p_idempotency_key, 1000);
    DECLARE v_actor VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
        DEFAULT _key_owner(p_actor_id);
    DECLARE v_kept_at DATETIME(6);
    DECLARE v_started JSON;
    DECLARE v_collisions INT DEFAULT 0;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET autocommit = 1, timestamp = DEFAULT;

    CALL _settle_session();

    IF p_actor_role COLLATE utf8mb4_0900_bin
        NOT IN ('candidate', 'viewer', 'grader', 'moderator', 'admin') THEN
        CALL _raise('role_invalid',
                    'role must be candidate, viewer, grader, moderator or admin');
    END IF;

    -- Again where another call has started the same attempt in between.
    WHILE v_started IS NULL DO
        BEGIN
            DECLARE EXIT HANDLER FOR 1062
            BEGIN
                SET v_collisions = v_collisions + 1;
                IF v_collisions > 3 THEN
                    RESIGNAL;
                END IF;
            END;

            SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            SET v_started = _write_session_once(
                p_exam_id, p_user_id, v_key, p_actor_id, p_actor_role);
        END;
    END WHILE;

    IF NOT JSON_CONTAINS_PATH(v_started, 'one', '$.created') THEN
        -- A key that is repeated. A new session was written in one statement with its key.
        SELECT created_at
        INTO v_kept_at
        FROM idempotency_keys
        WHERE kind = 'session' AND actor = v_actor AND idempotency_key = v_key;
    END IF;

    SELECT
        session_id, exam_id, user_id, attempt_no, status, version, total_score, weighted_coding,
        weighted_quiz, weighted_assessment, total_time_sec, started_at, deadline_at, finished_at,
        COALESCE(
            JSON_VALUE(v_started, '$.created' RETURNING UNSIGNED), started_at = v_kept_at
        ) AS created
    FROM exam_sessions
    WHERE session_id = JSON_VALUE(v_started, '$.session_id' RETURNING UNSIGNED);

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

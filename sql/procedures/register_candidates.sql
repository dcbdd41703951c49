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
    --              p_candidates  array of objects: username and full_name as create_user takes them
    --                            (of somebody known it changes nothing); optional: attempt_no
    --                            (that attempt, whatever its state, and no other: it starts only
    --                            where it is the next; default the one in progress, or the next)
    --              p_actor_id    acting user; a candidate starts their own sessions only; NULL: the
    --                            MySQL account
    -- Result sets: one row per item, in order: item_no (from 0), status (200 or the HTTP status of
    --              the refusal), code, message (NULL where accepted), user_id, user_created,
    --              session_id, attempt_no, session_created (1: new, 0: was there before)
    -- Errors:      exam_not_found, candidates_invalid, too_many_items; 1568 inside an open
    --              transaction; after 1213 or 1205 nothing has happened: try again. In rows:
    --              candidates_invalid, username_invalid, full_name_invalid, attempt_no_invalid,
    --              not_own_session, not_a_candidate, attempt_not_found, exam_not_open, exam_ended,
    --              attempts_exhausted
    -- Transaction: its own, READ COMMITTED: two starts are told apart by the unique keys alone
    -- Locks:       shared, the exam; the new users by username_key, the new sessions by user, so
    --              that two calls with the same names wait for each other in one direction
    -- Example:     CALL register_candidates(
    --                  1, '[{"username": "alice", "full_name": "Alice Chen"}]', NULL);
    --              item_no status code message user_id user_created session_id attempt_no ...
    --                    0    200 NULL NULL          1            1          1          1 ...
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_items, v_written JSON;
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
    CALL _find_board(p_exam_id, v_board_id);

    -- Again where another call has created the same users or sessions in between. Each time that
    -- call has ended, so as many as overlap with this array are the bound.
    WHILE v_written IS NULL DO
        BEGIN
            DECLARE EXIT HANDLER FOR 1062
            BEGIN
                SET v_collisions = v_collisions + 1;
                IF v_collisions > 10 THEN
                    RESIGNAL;
                END IF;
            END;

            SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            -- Not SET, which would lock what it reads.
            SELECT _read_candidates(p_candidates, p_actor_id) INTO v_items;
            SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            SELECT _write_candidates(p_exam_id, v_items) INTO v_written;
        END;
    END WHILE;

    SELECT
        t.item_no,
        COALESCE(c.http_status, 200) AS status,
        t.code,
        _candidate_refusal(
            t.code, t.reason, p_exam_id, t.user_id, p_actor_id, t.attempts, t.attempt_no
        ) AS message,
        t.user_id,
        t.user_created,
        s.session_id,
        s.attempt_no,
        t.starts AS session_created
    FROM JSON_TABLE(
        v_written, '$[*]'
        COLUMNS (
            item_no      INT         PATH '$.item_no',
            user_id      BIGINT      PATH '$.user_id',
            user_created BOOLEAN     PATH '$.user_created',
            attempts     INT         PATH '$.attempts',
            attempt_no   SMALLINT    PATH '$.attempt_no',
            starts       BOOLEAN     PATH '$.starts',
            code         VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin PATH '$.code',
            reason       VARCHAR(128) PATH '$.reason'
        )
    ) AS t
    LEFT JOIN error_catalog AS c ON c.code = t.code
    LEFT JOIN exam_sessions AS s FORCE INDEX (uq_exam_sessions_exam_user_attempt)
        ON s.exam_id = p_exam_id AND s.user_id = IF(t.code IS NULL, t.user_id, NULL)
        AND s.attempt_no = t.attempt_no
    ORDER BY t.item_no;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

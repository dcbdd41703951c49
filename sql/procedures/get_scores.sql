SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_scores;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_scores(
    p_exam_id    BIGINT,
    p_candidates JSON
)
    COMMENT 'Reads the attempt that counts of each candidate of an array, with its scores'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     What a correction meets: who is known, which attempt it belongs to and what that
    --              holds now. Changes nothing, so that it also tells what register_candidates would
    --              say.
    -- Parameters:  p_exam_id     of create_exam
    --              p_candidates  array of up to 1000 objects, as for register_candidates: username,
    --                            full_name; optional: attempt_no (default the attempt that counts
    --                            on the board, or the latest where none does yet)
    -- Result sets: one row per item, in order: item_no (from 0), status (200 or the HTTP status of
    --              the refusal), code, message (NULL where there is an attempt, or one may start),
    --              user_id (NULL: nobody is called so yet), username_key (the same for names that
    --              are one), session_id (NULL: no attempt yet), attempt_no (of it, or the one
    --              to start), attempts (how many there are), scored_attempts, version, scores (an
    --              object by module: raw_score and max_score as texts, time_spent_sec, details),
    --              other_full_name (that of the user, where the item has another; else NULL)
    -- Errors:      exam_not_found, candidates_invalid, too_many_items; 1568 inside an open
    --              transaction. In rows: candidates_invalid, username_invalid, full_name_invalid,
    --              attempt_no_invalid, not_a_candidate, attempt_not_found, exam_not_open,
    --              exam_ended
    -- Transaction: its own, REPEATABLE READ, READ ONLY
    -- Locks:       none
    -- Example:     CALL get_scores(1, '[{"username": "alice", "full_name": "Alice Chen"}]');
    --              item_no status code message user_id username_key session_id attempt_no ...
    --                    0    200 NULL NULL          1 alice                 1          1 ...
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_attempts JSON;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1, timestamp = DEFAULT;

    CALL _find_board(p_exam_id, v_board_id);
    SELECT _find_attempts(p_exam_id, _read_candidates(p_candidates, NULL), TRUE)
    INTO v_attempts;

    SELECT
        t.item_no,
        COALESCE(c.http_status, 200) AS status,
        t.code,
        _candidate_refusal(
            t.code, t.reason, p_exam_id, t.user_id, NULL, t.attempts, t.attempt_no) AS message,
        t.user_id,
        t.username_key,
        s.session_id,
        t.attempt_no,
        t.attempts,
        (
            SELECT COUNT(*)
            FROM exam_sessions AS o FORCE INDEX (uq_exam_sessions_exam_user_attempt)
            WHERE o.exam_id = p_exam_id AND o.user_id = t.user_id AND o.version > 0
        ) AS scored_attempts,
        s.version,
        (
            SELECT JSON_OBJECTAGG(m.module_type, JSON_OBJECT(
                'raw_score', CAST(m.raw_score AS CHAR),
                'max_score', CAST(m.max_score AS CHAR),
                'time_spent_sec', m.time_spent_sec,
                'details', m.details
            ))
            FROM module_scores AS m FORCE INDEX (PRIMARY)
            WHERE m.session_id = s.session_id
        ) AS scores,
        IF(u.full_name COLLATE utf8mb4_0900_bin <> t.full_name, u.full_name, NULL)
            AS other_full_name
    FROM JSON_TABLE(
        v_attempts, '$[*]'
        COLUMNS (
            item_no    INT         PATH '$.item_no',
            username_key VARCHAR(192) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                      PATH '$.username_key',
            full_name    VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                      PATH '$.full_name',
            user_id      BIGINT       PATH '$.user_id',
            attempts     INT          PATH '$.attempts',
            attempt_no   SMALLINT     PATH '$.attempt_no',
            session_id   BIGINT       PATH '$.session_id',
            code         VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin PATH '$.code',
            reason       VARCHAR(128) PATH '$.reason'
        )
    ) AS t
    LEFT JOIN error_catalog AS c ON c.code = t.code
    LEFT JOIN exam_sessions AS s FORCE INDEX (PRIMARY) ON s.session_id = t.session_id
    LEFT JOIN users AS u FORCE INDEX (PRIMARY) ON u.user_id = t.user_id
    ORDER BY t.item_no;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

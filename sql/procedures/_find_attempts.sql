SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._find_attempts;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._find_attempts(
    p_exam_id BIGINT,
    p_items   JSON,
    p_counted BOOLEAN
)
    RETURNS JSON
    COMMENT 'Finds the attempt of each candidate read, or the one that may start'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Who the candidates are, and the rules of start_session for all of them in one
    --              statement.
    -- Parameters:  p_exam_id  of create_exam
    --              p_items    of _read_candidates
    --              p_counted  where an item names no attempt: TRUE: the one that counts on the
    --                         board, or the latest where none does yet; FALSE: the one in progress
    -- Result:      array of objects: item_no, username, username_key, full_name, repeat_no, user_id
    --              (NULL: nobody is called so yet), attempts (how many there are), attempt_no and
    --              session_id (NULL: may start), starts (by this item), code (NULL: not refused),
    --              reason (of _read_candidates)
    -- Errors:      none
    -- Transaction: the caller's, READ COMMITTED or a snapshot
    -- Locks:       none, called by a SELECT
    -- Example:     SELECT _find_attempts(1, _read_candidates('[]', NULL), TRUE);
    --              []
    DECLARE v_attempts JSON;

    SELECT JSON_ARRAYAGG(JSON_OBJECT(
        'item_no', r.item_no,
        'username', r.username,
        'username_key', r.username_key,
        'full_name', r.full_name,
        'repeat_no', r.repeat_no,
        'user_id', r.user_id,
        'attempts', r.attempts,
        'attempt_no', r.attempt_no,
        'session_id', r.session_id,
        'starts', r.code IS NULL AND r.session_id IS NULL AND r.start_no = 1,
        'code', r.code,
        'reason', r.reason
    ))
    INTO v_attempts
    FROM (
        SELECT
            c.item_no, c.username, c.username_key, c.full_name, c.repeat_no, c.user_id, c.attempts,
            c.session_id, c.attempt_no, c.code, c.reason,
            ROW_NUMBER() OVER (
                PARTITION BY c.code IS NULL, c.username_key, c.attempt_no ORDER BY c.item_no
            ) AS start_no
        FROM (
            SELECT
                i.item_no,
                i.username,
                i.username_key,
                i.full_name,
                i.repeat_no,
                u.user_id,
                COALESCE(l.attempts, 0) AS attempts,
                s.session_id,
                COALESCE(s.attempt_no, i.attempt_no, l.attempts + 1, 1) AS attempt_no,
                i.reason,
                CASE
                    WHEN i.code IS NOT NULL THEN i.code
                    WHEN u.role <> 'candidate' THEN 'not_a_candidate'
                    WHEN s.session_id IS NOT NULL THEN NULL
                    WHEN i.attempt_no <> COALESCE(l.attempts, 0) + 1 OR l.in_progress
                        THEN 'attempt_not_found'
                    WHEN e.starts_at > UTC_TIMESTAMP(6) THEN 'exam_not_open'
                    WHEN e.ends_at <= UTC_TIMESTAMP(6) THEN 'exam_ended'
                    WHEN l.attempts >= e.max_attempts THEN 'attempts_exhausted'
                END AS code
            FROM JSON_TABLE(
                p_items, '$[*]'
                COLUMNS (
                    item_no      INT          PATH '$.item_no',
                    username     VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                              PATH '$.username',
                    username_key VARCHAR(192) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                              PATH '$.username_key',
                    full_name    VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                              PATH '$.full_name',
                    attempt_no   SMALLINT     PATH '$.attempt_no',
                    repeat_no    INT          PATH '$.repeat_no',
                    code         VARCHAR(40)  CHARACTER SET ascii COLLATE ascii_bin PATH '$.code',
                    reason       VARCHAR(128) PATH '$.reason'
                )
            ) AS i
            STRAIGHT_JOIN exams AS e FORCE INDEX (PRIMARY) ON e.exam_id = p_exam_id
            STRAIGHT_JOIN leaderboards AS b FORCE INDEX (uq_leaderboards_exam)
                ON b.exam_id = e.exam_id
            LEFT JOIN users AS u FORCE INDEX (uq_users_username_key)
                ON u.username_key = IF(i.code IS NULL, i.username_key, NULL)
            LEFT JOIN leaderboard_snapshot AS p FORCE INDEX (PRIMARY)
                ON p.board_id = b.board_id
                AND p.user_id = IF(p_counted, u.user_id, NULL)
            LEFT JOIN LATERAL (
                SELECT attempt_no AS attempts, status = 'in_progress' AS in_progress
                FROM exam_sessions FORCE INDEX (uq_exam_sessions_exam_user_attempt)
                WHERE exam_id = p_exam_id AND user_id = u.user_id
                ORDER BY attempt_no DESC
                LIMIT 1
            ) AS l ON TRUE
            LEFT JOIN LATERAL (
                SELECT session_id, attempt_no
                FROM exam_sessions FORCE INDEX (uq_exam_sessions_exam_user_attempt)
                WHERE exam_id = p_exam_id AND user_id = u.user_id
                    AND CASE
                        WHEN i.attempt_no IS NOT NULL THEN attempt_no = i.attempt_no
                        WHEN p.session_id IS NOT NULL THEN session_id = p.session_id
                        ELSE attempt_no = l.attempts AND (p_counted OR l.in_progress)
                    END
                LIMIT 1
            ) AS s ON TRUE
        ) AS c
    ) AS r;

    RETURN COALESCE(v_attempts, JSON_ARRAY());
END$$

DELIMITER ;

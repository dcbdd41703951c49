SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._read_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._read_submissions(
    p_submissions JSON,
    p_details     JSON,
    p_actor_id    BIGINT
)
    RETURNS JSON
    COMMENT 'Reads an array of submissions and judges what no lock is needed for'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Values, existence, ownership and replays, for all items in one statement. What
    --              it reads of a session never changes: its exam and its user. What may change is
    --              read under the lock.
    -- Parameters:  p_submissions  array of objects, see submit_scores
    --              p_details      of _submit
    --              p_actor_id     acting user of items that name none; NULL: the MySQL account
    --                             itself
    -- Result:      array of objects: item_no, board_id (0: of no session), exam_id, session_id,
    --              user_id, module_type, raw_score, max_score, time_spent_sec, expected_version,
    --              submission_id, payload_hash (hex), actor_id, as_candidate, request_id,
    --              waited_us, code and detail (why it is refused), replayed
    -- Errors:      submissions_invalid, too_many_items
    -- Transaction: the caller's, READ COMMITTED
    -- Locks:       none, where it is called by a SELECT: a consistent read
    -- Example:     SELECT _read_submissions(
    --                  '[{"session_id": 1, "module_type": "quiz"}]', NULL, NULL);
    DECLARE v_items JSON;

    IF COALESCE(JSON_TYPE(p_submissions), 'NULL') <> 'ARRAY' THEN
        CALL _raise('submissions_invalid', 'submissions must be a JSON array of objects');
    END IF;
    IF JSON_LENGTH(p_submissions) > 1000 THEN
        CALL _raise('too_many_items',
                    CONCAT(JSON_LENGTH(p_submissions),
                           ' submissions, at most 1000 go in one array'));
    END IF;

    SELECT JSON_ARRAYAGG(JSON_OBJECT(
        'item_no', k.item_no,
        'board_id', COALESCE(k.board_id, 0),
        'exam_id', IF(k.code IN ('forbidden', 'session_not_found'), NULL, k.exam_id),
        'session_id', k.session_id,
        'user_id', IF(k.code IN ('forbidden', 'session_not_found'), NULL, k.user_id),
        'module_type', k.module_type,
        'raw_score', k.raw_score,
        'max_score', k.max_score,
        'time_spent_sec', k.time_spent_sec,
        'expected_version', k.expected_version,
        'submission_id', COALESCE(k.submission_id, UUID()),
        'payload_hash', HEX(k.payload_hash),
        'actor_id', k.actor_id,
        'as_candidate', k.as_candidate,
        'request_id', k.request_id,
        'waited_us', k.waited_us,
        'code', IF(r.payload_hash <> k.payload_hash, 'submission_id_reused', k.code),
        'detail', CASE
            WHEN k.code IS NOT NULL
                THEN _refusal(k.code, k.session_id, NULL, k.actor_id, NULL, NULL)
            WHEN r.payload_hash <> k.payload_hash
                THEN _refusal('submission_id_reused', NULL, NULL, NULL, NULL, NULL)
        END,
        'replayed', COALESCE(r.payload_hash = k.payload_hash, FALSE)
    ))
    INTO v_items
    FROM (
        SELECT
            i.item_no, i.session_id, i.module_type, i.raw_score, i.max_score,
            i.time_spent_sec, i.expected_version, i.submission_id, i.payload_hash,
            i.actor_id, i.request_id, i.waited_us, b.board_id, s.exam_id, s.user_id,
            COALESCE(i.actor_role, a.role, '') = 'candidate' AS as_candidate,
            CASE
                WHEN i.code IS NOT NULL THEN i.code
                WHEN COALESCE(i.actor_role, a.role) = 'viewer' THEN 'forbidden'
                WHEN i.actor_id < 1
                    OR (i.actor_id IS NOT NULL AND i.actor_role IS NULL AND a.user_id IS NULL)
                    THEN 'actor_not_found'
                WHEN s.session_id IS NULL
                    OR NOT JSON_CONTAINS(i.actor_exam_ids, CAST(s.exam_id AS JSON))
                    THEN 'session_not_found'
                -- Which sessions of others there are is nobody's business.
                WHEN COALESCE(i.actor_role, a.role) = 'candidate'
                    AND COALESCE(i.actor_id, 0) <> s.user_id
                    THEN 'session_not_found'
            END AS code
        FROM (
            SELECT
                j.item_no - 1 AS item_no,
                -- A whole number and nothing else: JSON_TABLE would make a session of true,
                -- "1" or 1.4.
                IF(JSON_TYPE(j.session_json) IN ('INTEGER', 'UNSIGNED INTEGER'),
                   j.session_id, NULL) AS session_id,
                j.module_type,
                j.raw_score,
                j.max_score,
                j.time_spent_sec,
                j.expected_version,
                j.submission_id,
                -- Canonical: the same values give the same hash, however they were written.
                UNHEX(SHA2(JSON_ARRAY(
                    j.session_id, j.module_type, j.raw_score, j.max_score, j.time_spent_sec,
                    JSON_EXTRACT(p_details, CONCAT('$."', j.item_no - 1, '"'))
                ), 256)) AS payload_hash,
                COALESCE(j.actor_id, p_actor_id) AS actor_id,
                j.actor_role,
                IF(JSON_TYPE(j.actor_exam_ids) = 'NULL', NULL, j.actor_exam_ids)
                    AS actor_exam_ids,
                j.request_id,
                COALESCE(j.waited_ms, 0) * 1000 AS waited_us,
                CASE
                    WHEN COALESCE(JSON_TYPE(j.item), 'NULL') <> 'OBJECT'
                        THEN 'submissions_invalid'
                    WHEN COALESCE(j.module_type, '') NOT IN ('coding', 'quiz', 'assessment')
                        THEN 'module_unknown'
                    WHEN j.max_score IS NULL OR j.max_score <= 0
                        OR JSON_TYPE(j.max_json)
                            NOT IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')
                        THEN 'max_score_invalid'
                    WHEN j.raw_score IS NULL OR j.raw_score NOT BETWEEN 0 AND j.max_score
                        OR JSON_TYPE(j.raw_json)
                            NOT IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')
                        THEN 'raw_score_invalid'
                    WHEN j.time_spent_sec IS NULL
                        OR j.time_spent_sec NOT BETWEEN 0 AND 4194303
                        OR JSON_TYPE(j.time_json) NOT IN ('INTEGER', 'UNSIGNED INTEGER')
                        THEN 'time_spent_invalid'
                    WHEN JSON_TYPE(j.details) NOT IN ('NULL', 'OBJECT')
                        OR LENGTH(j.details) > 65535
                        THEN 'details_invalid'
                    WHEN JSON_TYPE(j.version_json) <> 'NULL'
                        AND (JSON_TYPE(j.version_json) NOT IN ('INTEGER', 'UNSIGNED INTEGER')
                             OR j.expected_version IS NULL OR j.expected_version < 0)
                        THEN 'expected_version_invalid'
                    WHEN JSON_TYPE(j.id_json) <> 'NULL'
                        AND (JSON_TYPE(j.id_json) <> 'STRING' OR j.submission_id IS NULL
                             OR NOT REGEXP_LIKE(j.submission_id, '\\A[ -~]{1,64}\\z'))
                        THEN 'submission_id_invalid'
                    -- Who cannot be read is nobody, not the account itself.
                    WHEN JSON_TYPE(j.actor_json) <> 'NULL'
                        AND (JSON_TYPE(j.actor_json) NOT IN ('INTEGER', 'UNSIGNED INTEGER')
                             OR j.actor_id IS NULL)
                        THEN 'actor_not_found'
                    WHEN JSON_TYPE(j.role_json) <> 'NULL'
                        AND COALESCE(j.actor_role, '') NOT IN (
                            'candidate', 'viewer', 'grader', 'moderator', 'admin')
                        THEN 'role_invalid'
                    WHEN JSON_TYPE(j.actor_exam_ids) NOT IN ('NULL', 'ARRAY')
                        THEN 'submissions_invalid'
                    WHEN JSON_TYPE(j.request_json) <> 'NULL'
                        AND (JSON_TYPE(j.request_json) <> 'STRING' OR j.request_id IS NULL
                             OR NOT REGEXP_LIKE(
                                 j.request_id, '\\A[A-Za-z0-9._-]{1,64}\\z'))
                        THEN 'request_id_invalid'
                    WHEN JSON_TYPE(j.waited_json) <> 'NULL'
                        AND (JSON_TYPE(j.waited_json) NOT IN ('INTEGER', 'UNSIGNED INTEGER')
                             OR j.waited_ms IS NULL OR j.waited_ms NOT BETWEEN 0 AND 600000)
                        THEN 'waited_ms_invalid'
                END AS code
            FROM JSON_TABLE(
                p_submissions, '$[*]'
                COLUMNS (
                    item_no          FOR ORDINALITY,
                    item             JSON            PATH '$',
                    session_id       BIGINT          PATH '$.session_id',
                    session_json     JSON            PATH '$.session_id',
                    module_type      VARCHAR(20)     CHARACTER SET utf8mb4
                                                     COLLATE utf8mb4_0900_bin
                                                     PATH '$.module_type',
                    raw_score        DECIMAL(30, 20) PATH '$.raw_score',
                    raw_json         JSON            PATH '$.raw_score',
                    max_score        DECIMAL(30, 20) PATH '$.max_score',
                    max_json         JSON            PATH '$.max_score',
                    time_spent_sec   INT             PATH '$.time_spent_sec',
                    time_json        JSON            PATH '$.time_spent_sec',
                    details          JSON            PATH '$.details',
                    expected_version BIGINT          PATH '$.expected_version',
                    version_json     JSON            PATH '$.expected_version',
                    submission_id    VARCHAR(64)     CHARACTER SET utf8mb4
                                                     COLLATE utf8mb4_0900_bin
                                                     PATH '$.submission_id',
                    id_json          JSON            PATH '$.submission_id',
                    actor_id         BIGINT          PATH '$.actor_id',
                    actor_json       JSON            PATH '$.actor_id',
                    actor_role       VARCHAR(20)     CHARACTER SET utf8mb4
                                                     COLLATE utf8mb4_0900_bin
                                                     PATH '$.actor_role',
                    role_json        JSON            PATH '$.actor_role',
                    actor_exam_ids   JSON            PATH '$.actor_exam_ids',
                    request_id       VARCHAR(64)     CHARACTER SET utf8mb4
                                                     COLLATE utf8mb4_0900_bin
                                                     PATH '$.request_id',
                    request_json     JSON            PATH '$.request_id',
                    waited_ms        INT             PATH '$.waited_ms',
                    waited_json      JSON            PATH '$.waited_ms'
                )
            ) AS j
        ) AS i
        -- Of tables that it takes for small the optimizer would otherwise read everything.
        LEFT JOIN exam_sessions AS s FORCE INDEX (PRIMARY) ON s.session_id = i.session_id
        LEFT JOIN leaderboards AS b FORCE INDEX (uq_leaderboards_exam)
            ON b.exam_id = s.exam_id
        LEFT JOIN users AS a FORCE INDEX (PRIMARY) ON a.user_id = i.actor_id
    ) AS k
    LEFT JOIN score_audit_log AS r FORCE INDEX (uq_score_audit_log_session_submission_id)
        ON r.session_id = IF(k.code IS NULL, k.session_id, NULL)
        AND r.submission_id = k.submission_id;

    RETURN COALESCE(v_items, JSON_ARRAY());
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._read_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._read_submissions(
    p_submissions JSON,
    p_actor_id    BIGINT
)
    COMMENT 'Reads an array of submissions and judges what no lock is needed for'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Values, existence, ownership and replays, for all items in one statement. What
    --              it reads of a session never changes: its exam and its user. What may change is
    --              read under the lock.
    -- Parameters:  p_submissions  array of objects, see submit_scores
    --              p_actor_id     acting user of items that name none; NULL: the MySQL account
    --                             itself
    -- Result sets: none; leaves a row per item in tmp_submissions, its code set where it is refused
    -- Errors:      submissions_invalid, too_many_items
    -- Transaction: the caller's, READ COMMITTED: a plain consistent read, since INSERT ... SELECT
    --              would lock what it reads in any stricter level
    -- Locks:       none
    -- Example:     CALL _read_submissions('[{"session_id": 1, "module_type": "quiz"}]', NULL);
    IF COALESCE(JSON_TYPE(p_submissions), 'NULL') <> 'ARRAY' THEN
        CALL _raise('submissions_invalid', 'submissions must be a JSON array of objects');
    END IF;
    IF JSON_LENGTH(p_submissions) > 1000 THEN
        CALL _raise('too_many_items',
                    CONCAT(JSON_LENGTH(p_submissions),
                           ' submissions, at most 1000 go in one array'));
    END IF;

    INSERT INTO tmp_submissions (
        place, board_id, item_no, session_id, user_id, module_type, raw_score, max_score,
        time_spent_sec, expected_version, submission_id, payload_hash, actor_id, request_id,
        code, replayed,
        id_items, session_items, session_time_sec
    )
    SELECT
        ROW_NUMBER() OVER (ORDER BY b.board_id, i.item_no),
        COALESCE(b.board_id, 0),
        i.item_no,
        i.session_id,
        s.user_id,
        i.module_type,
        i.raw_score,
        i.max_score,
        i.time_spent_sec,
        i.expected_version,
        COALESCE(i.submission_id, UUID()),
        i.payload_hash,
        i.actor_id,
        i.request_id,
        CASE
            WHEN i.code IS NOT NULL THEN i.code
            WHEN s.session_id IS NULL THEN 'session_not_found'
            WHEN i.actor_id IS NOT NULL AND i.actor_role IS NULL AND a.user_id IS NULL
                THEN 'actor_not_found'
            WHEN COALESCE(i.actor_role, a.role) = 'candidate' AND i.actor_id <> s.user_id
                THEN 'not_own_session'
            WHEN r.payload_hash <> i.payload_hash THEN 'submission_id_reused'
        END,
        COALESCE(r.payload_hash = i.payload_hash AND i.code IS NULL, FALSE),
        IF(i.submission_id IS NULL, 1, COUNT(*) OVER (PARTITION BY i.submission_id)),
        COUNT(*) OVER (PARTITION BY i.session_id),
        -- Of sound items only: a negative time would hide how long the others are.
        SUM(IF(i.code IS NULL, i.time_spent_sec, 0)) OVER (PARTITION BY i.session_id)
    FROM (
        SELECT
            j.item_no - 1 AS item_no,
            -- Nothing but a whole number: JSON_TABLE would make a session of true, "1" or 1.4.
            IF(JSON_TYPE(j.session_json) IN ('INTEGER', 'UNSIGNED INTEGER'), j.session_id, NULL)
                AS session_id,
            j.module_type,
            j.raw_score,
            j.max_score,
            j.time_spent_sec,
            j.expected_version,
            j.submission_id,
            -- Canonical: the same values give the same hash, however they were written.
            UNHEX(SHA2(JSON_ARRAY(
                j.session_id, j.module_type, j.raw_score, j.max_score, j.time_spent_sec,
                IF(JSON_TYPE(j.details) = 'NULL', NULL, j.details)
            ), 256)) AS payload_hash,
            COALESCE(j.actor_id, p_actor_id) AS actor_id,
            j.actor_role,
            j.request_id,
            CASE
                WHEN COALESCE(JSON_TYPE(j.item), 'NULL') <> 'OBJECT' THEN 'submissions_invalid'
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
                WHEN j.time_spent_sec IS NULL OR j.time_spent_sec NOT BETWEEN 0 AND 4194303
                    OR JSON_TYPE(j.time_json) NOT IN ('INTEGER', 'UNSIGNED INTEGER')
                    THEN 'time_spent_invalid'
                WHEN JSON_TYPE(j.details) NOT IN ('NULL', 'OBJECT') OR LENGTH(j.details) > 65535
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
                    AND COALESCE(j.actor_role, '') NOT IN ('candidate', 'moderator', 'admin')
                    THEN 'role_invalid'
                WHEN JSON_TYPE(j.request_json) <> 'NULL'
                    AND (JSON_TYPE(j.request_json) <> 'STRING' OR j.request_id IS NULL
                         OR NOT REGEXP_LIKE(j.request_id, '\\A[A-Za-z0-9._-]{1,64}\\z'))
                    THEN 'request_id_invalid'
            END AS code
        FROM JSON_TABLE(
            p_submissions, '$[*]'
            COLUMNS (
                item_no          FOR ORDINALITY,
                item             JSON            PATH '$',
                session_id       BIGINT          PATH '$.session_id',
                session_json     JSON            PATH '$.session_id',
                module_type      VARCHAR(20)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
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
                submission_id    VARCHAR(64)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                                 PATH '$.submission_id',
                id_json          JSON            PATH '$.submission_id',
                actor_id         BIGINT          PATH '$.actor_id',
                actor_json       JSON            PATH '$.actor_id',
                actor_role       VARCHAR(20)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                                 PATH '$.actor_role',
                role_json        JSON            PATH '$.actor_role',
                request_id       VARCHAR(64)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                                 PATH '$.request_id',
                request_json     JSON            PATH '$.request_id'
            )
        ) AS j
    ) AS i
    -- Of tables that it takes for small the optimizer would otherwise read everything.
    LEFT JOIN exam_sessions AS s FORCE INDEX (PRIMARY) ON s.session_id = i.session_id
    LEFT JOIN leaderboards AS b FORCE INDEX (uq_leaderboards_exam) ON b.exam_id = s.exam_id
    LEFT JOIN users AS a FORCE INDEX (PRIMARY) ON a.user_id = i.actor_id
    LEFT JOIN score_audit_log AS r FORCE INDEX (uq_score_audit_log_submission_id)
        ON r.submission_id = i.submission_id;

    IF JSON_CONTAINS_PATH(p_submissions, 'one', '$[*].details') THEN
        INSERT INTO tmp_details (place, details)
        SELECT t.place, j.details
        FROM JSON_TABLE(
            p_submissions, '$[*]'
            COLUMNS (
                item_no FOR ORDINALITY,
                details JSON PATH '$.details'
            )
        ) AS j
        STRAIGHT_JOIN tmp_submissions AS t ON t.item_no = j.item_no - 1
        WHERE t.code IS NULL AND JSON_TYPE(j.details) = 'OBJECT';
    END IF;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._tell_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._tell_submissions(
    p_items   JSON,
    p_refused JSON
)
    COMMENT 'Returns the outcome of an array of submissions'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one shape of what a submitter is told.
    -- Parameters:  p_items, p_refused  of _submit
    -- Result sets: see submit_scores
    -- Errors:      none
    -- Transaction: none
    -- Locks:       none
    -- Example:     CALL _tell_submissions(v_items, v_refused);
    IF p_refused IS NOT NULL THEN
        SELECT JSON_ARRAYAGG(JSON_MERGE_PATCH(i.item, COALESCE(r.item, JSON_OBJECT())))
        INTO p_items
        FROM JSON_TABLE(
            p_items, '$[*]' COLUMNS (item JSON PATH '$', item_no INT UNSIGNED PATH '$.item_no')
        ) AS i
        LEFT JOIN JSON_TABLE(
            p_refused, '$[*]' COLUMNS (item JSON PATH '$', item_no INT UNSIGNED PATH '$.item_no')
        ) AS r ON r.item_no = i.item_no;
    END IF;

    SELECT
        t.item_no,
        COALESCE(c.http_status, 200) AS status,
        c.code,
        CONCAT(c.code, ': ', t.detail) AS message,
        IF(c.code = 'version_conflict', t.current_version, NULL) AS current_version,
        t.submission_id,
        t.code IS NULL AND t.replayed OR t.code <=> 'replay' AS replayed,
        t.exam_id,
        t.session_id,
        t.user_id,
        t.module_type,
        a.version,
        a.revision,
        a.entry_rank AS `rank`,
        a.entry_total_score AS total_score,
        a.entry_weighted_coding AS weighted_coding,
        a.entry_weighted_quiz AS weighted_quiz,
        a.entry_weighted_assessment AS weighted_assessment,
        a.entry_total_time_sec AS total_time_sec,
        a.created_at AS committed_at
    FROM JSON_TABLE(
        p_items, '$[*]'
        COLUMNS (
            item_no         INT UNSIGNED    PATH '$.item_no',
            exam_id         BIGINT UNSIGNED PATH '$.exam_id',
            session_id      BIGINT          PATH '$.session_id',
            user_id         BIGINT UNSIGNED PATH '$.user_id',
            module_type     VARCHAR(20)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                            PATH '$.module_type',
            submission_id   VARCHAR(64)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                            PATH '$.submission_id',
            code            VARCHAR(40)     CHARACTER SET ascii COLLATE ascii_bin PATH '$.code',
            detail          VARCHAR(128)    CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                            PATH '$.detail',
            current_version INT UNSIGNED    PATH '$.current_version',
            replayed        BOOLEAN         PATH '$.replayed'
        )
    ) AS t
    -- 'replay' is no error: it is not found there.
    LEFT JOIN error_catalog AS c FORCE INDEX (PRIMARY) ON c.code = t.code
    LEFT JOIN score_audit_log AS a FORCE INDEX (uq_score_audit_log_session_submission_id)
        ON a.session_id = IF(c.code IS NULL, t.session_id, NULL)
        AND a.submission_id = t.submission_id
    ORDER BY t.item_no;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._decide_in_order;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._decide_in_order(
    p_items JSON
)
    RETURNS JSON
    COMMENT 'Decides items whose fate hangs on the items before them'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     In one array an expected_version may count on submissions before it, and a
    --              submission id may come twice. The items are walked in order, as if each had come
    --              alone.
    -- Parameters:  p_items  of _lock_submissions
    -- Result:      the same items with code (NULL accepted, 'replay' the same as an item before it,
    --              or why it is refused) and, of the refused, base_version: what they have met
    -- Errors:      none
    -- Locks:       none
    -- Example:     SET v_items = _decide_in_order(v_items);
    DECLARE v_decided JSON;

    -- The state of the walk, one JSON object: what accepted items have left behind, by session (v:
    -- number of items accepted, t: total time), by module (m: time) and by submission id (s:
    -- payload).
    WITH RECURSIVE
    items AS (
        SELECT
            ROW_NUMBER() OVER (ORDER BY i.item_no) AS place,
            i.row_no,
            i.item,
            i.code,
            i.expected_version,
            i.base_version,
            i.base_time_sec,
            i.time_spent_sec,
            COALESCE(i.old_time_spent_sec, 0) AS old_time_spent_sec,
            i.payload_hash AS payload,
            CONCAT('$.v', i.session_id) AS version_path,
            CONCAT('$.t', i.session_id) AS time_path,
            CONCAT('$.m', i.session_id, i.module_type) AS module_path,
            CONCAT('$.s', i.session_id, 'x', HEX(i.submission_id)) AS id_path
        FROM JSON_TABLE(
            p_items, '$[*]'
            COLUMNS (
                row_no             FOR ORDINALITY,
                item               JSON            PATH '$',
                item_no            INT UNSIGNED    PATH '$.item_no',
                session_id         BIGINT UNSIGNED PATH '$.session_id',
                module_type        VARCHAR(20)     PATH '$.module_type',
                time_spent_sec     INT             PATH '$.time_spent_sec',
                expected_version   BIGINT          PATH '$.expected_version',
                submission_id      VARCHAR(64)     PATH '$.submission_id',
                payload_hash       CHAR(64)        PATH '$.payload_hash',
                base_version       INT UNSIGNED    PATH '$.base_version',
                base_time_sec      INT             PATH '$.base_time_sec',
                old_time_spent_sec INT             PATH '$.old_time_spent_sec',
                code               VARCHAR(40)     PATH '$.code'
            )
        ) AS i
    ),
    walk AS (
        SELECT
            CAST(0 AS UNSIGNED) AS place,
            CAST(NULL AS CHAR(40)) AS code,
            CAST(NULL AS SIGNED) AS met_version,
            CAST('{}' AS JSON) AS state
        UNION ALL
        SELECT
            i.place,
            v.code,
            i.base_version + v.version,
            IF(v.code IS NOT NULL, w.state, JSON_SET(
                w.state,
                i.version_path, v.version + 1,
                i.time_path, v.total_time_sec,
                i.module_path, i.time_spent_sec,
                i.id_path, i.payload
            ))
        FROM walk AS w
        INNER JOIN items AS i ON i.place = w.place + 1
        INNER JOIN LATERAL (
            SELECT
                d.version,
                d.total_time_sec,
                CASE
                    -- First, as for ids in the log: a repeat is one even after the session's end.
                    WHEN d.payload = i.payload THEN 'replay'
                    WHEN d.payload IS NOT NULL THEN 'submission_id_reused'
                    WHEN i.code NOT IN ('version_conflict', 'time_spent_invalid') THEN i.code
                    WHEN i.expected_version <> i.base_version + d.version THEN 'version_conflict'
                    WHEN d.total_time_sec > 4194303 THEN 'time_spent_invalid'
                END AS code
            FROM (
                SELECT
                    COALESCE(CAST(JSON_EXTRACT(w.state, i.version_path) AS SIGNED), 0) AS version,
                    COALESCE(CAST(JSON_EXTRACT(w.state, i.time_path) AS SIGNED), i.base_time_sec)
                        - COALESCE(CAST(JSON_EXTRACT(w.state, i.module_path) AS SIGNED),
                                   i.old_time_spent_sec)
                        + i.time_spent_sec AS total_time_sec,
                    JSON_UNQUOTE(JSON_EXTRACT(w.state, i.id_path)) AS payload
            ) AS d
        ) AS v ON TRUE
    )
    SELECT /*+ SET_VAR(cte_max_recursion_depth = 1001) */ JSON_ARRAYAGG(n.item)
    INTO v_decided
    FROM (
        SELECT
            JSON_SET(
                i.item,
                '$.code', w.code,
                '$.base_version', IF(w.code IS NULL, i.base_version, w.met_version)) AS item
        FROM walk AS w
        INNER JOIN items AS i ON i.place = w.place
        ORDER BY i.row_no
        LIMIT 1000
    ) AS n;

    RETURN v_decided;
END$$

DELIMITER ;

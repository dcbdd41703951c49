SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._decide_in_order;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._decide_in_order()
    COMMENT 'Decides items whose fate hangs on the items before them'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     In one array an expected_version may count on submissions before it, and a
    --              submission id may come twice. The items are walked in order, as if each had come
    --              alone.
    -- Parameters:  none; reads tmp_items
    -- Result sets: none; sets code in tmp_items: NULL accepted, 'replay' the same as an item before
    --              it, or why it is refused; and base_version of the refused, to what they have met
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE, the boards locked
    -- Locks:       none; temporary tables only
    -- Example:     CALL _decide_in_order();
    DECLARE v_verdicts JSON;

    -- The state of the walk, one JSON object: what accepted items have left behind, by session (v:
    -- number of items accepted, t: total time), by module (m: time) and by submission id (s:
    -- payload).
    WITH RECURSIVE
    items AS (
        SELECT
            ROW_NUMBER() OVER (ORDER BY i.item_no) AS place,
            i.item_no,
            i.code,
            i.expected_version,
            i.base_version,
            i.base_time_sec,
            i.time_spent_sec,
            COALESCE(i.old_time_spent_sec, 0) AS old_time_spent_sec,
            HEX(i.payload_hash) AS payload,
            CONCAT('$.v', i.session_id) AS version_path,
            CONCAT('$.t', i.session_id) AS time_path,
            CONCAT('$.m', i.session_id, i.module_type) AS module_path,
            CONCAT('$.s', HEX(i.submission_id)) AS id_path
        FROM tmp_items AS i
    ),
    walk AS (
        SELECT
            CAST(0 AS UNSIGNED) AS place,
            CAST(NULL AS UNSIGNED) AS item_no,
            CAST(NULL AS CHAR(40)) AS code,
            CAST(NULL AS SIGNED) AS met_version,
            CAST('{}' AS JSON) AS state
        UNION ALL
        SELECT
            i.place,
            i.item_no,
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
                    WHEN i.code IS NOT NULL THEN i.code
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
    SELECT /*+ SET_VAR(cte_max_recursion_depth = 1001) */
        JSON_OBJECTAGG(w.item_no, JSON_OBJECT('code', w.code, 'version', w.met_version))
    INTO v_verdicts
    FROM walk AS w
    WHERE w.place > 0;

    -- Through a variable, since a temporary table cannot be read in the statement that updates it.
    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ tmp_items
    SET code = NULLIF(
            JSON_UNQUOTE(JSON_EXTRACT(v_verdicts, CONCAT('$."', item_no, '".code'))), 'null'),
        base_version = IF(
            code IS NULL,
            base_version,
            JSON_EXTRACT(v_verdicts, CONCAT('$."', item_no, '".version'))
        );
END$$

DELIMITER ;

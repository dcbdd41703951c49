SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._read_candidates;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._read_candidates(
    p_candidates JSON,
    p_actor_id   BIGINT
)
    RETURNS JSON
    COMMENT 'Reads an array of candidates and judges each for itself'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Values of all items in one statement. They are handed on as JSON and not in a
    --              temporary table, which would be the caller's to alter between two calls.
    -- Parameters:  p_candidates  array of objects, see register_candidates
    --              p_actor_id    acting user; NULL: the MySQL account itself
    -- Result:      array of objects: item_no (from 0), username and full_name as they are kept,
    --              username_key, attempt_no (NULL: none is named), repeat_no (from 1, among the
    --              sound items of this username_key), code (NULL: sound), reason (what is wrong
    --              with a name)
    -- Errors:      candidates_invalid, too_many_items
    -- Transaction: the caller's
    -- Locks:       none, called by a SELECT
    -- Example:     SELECT _read_candidates('[{"username": "alice", "full_name": "Alice"}]', NULL);
    --              [{"code": null, "item_no": 0, "username": "alice", "full_name": "Alice", …}]
    DECLARE v_items JSON;

    IF COALESCE(JSON_TYPE(p_candidates), 'NULL') <> 'ARRAY' THEN
        CALL _raise('candidates_invalid', 'candidates must be a JSON array of objects');
    END IF;
    IF JSON_LENGTH(p_candidates) > 1000 THEN
        CALL _raise('too_many_items',
                    CONCAT(JSON_LENGTH(p_candidates),
                           ' candidates, at most 1000 go in one array'));
    END IF;

    SELECT JSON_ARRAYAGG(JSON_OBJECT(
        'item_no', r.item_no,
        'username', r.username,
        'username_key', r.username_key,
        'full_name', r.full_name,
        'attempt_no', r.attempt_no,
        'repeat_no', r.repeat_no,
        'code', r.code,
        'reason', CASE r.code
            WHEN 'username_invalid' THEN r.username_reason
            WHEN 'full_name_invalid' THEN r.full_name_reason
        END
    ))
    INTO v_items
    FROM (
        SELECT
            i.item_no,
            i.username,
            i.username_key,
            i.full_name,
            i.attempt_no,
            i.username_reason,
            i.full_name_reason,
            ROW_NUMBER() OVER (PARTITION BY i.code IS NULL, i.username_key ORDER BY i.item_no)
                AS repeat_no,
            CASE
                WHEN i.code IS NOT NULL THEN i.code
                WHEN a.username_key <> i.username_key THEN 'not_own_session'
            END AS code
        FROM (
            -- Each function is called once a name: what is merged is worked out again wherever it
            -- is used.
            SELECT /*+ NO_MERGE(k) */
                k.item_no,
                k.username,
                k.username_key,
                k.full_name,
                k.attempt_no,
                k.username_reason,
                k.full_name_reason,
                CASE
                    WHEN NOT k.is_object THEN 'candidates_invalid'
                    WHEN k.username_reason IS NOT NULL THEN 'username_invalid'
                    WHEN k.full_name_reason IS NOT NULL THEN 'full_name_invalid'
                    WHEN NOT k.is_attempt_no THEN 'attempt_no_invalid'
                END AS code
            FROM (
                SELECT /*+ NO_MERGE(n) */
                    n.item_no,
                    n.is_object,
                    n.is_attempt_no,
                    n.attempt_no,
                    n.username,
                    n.full_name,
                    _username_key(n.username) AS username_key,
                    _name_refusal('username', n.username) AS username_reason,
                    _name_refusal('full_name', n.full_name) AS full_name_reason
                FROM (
                    SELECT
                        j.item_no - 1 AS item_no,
                        COALESCE(JSON_TYPE(j.item), 'NULL') = 'OBJECT' AS is_object,
                        COALESCE(JSON_TYPE(j.attempt_json), 'NULL') = 'NULL'
                        OR (JSON_TYPE(j.attempt_json) IN ('INTEGER', 'UNSIGNED INTEGER')
                            AND COALESCE(j.attempt_no, 0) >= 1) AS is_attempt_no,
                        j.attempt_no,
                        -- Text and nothing else: JSON_TABLE would make a name of true or 7. What is
                        -- longer than its column is NULL here.
                        _username(IF(JSON_TYPE(j.username_json) = 'STRING', j.username, NULL))
                            AS username,
                        _trimmed(IF(JSON_TYPE(j.full_name_json) = 'STRING', j.full_name, NULL))
                            AS full_name
                    FROM JSON_TABLE(
                        p_candidates, '$[*]'
                        COLUMNS (
                            item_no        FOR ORDINALITY,
                            item           JSON          PATH '$',
                            username       VARCHAR(1024) CHARACTER SET utf8mb4
                                                         COLLATE utf8mb4_0900_bin
                                                         PATH '$.username',
                            username_json  JSON          PATH '$.username',
                            full_name      VARCHAR(1024) CHARACTER SET utf8mb4
                                                         COLLATE utf8mb4_0900_bin
                                                         PATH '$.full_name',
                            full_name_json JSON          PATH '$.full_name',
                            attempt_no     SMALLINT      PATH '$.attempt_no',
                            attempt_json   JSON          PATH '$.attempt_no'
                        )
                    ) AS j
                ) AS n
            ) AS k
        ) AS i
        LEFT JOIN users AS a FORCE INDEX (PRIMARY)
            ON a.user_id = p_actor_id AND a.role = 'candidate'
    ) AS r;

    RETURN COALESCE(v_items, JSON_ARRAY());
END$$

DELIMITER ;

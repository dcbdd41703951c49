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
    -- Result:      array of objects: item_no (from 0), username, full_name, attempt_no (NULL: none
    --              is named), repeat_no (from 1, among the sound items of this username), code
    --              (NULL: sound)
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
        'full_name', r.full_name,
        'attempt_no', r.attempt_no,
        'repeat_no', r.repeat_no,
        'code', r.code
    ))
    INTO v_items
    FROM (
        SELECT
            i.item_no,
            i.username,
            i.full_name,
            i.attempt_no,
            ROW_NUMBER() OVER (PARTITION BY i.code IS NULL, i.username ORDER BY i.item_no)
                AS repeat_no,
            CASE
                WHEN i.code IS NOT NULL THEN i.code
                WHEN a.username <> i.username THEN 'not_own_session'
            END AS code
        FROM (
            SELECT
                j.item_no - 1 AS item_no,
                j.username,
                j.full_name,
                j.attempt_no,
                CASE
                    WHEN COALESCE(JSON_TYPE(j.item), 'NULL') <> 'OBJECT' THEN 'candidates_invalid'
                    -- Text and nothing else: JSON_TABLE would make a name of true or 7. What is
                    -- longer than its column is NULL here.
                    WHEN COALESCE(TRIM(j.username), '') = ''
                        OR COALESCE(JSON_TYPE(j.username_json), 'NULL') <> 'STRING'
                        THEN 'username_invalid'
                    WHEN COALESCE(TRIM(j.full_name), '') = ''
                        OR COALESCE(JSON_TYPE(j.full_name_json), 'NULL') <> 'STRING'
                        THEN 'full_name_invalid'
                    WHEN COALESCE(JSON_TYPE(j.attempt_json), 'NULL') <> 'NULL'
                        AND (JSON_TYPE(j.attempt_json) NOT IN ('INTEGER', 'UNSIGNED INTEGER')
                             OR COALESCE(j.attempt_no, 0) < 1)
                        THEN 'attempt_no_invalid'
                END AS code
            FROM JSON_TABLE(
                p_candidates, '$[*]'
                COLUMNS (
                    item_no        FOR ORDINALITY,
                    item           JSON         PATH '$',
                    username       VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_ci
                                                PATH '$.username',
                    username_json  JSON         PATH '$.username',
                    full_name      VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                                PATH '$.full_name',
                    full_name_json JSON         PATH '$.full_name',
                    attempt_no     SMALLINT     PATH '$.attempt_no',
                    attempt_json   JSON         PATH '$.attempt_no'
                )
            ) AS j
        ) AS i
        LEFT JOIN users AS a FORCE INDEX (PRIMARY)
            ON a.user_id = p_actor_id AND a.role = 'candidate'
    ) AS r;

    RETURN COALESCE(v_items, JSON_ARRAY());
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._read_candidates;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._read_candidates(
    p_candidates JSON,
    p_actor_id   BIGINT
)
    COMMENT 'Reads an array of candidates and judges each for itself'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Values, and who is known already, for all items in one statement.
    -- Parameters:  p_candidates  array of objects, see register_candidates
    --              p_actor_id    acting user; NULL: the MySQL account itself
    -- Result sets: none; leaves a row per item in tmp_candidates, its code set where it is refused
    -- Errors:      candidates_invalid, too_many_items
    -- Transaction: the caller's, READ COMMITTED: a plain consistent read, since INSERT ... SELECT
    --              would lock what it reads in any stricter level
    -- Locks:       none
    -- Example:     CALL _read_candidates('[{"username": "alice", "full_name": "Alice"}]', NULL);
    IF COALESCE(JSON_TYPE(p_candidates), 'NULL') <> 'ARRAY' THEN
        CALL _raise('candidates_invalid', 'candidates must be a JSON array of objects');
    END IF;
    IF JSON_LENGTH(p_candidates) > 1000 THEN
        CALL _raise('too_many_items',
                    CONCAT(JSON_LENGTH(p_candidates),
                           ' candidates, at most 1000 go in one array'));
    END IF;

    CREATE TEMPORARY TABLE IF NOT EXISTS tmp_candidates (
        item_no   INT UNSIGNED    NOT NULL,     -- from 0
        username  VARCHAR(64)     COLLATE utf8mb4_0900_as_ci NULL,
        full_name VARCHAR(200)    NULL,
        repeat_no INT UNSIGNED    NOT NULL,     -- from 1, among the sound items of this username
        user_id   BIGINT UNSIGNED NULL,         -- NULL: nobody is called so yet
        code      VARCHAR(40)     CHARACTER SET ascii COLLATE ascii_bin NULL,
        PRIMARY KEY (item_no)
    ) ENGINE = InnoDB;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_candidates;

    INSERT INTO tmp_candidates (item_no, username, full_name, repeat_no, user_id, code)
    SELECT
        i.item_no,
        i.username,
        i.full_name,
        ROW_NUMBER() OVER (PARTITION BY i.code IS NULL, i.username ORDER BY i.item_no),
        u.user_id,
        CASE
            WHEN i.code IS NOT NULL THEN i.code
            WHEN a.username <> i.username THEN 'not_own_session'
        END
    FROM (
        SELECT
            j.item_no - 1 AS item_no,
            j.username,
            j.full_name,
            CASE
                WHEN COALESCE(JSON_TYPE(j.item), 'NULL') <> 'OBJECT' THEN 'candidates_invalid'
                -- Text and nothing else: JSON_TABLE would make a name of true or 7. What is longer
                -- than its column is NULL here.
                WHEN COALESCE(TRIM(j.username), '') = ''
                    OR COALESCE(JSON_TYPE(j.username_json), 'NULL') <> 'STRING'
                    THEN 'username_invalid'
                WHEN COALESCE(TRIM(j.full_name), '') = ''
                    OR COALESCE(JSON_TYPE(j.full_name_json), 'NULL') <> 'STRING'
                    THEN 'full_name_invalid'
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
                full_name_json JSON         PATH '$.full_name'
            )
        ) AS j
    ) AS i
    LEFT JOIN users AS u FORCE INDEX (uq_users_username) ON u.username = i.username
    LEFT JOIN users AS a FORCE INDEX (PRIMARY)
        ON a.user_id = p_actor_id AND a.role = 'candidate';
END$$

DELIMITER ;

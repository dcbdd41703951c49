SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._chain_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._chain_submissions(
    p_items JSON
)
    RETURNS JSON
    COMMENT 'Lets each accepted item follow from those of its session before it'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Where a session comes more than once in an array, an item replaces what an
    --              earlier one has left. Called, too, where an item is refused or boards differ.
    -- Parameters:  p_items  of _lock_submissions, decided
    -- Result:      the accepted ones, by board and place, with row_no (of the board, from 1),
    --              is_last, version,
    --              total_before and the old_ scores as they follow from those before; NULL: none
    -- Errors:      none
    -- Locks:       none
    -- Example:     SET v_items = _chain_submissions(v_items);
    DECLARE v_chained JSON;

    SELECT JSON_ARRAYAGG(JSON_MERGE_PATCH(n.item, JSON_OBJECT(
        'row_no', n.row_no,
        'is_last', n.is_last,
        'version', n.version,
        'total_before', n.base_total_score + n.gained_so_far - n.gained,
        'old_raw_score', n.old_raw_score,
        'old_max_score', n.old_max_score,
        'old_weighted_score', n.old_weighted_score,
        'old_time_spent_sec', n.old_time_spent_sec
    )))
    INTO v_chained
    FROM (
        SELECT
            m.item, m.row_no, m.is_last, m.version, m.base_total_score, m.gained,
            m.old_raw_score, m.old_max_score, m.old_weighted_score, m.old_time_spent_sec,
            SUM(m.gained) OVER (PARTITION BY m.session_id ORDER BY m.item_no) AS gained_so_far
        FROM (
            SELECT
                i.item, i.board_id, i.item_no, i.session_id, i.base_total_score,
                ROW_NUMBER() OVER (PARTITION BY i.board_id ORDER BY i.item_no) AS row_no,
                LEAD(i.item_no) OVER of_module IS NULL AS is_last,
                i.base_version + ROW_NUMBER() OVER (PARTITION BY i.session_id ORDER BY i.item_no)
                    AS version,
                COALESCE(LAG(i.raw_score) OVER of_module, i.old_raw_score) AS old_raw_score,
                COALESCE(LAG(i.max_score) OVER of_module, i.old_max_score) AS old_max_score,
                COALESCE(LAG(i.weighted_score) OVER of_module, i.old_weighted_score)
                    AS old_weighted_score,
                COALESCE(LAG(i.time_spent_sec) OVER of_module, i.old_time_spent_sec)
                    AS old_time_spent_sec,
                i.weighted_score
                    - COALESCE(LAG(i.weighted_score) OVER of_module, i.old_weighted_score, 0)
                    AS gained
            FROM JSON_TABLE(
                p_items, '$[*]'
                COLUMNS (
                    item               JSON            PATH '$',
                    item_no            INT UNSIGNED    PATH '$.item_no',
                    board_id           BIGINT UNSIGNED PATH '$.board_id',
                    session_id         BIGINT UNSIGNED PATH '$.session_id',
                    module_type        VARCHAR(20)     PATH '$.module_type',
                    raw_score          DECIMAL(30, 20) PATH '$.raw_score',
                    max_score          DECIMAL(30, 20) PATH '$.max_score',
                    weighted_score     DECIMAL(7, 4)   PATH '$.weighted_score',
                    time_spent_sec     INT             PATH '$.time_spent_sec',
                    base_version       INT UNSIGNED    PATH '$.base_version',
                    base_total_score   DECIMAL(7, 4)   PATH '$.base_total_score',
                    old_raw_score      DECIMAL(30, 20) PATH '$.old_raw_score',
                    old_max_score      DECIMAL(30, 20) PATH '$.old_max_score',
                    old_weighted_score DECIMAL(7, 4)   PATH '$.old_weighted_score',
                    old_time_spent_sec INT             PATH '$.old_time_spent_sec',
                    code               VARCHAR(40)     PATH '$.code'
                )
            ) AS i
            WHERE i.code IS NULL
            WINDOW of_module AS (PARTITION BY i.session_id, i.module_type ORDER BY i.item_no)
        ) AS m
        ORDER BY m.board_id, m.item_no
        LIMIT 1000
    ) AS n;

    RETURN v_chained;
END$$

DELIMITER ;

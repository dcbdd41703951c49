SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

DROP PROCEDURE IF EXISTS podium_bench.bare_array;

DELIMITER $$

CREATE PROCEDURE podium_bench.bare_array(
    p_items JSON
)
    COMMENT 'Updates many rows and inserts as many in one transaction'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     What this server can write at best by the set: an array in one round trip, as
    --              submit_scores has it.
    -- Parameters:  p_items  array of [session_id, total_score]
    -- Result sets: number of rows inserted
    -- Errors:      none
    -- Transaction: its own
    -- Locks:       the rows of the sessions, in ascending order
    -- Example:     CALL bare_array('[[1, 42.5], [2, 80]]');
    DECLARE v_inserted INT;

    START TRANSACTION;
    UPDATE (
        SELECT j.session_id, MAX(j.total_score) AS total_score
        FROM JSON_TABLE(
            p_items, '$[*]'
            COLUMNS (
                session_id  BIGINT        PATH '$[0]',
                total_score DECIMAL(7, 4) PATH '$[1]'
            )
        ) AS j
        GROUP BY j.session_id
        ORDER BY j.session_id
        LIMIT 1000
    ) AS i
    STRAIGHT_JOIN bare_totals AS t ON t.session_id = i.session_id
    SET t.total_score = i.total_score;
    INSERT INTO bare_audit_log (session_id, new_total_score, created_at)
    SELECT j.session_id, j.total_score, UTC_TIMESTAMP(6)
    FROM JSON_TABLE(
        p_items, '$[*]'
        COLUMNS (
            session_id  BIGINT        PATH '$[0]',
            total_score DECIMAL(7, 4) PATH '$[1]'
        )
    ) AS j;
    SET v_inserted = ROW_COUNT();
    COMMIT;
    SELECT v_inserted;
END$$

DELIMITER ;

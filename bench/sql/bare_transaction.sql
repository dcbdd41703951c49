SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

DROP PROCEDURE IF EXISTS podium_bench.bare_transaction;

DELIMITER $$

CREATE PROCEDURE podium_bench.bare_transaction(
    p_session_id  BIGINT,
    p_total_score DECIMAL(7, 4)
)
    COMMENT 'Updates one row and inserts another in one transaction'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     What this server can commit at best: one round trip, as submit_score has.
    -- Parameters:  p_session_id   of bare_totals
    --              p_total_score  0 to 100
    -- Result sets: none
    -- Errors:      none
    -- Transaction: its own
    -- Locks:       the row of the session
    -- Example:     CALL bare_transaction(1, 42.5);
    START TRANSACTION;
    UPDATE bare_totals SET total_score = p_total_score WHERE session_id = p_session_id;
    INSERT INTO bare_audit_log (session_id, new_total_score, created_at)
    VALUES (p_session_id, p_total_score, UTC_TIMESTAMP(6));
    COMMIT;
END$$

DELIMITER ;

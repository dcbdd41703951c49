SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._deadline;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._deadline(
    p_started_at   DATETIME(6),
    p_duration_sec BIGINT,
    p_ends_at      DATETIME(6)
)
    RETURNS DATETIME(6)
    COMMENT 'When an attempt must be handed in'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one definition, for a new attempt and for one whose exam is changed.
    -- Parameters:  p_started_at    of the attempt
    --              p_duration_sec  of the exam; NULL: unlimited
    --              p_ends_at       of the exam; NULL: never closes
    -- Result:      the earlier of the two; NULL where the exam has neither
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _deadline('2026-12-01 09:00', 3600, '2026-12-01 09:30');
    --              2026-12-01 09:30:00.000000
    DECLARE v_deadline_at DATETIME(6) DEFAULT p_started_at + INTERVAL p_duration_sec SECOND;

    RETURN COALESCE(LEAST(v_deadline_at, p_ends_at), v_deadline_at, p_ends_at);
END$$

DELIMITER ;

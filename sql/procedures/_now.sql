SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._now;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._now()
    RETURNS DATETIME(6)
    COMMENT 'The present moment in UTC'
    NOT DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     UTC_TIMESTAMP is the moment at which the client's statement began, before it
    --              waited for a lock. What is committed bears the moment at which it is written.
    -- Parameters:  none
    -- Result:      the time of the server's clock in UTC, whatever time zone the caller has set
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _now();
    DECLARE v_now DATETIME(6);

    SELECT /*+ SET_VAR(time_zone = '+00:00') */ SYSDATE(6) INTO v_now;
    RETURN v_now;
END$$

DELIMITER ;

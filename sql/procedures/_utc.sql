SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._utc;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._utc(
    p_text VARCHAR(255),
    p_name VARCHAR(64)
)
    RETURNS DATETIME(6)
    COMMENT 'Reads a time, whatever the time zone of the session'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A parameter of type DATETIME would be converted before the body runs: a literal
    --              with an offset into the session's time zone. So whatever takes a time takes it
    --              as text, and reads it here.
    -- Parameters:  p_text  a DATETIME, which is in UTC, or RFC 3339: 2026-12-01T09:00:00+01:00; the
    --                      time of day, its seconds and its fraction may be left out
    --              p_name  of the field, for the message
    -- Result:      in UTC, to the microsecond; NULL for NULL
    -- Errors:      time_invalid
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     SELECT _utc('2026-12-01T09:00:00+01:00', 'starts_at');
    --              2026-12-01 08:00:00.000000
    DECLARE v_local VARCHAR(255);
    DECLARE v_offset VARCHAR(6);
    DECLARE v_minutes INT DEFAULT 0;
    DECLARE v_utc DATETIME(6);

    IF p_text IS NULL THEN
        RETURN NULL;
    END IF;

    IF REGEXP_LIKE(p_text, CONCAT(
        '^[0-9]{4}-[0-9]{2}-[0-9]{2}',
        '([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-5][0-9])?)?\\z'), 'i')
    THEN
        SET p_text = UPPER(p_text);
        SET v_offset = REGEXP_SUBSTR(p_text, '(Z|[+-][0-9]{2}:[0-9]{2})$', 11);
        SET v_local = LEFT(p_text, CHAR_LENGTH(p_text) - COALESCE(CHAR_LENGTH(v_offset), 0));
        IF v_offset LIKE '_%:%' THEN
            SET v_minutes = SUBSTRING(v_offset, 2, 2) * 60 + RIGHT(v_offset, 2);
        END IF;
        BEGIN
            -- A day or an hour that does not exist, or past the year 9999: refused below.
            DECLARE EXIT HANDLER FOR 1292, 1441 SET v_utc = NULL;

            IF v_minutes < 1440 AND LEFT(v_local, 4) <> '0000' THEN
                SET v_utc = CAST(v_local AS DATETIME(6));
                SET v_utc = v_utc - INTERVAL IF(v_offset LIKE '-%', -v_minutes, v_minutes) MINUTE;
            END IF;
        END;
    END IF;

    IF v_utc IS NULL OR v_utc < '0001-01-01' THEN
        CALL _raise('time_invalid', CONCAT(
            p_name, ' must be a time such as 2026-12-01T09:00:00Z'));
    END IF;
    RETURN v_utc;
END$$

DELIMITER ;

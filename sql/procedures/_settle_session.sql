SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._settle_session;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._settle_session()
    COMMENT 'Takes back the clock and the next id that the caller has set'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     SET timestamp and SET insert_id take no privilege: an account with EXECUTE alone
    --              would choose the times of the history and evade deadlines, or use up the ids of
    --              a table for good. Called by whoever writes a table that draws its ids.
    -- Parameters:  none
    -- Result sets: none
    -- Errors:      none
    -- Transaction: none of its own
    -- Locks:       none; a temporary table only, made anew: what was one before may be the caller's
    -- Example:     CALL _settle_session();
    SET timestamp = DEFAULT;

    -- The id goes to the first row that draws one, and cannot be taken back in any other way: an id
    -- of 0 cannot even be seen. Any other becomes 1, since the last there is would fail here.
    IF @@insert_id <> 0 THEN
        SET insert_id = 1;
    END IF;
    DROP TEMPORARY TABLE IF EXISTS tmp_drawn_id;
    CREATE TEMPORARY TABLE tmp_drawn_id (
        drawn_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        PRIMARY KEY (drawn_id)
    ) ENGINE = InnoDB;
    INSERT INTO tmp_drawn_id (drawn_id) VALUES (NULL);
    DROP TEMPORARY TABLE tmp_drawn_id;
END$$

DELIMITER ;

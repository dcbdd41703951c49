SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._verdict;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._verdict(
    p_problems BIGINT UNSIGNED,
    p_listed   BIGINT UNSIGNED
)
    RETURNS VARCHAR(100)
    COMMENT 'Sums up a check in words'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The verdict of check_leaderboard and verify_audit.
    -- Parameters:  p_problems  how many were found
    --              p_listed    how many of them are told at most
    -- Result:      all is well, or their number
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _verdict(2, 1000);      -- 2 problems
    RETURN CASE
        WHEN p_problems = 0 THEN 'all is well'
        WHEN p_problems > p_listed
            THEN CONCAT(p_problems, ' problems, of which the first ', p_listed, ' are listed')
        ELSE CONCAT(p_problems, IF(p_problems = 1, ' problem', ' problems'))
    END;
END$$

DELIMITER ;

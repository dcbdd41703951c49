SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._revision_hash;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._revision_hash(
    p_previous_hash BINARY(32),
    p_revision      BIGINT UNSIGNED,
    p_reason        VARCHAR(20),
    p_submissions   INT UNSIGNED,
    p_actor         VARCHAR(300),
    p_account       VARCHAR(300),
    p_details       JSON,
    p_committed_at  DATETIME(6),
    p_digests       LONGTEXT CHARACTER SET ascii
)
    RETURNS BINARY(32)
    COMMENT 'Hash of one link of the chain of a board'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one definition of the chain, for writing it and for verifying it.
    -- Parameters:  p_previous_hash  of the revision before; of revision 1: see create_exam
    --              p_digests        digests of its audit rows in hex, in order, without separator;
    --                               may be NULL
    -- Result:      SHA-256
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT HEX(_revision_hash(
    --                  REPEAT('\0', 32), 1, 'recalculation', 0, 'user:1', USER(), NULL, NOW(6),
    --                  NULL));
    RETURN UNHEX(SHA2(JSON_ARRAY(
        HEX(p_previous_hash), p_revision, p_reason, p_submissions, p_actor, p_account,
        p_details, p_committed_at,
        SHA2(COALESCE(p_digests, ''), 256)
    ), 256));
END$$

DELIMITER ;

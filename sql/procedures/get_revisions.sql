SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_revisions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_revisions(
    p_exam_id BIGINT,
    p_after   BIGINT,
    p_limit   BIGINT
)
    COMMENT 'Reads where a board stands and the changes that led there'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     What has happened to a board since a revision. Revisions have no gaps and come
    --              in commit order: whoever goes on behind the last one they saw misses nothing.
    -- Parameters:  p_exam_id  of create_exam
    --              p_after    revision to go on behind; NULL: from the first
    --              p_limit    1 to 1000 rows; NULL: 100
    -- Result sets: 1. exam_id, revision, total_participants, changed_at, epoch: how the board
    --                 stands; after_epoch, of p_after; NULL: there is no such revision
    --              2. revision, reason, submissions, committed_at, epoch, by revision, none of them
    --                 newer than the first result set.
    --                 An epoch is 16 hexadecimal digits of the revision's hash. It tells a revision
    --                 from one of the same number in another history: a dump was restored
    -- Errors:      exam_not_found, limit_invalid; 1568 inside an open transaction
    -- Transaction: statements of their own
    -- Locks:       none
    -- Example:     CALL get_revisions(1, 1, 10);
    --              exam_id revision total_participants changed_at                 epoch ...
    --                    1        2                  2 2026-11-25 00:14:45.432311 5b1e… ...
    --              revision reason      submissions committed_at               epoch
    --                     2 submissions           1 2026-11-25 00:14:45.432311 5b1e…
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_revision BIGINT UNSIGNED;
    DECLARE v_participants INT UNSIGNED;
    DECLARE v_changed_at DATETIME(6);
    DECLARE v_next BIGINT UNSIGNED;
    DECLARE v_hash, v_after_hash BINARY(32);
    DECLARE v_limit BIGINT DEFAULT COALESCE(p_limit, 100);
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1;

    IF v_limit NOT BETWEEN 1 AND 1000 THEN
        CALL _raise('limit_invalid', 'limit must be 1 to 1000');
    END IF;
    CALL _find_board(p_exam_id, v_board_id);

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SELECT revision, total_participants, changed_at, head_hash
    INTO v_revision, v_participants, v_changed_at, v_hash
    FROM leaderboards
    WHERE board_id = v_board_id;
    IF p_after >= 0 AND p_after < v_revision THEN
        SET v_next = p_after + 1;
    END IF;

    -- Each revision holds the hash of the one before it, and the first one the board's own.
    -- Not SET: see _find_board.
    SELECT
        COALESCE(
            (
                SELECT hash FROM leaderboard_revisions
                WHERE board_id = v_board_id AND revision = v_revision
            ),
            v_hash
        ),
        (
            SELECT previous_hash FROM leaderboard_revisions
            WHERE board_id = v_board_id AND revision = v_next
        )
    INTO v_hash, v_after_hash;

    SELECT
        p_exam_id AS exam_id,
        v_revision AS revision,
        v_participants AS total_participants,
        v_changed_at AS changed_at,
        LOWER(HEX(LEFT(v_hash, 8))) AS epoch,
        LOWER(HEX(LEFT(IF(p_after = v_revision, v_hash, v_after_hash), 8))) AS after_epoch;

    -- Without a transaction the board may have moved on since: what came later is the next call's.
    SELECT
        revision, reason, submissions, committed_at, LOWER(HEX(LEFT(hash, 8))) AS epoch
    FROM leaderboard_revisions
    WHERE board_id = v_board_id
        AND revision > COALESCE(p_after, 0)
        AND revision <= v_revision
    ORDER BY revision
    LIMIT v_limit;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

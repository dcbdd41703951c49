SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._advance_board;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._advance_board(
    p_board_id BIGINT UNSIGNED,
    p_reason   VARCHAR(20),
    p_actor_id BIGINT,
    p_details  JSON
)
    COMMENT 'Closes a revision that no submission made'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A rebuilt board is a new revision too: whoever follows revisions sees it.
    -- Parameters:  p_board_id  of leaderboards
    --              p_reason    of leaderboard_revisions
    --              p_actor_id  acting user; NULL: the MySQL account itself
    --              p_details   what was changed; NULL: nothing but the board
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's, READ COMMITTED, the board locked
    -- Locks:       the new revision
    -- Example:     CALL _advance_board(1, 'recalculation', NULL, NULL);
    -- As text and back: a DECIMAL or a date inside a JSON value of MySQL's does not survive a dump,
    -- and what is hashed has to.
    DECLARE v_details JSON DEFAULT CAST(CAST(p_details AS CHAR) AS JSON);
    DECLARE v_now DATETIME(6) DEFAULT _now();

    INSERT INTO leaderboard_revisions (
        board_id, revision, reason, submissions, actor, account, details, previous_hash, hash,
        committed_at
    )
    SELECT
        n.board_id, n.revision, p_reason, 0, n.actor, n.account, v_details, n.previous_hash,
        _revision_hash(
            n.previous_hash, n.revision, p_reason, 0, n.actor, n.account, v_details,
            n.committed_at, NULL),
        n.committed_at
    FROM (
        SELECT
            board_id,
            revision + 1 AS revision,
            COALESCE(CONCAT('user:', p_actor_id), USER()) AS actor,
            USER() AS account,
            head_hash AS previous_hash,
            GREATEST(v_now, changed_at) AS committed_at
        FROM leaderboards
        WHERE board_id = p_board_id
    ) AS n;

    UPDATE leaderboards AS b
    STRAIGHT_JOIN leaderboard_revisions AS r
        ON r.board_id = b.board_id AND r.revision = b.revision + 1
    SET b.revision = r.revision,
        b.head_hash = r.hash,
        b.changed_at = r.committed_at,
        b.total_participants = (
            SELECT COUNT(*) FROM leaderboard_snapshot AS s WHERE s.board_id = p_board_id
        )
    WHERE b.board_id = p_board_id;
END$$

DELIMITER ;

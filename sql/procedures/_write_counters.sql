SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

DROP PROCEDURE IF EXISTS podium._write_counters;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._write_counters()
    COMMENT 'Moves the written entries in the rank counters and reads their new ranks'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Each entry leaves its old standing and takes its new one. The counters move by these
    --              differences alone, so the cost does not depend on how many candidates there are.
    -- Parameters:  none; reads tmp_entries
    -- Result sets: none; sets entry_rank in tmp_entries
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE, the boards locked, the snapshot written
    -- Locks:       the counters changed, FOR UPDATE; those that a rank sums, shared
    -- Example:     CALL _write_counters();

    -- Level 0 first: only when it is written one sees which standings are new and which are left by all.
    INSERT INTO leaderboard_counters (board_id, level, parent, bucket, standings, entries)
    SELECT d.board_id, d.level, d.into_parent, d.into_bucket, d.gained > 0, GREATEST(d.gained, 0)
    FROM (
        SELECT
            e.board_id,
            l.level,
            IF(m.sign > 0, e.new_key, e.old_key) >> l.parent_shift AS into_parent,
            IF(m.sign > 0, e.new_key, e.old_key) >> l.bucket_shift AS into_bucket,
            SUM(m.sign) AS gained
        FROM tmp_entries AS e
        STRAIGHT_JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS m
        STRAIGHT_JOIN leaderboard_levels AS l
        WHERE l.level = 0 AND (m.sign > 0 OR e.old_key IS NOT NULL)
        GROUP BY e.board_id, l.level, into_parent, into_bucket
        HAVING gained <> 0
    ) AS d
    ON DUPLICATE KEY UPDATE
        entries = leaderboard_counters.entries + d.gained,
        standings = leaderboard_counters.entries > 0;   -- of the new entries: assigned from left to right

    INSERT INTO leaderboard_counters (board_id, level, parent, bucket, standings, entries)
    SELECT d.board_id, d.level, d.into_parent, d.into_bucket, GREATEST(d.standings_gained, 0), GREATEST(d.gained, 0)
    FROM (
        SELECT
            k.board_id,
            l.level,
            k.standing_key >> l.parent_shift AS into_parent,
            k.standing_key >> l.bucket_shift AS into_bucket,
            SUM(CAST(c.standings AS SIGNED) - (c.entries > k.gained)) AS standings_gained,
            SUM(k.gained) AS gained
        FROM (
            SELECT
                e.board_id,
                IF(m.sign > 0, e.new_key, e.old_key) AS standing_key,
                SUM(m.sign) AS gained
            FROM tmp_entries AS e
            STRAIGHT_JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS m
            WHERE m.sign > 0 OR e.old_key IS NOT NULL
            GROUP BY e.board_id, standing_key
            HAVING gained <> 0
        ) AS k
        STRAIGHT_JOIN leaderboard_levels AS z ON z.level = 0
        STRAIGHT_JOIN leaderboard_counters AS c
            ON c.board_id = k.board_id
            AND c.level = z.level
            AND c.parent = k.standing_key >> z.parent_shift
            AND c.bucket = k.standing_key >> z.bucket_shift
        STRAIGHT_JOIN leaderboard_levels AS l ON l.level > 0
        GROUP BY k.board_id, l.level, into_parent, into_bucket
        HAVING standings_gained <> 0 OR gained <> 0
    ) AS d
    ON DUPLICATE KEY UPDATE
        standings = leaderboard_counters.standings + d.standings_gained,
        entries = leaderboard_counters.entries + d.gained;

    UPDATE tmp_entries AS e
    SET e.entry_rank = 1 + (
        SELECT COALESCE(SUM(c.standings), 0)
        FROM leaderboard_levels AS l
        STRAIGHT_JOIN leaderboard_counters AS c
            ON c.board_id = e.board_id
            AND c.level = l.level
            AND c.parent = e.new_key >> l.parent_shift
            AND c.bucket > e.new_key >> l.bucket_shift
    );
END$$

DELIMITER ;

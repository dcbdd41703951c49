SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._apply_rank_deltas;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._apply_rank_deltas(
    p_moves JSON
)
    COMMENT 'Moves entries from one standing to another in the rank counters'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The only routine that changes the tree of counters in place. Each entry leaves
    --              its old standing and takes its new one; the counters move by these differences
    --              alone, so the cost does not depend on how many candidates there are.
    -- Parameters:  p_moves  array of objects: board_id, old_key (NULL: the entry comes onto the
    --                       board), new_key (NULL: it leaves the board)
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE, the boards locked
    -- Locks:       the counters of the ranges that the keys lie in: FOR UPDATE the rows that
    --              change, shared those that are looked at
    -- Example:     CALL _apply_rank_deltas(
    --                  '[{"board_id": 1, "old_key": null, "new_key": 3512758272303}]');
    DECLARE v_keys JSON;
    DECLARE v_crowded BOOLEAN;
    DECLARE v_parts JSON;

    -- The standings that somebody leaves or takes, where they are listed, and how many hold them
    -- before and after. The lowest range of a key that has a row tells where its standing is
    -- listed: in this range, or where it is divided in the part of it that has none yet. found: the
    -- level, and in the low 16 bits how many standings are listed there.
    SELECT JSON_ARRAYAGG(JSON_OBJECT(
        'board_id', p.board_id,
        'standing_key', p.standing_key,
        'level', l.level,
        'parent', p.standing_key >> l.shift << l.shift,
        'old_entries', COALESCE(c.entries, 0),
        'new_entries', COALESCE(c.entries, 0) + p.gained
    )), MAX((p.found & 65535) + JSON_LENGTH(p_moves) > l.capacity)
    INTO v_keys, v_crowded
    FROM (
        SELECT
            k.board_id, k.standing_key, k.gained,
            COALESCE(
                (
                    SELECT (l.level - 1 - r.divided << 16) + IF(r.divided, 0, r.standings)
                    FROM leaderboard_levels AS l FORCE INDEX (PRIMARY)
                    STRAIGHT_JOIN leaderboard_counters AS r FORCE INDEX (PRIMARY)
                        ON r.board_id = k.board_id
                        AND r.level = l.level
                        AND r.parent = k.standing_key >> l.shift << l.shift
                        AND r.bucket = k.standing_key >> l.child_shift << l.child_shift
                    WHERE l.child_shift > 0 AND r.divided IS NOT NULL
                    ORDER BY l.level
                    LIMIT 1
                ),
                (SELECT MAX(l.level) - 1 << 16 FROM leaderboard_levels AS l)
            ) AS found
        FROM (
            SELECT
                j.board_id,
                IF(m.sign > 0, j.new_key, j.old_key) AS standing_key,
                SUM(m.sign) AS gained
            FROM JSON_TABLE(
                p_moves, '$[*]'
                COLUMNS (
                    board_id BIGINT UNSIGNED PATH '$.board_id',
                    old_key  BIGINT          PATH '$.old_key',
                    new_key  BIGINT          PATH '$.new_key'
                )
            ) AS j
            STRAIGHT_JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS m
            WHERE IF(m.sign > 0, j.new_key, j.old_key) IS NOT NULL
            GROUP BY j.board_id, standing_key
            HAVING gained <> 0
        ) AS k
    ) AS p
    STRAIGHT_JOIN leaderboard_levels AS l ON l.level = p.found >> 16
    LEFT JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
        ON c.board_id = p.board_id
        AND c.level = l.level
        AND c.parent = p.standing_key >> l.shift << l.shift
        AND c.bucket = p.standing_key;

    -- What would list too many standings is divided first, and its parts, where all crowd into one:
    -- as many rounds as there are levels, and mostly none. Divided afterwards, what this call lists
    -- would have to move, and InnoDB would pass over each place it has moved from.
    divide: WHILE v_crowded DO
        SELECT JSON_ARRAYAGG(JSON_OBJECT(
            'board_id', n.board_id,
            'level', n.level,
            'parent', n.parent,
            'bucket', n.part,
            'child_shift', n.child_shift,
            'standings', n.standings,
            'entries', n.entries
        ))
        INTO v_parts
        FROM (
            SELECT
                f.board_id, f.level, f.parent,
                COALESCE(c.bucket >> l.child_shift << l.child_shift, f.parent) AS part,
                l.child_shift,
                COUNT(c.bucket) AS standings,
                COALESCE(SUM(c.entries), 0) AS entries
            FROM (
                SELECT
                    j.board_id, j.level, j.parent,
                    SUM(j.new_entries > 0) - SUM(j.old_entries > 0) AS standings_gained
                FROM JSON_TABLE(
                    v_keys, '$[*]'
                    COLUMNS (
                        board_id    BIGINT UNSIGNED  PATH '$.board_id',
                        level       TINYINT UNSIGNED PATH '$.level',
                        parent      BIGINT           PATH '$.parent',
                        old_entries INT              PATH '$.old_entries',
                        new_entries INT              PATH '$.new_entries'
                    )
                ) AS j
                GROUP BY j.board_id, j.level, j.parent
                HAVING standings_gained > 0
            ) AS f
            STRAIGHT_JOIN leaderboard_levels AS l ON l.level = f.level
            STRAIGHT_JOIN leaderboard_levels AS u ON u.level = f.level + 1
            LEFT JOIN leaderboard_counters AS r FORCE INDEX (PRIMARY)
                ON r.board_id = f.board_id
                AND r.level = u.level
                AND r.parent = f.parent >> u.shift << u.shift
                AND r.bucket = f.parent
            LEFT JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
                ON c.board_id = f.board_id
                AND c.level = IF(
                    COALESCE(r.standings, 0) + f.standings_gained > l.capacity, f.level, NULL)
                AND c.parent = f.parent
            WHERE COALESCE(r.standings, 0) + f.standings_gained > l.capacity
            GROUP BY f.board_id, f.level, f.parent, part, l.child_shift
        ) AS n;

        IF v_parts IS NULL THEN
            LEAVE divide;
        END IF;

        -- The standings that were listed go down a level, the parts take their place. A range that
        -- has listed none so far has no parts yet, and one row here with nothing in it.
        UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ (
            SELECT DISTINCT j.board_id, j.level, j.parent, j.child_shift
            FROM JSON_TABLE(
                v_parts, '$[*]'
                COLUMNS (
                    board_id    BIGINT UNSIGNED  PATH '$.board_id',
                    level       TINYINT UNSIGNED PATH '$.level',
                    parent      BIGINT           PATH '$.parent',
                    child_shift TINYINT UNSIGNED PATH '$.child_shift'
                )
            ) AS j
        ) AS f
        STRAIGHT_JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
            ON c.board_id = f.board_id
            AND c.level = f.level
            AND c.parent = f.parent
        SET c.level = f.level - 1,
            c.parent = c.bucket >> f.child_shift << f.child_shift;

        INSERT INTO leaderboard_counters (
            board_id, level, parent, bucket, standings, entries, divided
        )
        SELECT j.board_id, j.level, j.parent, j.bucket, j.standings, j.entries, FALSE
        FROM JSON_TABLE(
            v_parts, '$[*]'
            COLUMNS (
                board_id  BIGINT UNSIGNED  PATH '$.board_id',
                level     TINYINT UNSIGNED PATH '$.level',
                parent    BIGINT           PATH '$.parent',
                bucket    BIGINT           PATH '$.bucket',
                standings INT              PATH '$.standings',
                entries   INT              PATH '$.entries'
            )
        ) AS j
        WHERE j.standings > 0;

        -- So do the keys that lie in what was divided.
        SELECT JSON_ARRAYAGG(IF(f.level IS NULL, k.item, JSON_SET(
            k.item,
            '$.level', k.level - 1,
            '$.parent', k.standing_key >> f.child_shift << f.child_shift)))
        INTO v_keys
        FROM JSON_TABLE(
            v_keys, '$[*]'
            COLUMNS (
                item         JSON             PATH '$',
                board_id     BIGINT UNSIGNED  PATH '$.board_id',
                standing_key BIGINT           PATH '$.standing_key',
                level        TINYINT UNSIGNED PATH '$.level',
                parent       BIGINT           PATH '$.parent'
            )
        ) AS k
        LEFT JOIN (
            SELECT DISTINCT j.board_id, j.level, j.parent, j.child_shift
            FROM JSON_TABLE(
                v_parts, '$[*]'
                COLUMNS (
                    board_id    BIGINT UNSIGNED  PATH '$.board_id',
                    level       TINYINT UNSIGNED PATH '$.level',
                    parent      BIGINT           PATH '$.parent',
                    child_shift TINYINT UNSIGNED PATH '$.child_shift'
                )
            ) AS j
        ) AS f
            ON f.board_id = k.board_id AND f.level = k.level AND f.parent = k.parent;
    END WHILE;

    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ c
    FROM JSON_TABLE(
        v_keys, '$[*]'
        COLUMNS (
            board_id     BIGINT UNSIGNED  PATH '$.board_id',
            standing_key BIGINT           PATH '$.standing_key',
            level        TINYINT UNSIGNED PATH '$.level',
            parent       BIGINT           PATH '$.parent',
            new_entries  INT              PATH '$.new_entries'
        )
    ) AS k
    STRAIGHT_JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
        ON c.board_id = k.board_id
        AND c.level = k.level
        AND c.parent = k.parent
        AND c.bucket = k.standing_key
    WHERE k.new_entries = 0;

    INSERT INTO leaderboard_counters (board_id, level, parent, bucket, standings, entries)
    SELECT k.board_id, k.level, k.parent, k.standing_key, 1, k.new_entries
    FROM JSON_TABLE(
        v_keys, '$[*]'
        COLUMNS (
            board_id     BIGINT UNSIGNED  PATH '$.board_id',
            standing_key BIGINT           PATH '$.standing_key',
            level        TINYINT UNSIGNED PATH '$.level',
            parent       BIGINT           PATH '$.parent',
            new_entries  INT              PATH '$.new_entries'
        )
    ) AS k
    WHERE k.new_entries > 0
    ON DUPLICATE KEY UPDATE entries = k.new_entries;

    INSERT INTO leaderboard_counters (
        board_id, level, parent, bucket, standings, entries, divided
    )
    SELECT
        d.board_id, d.level, d.parent, d.bucket,
        -- The CHECK sees this row before its key is found to exist: whoever leaves a shared
        -- standing for a new one in the same range adds a standing and no entry.
        GREATEST(d.standings_gained, 0), GREATEST(d.standings_gained, d.gained, 0),
        d.divided
    FROM (
        SELECT
            k.board_id,
            l.level,
            k.standing_key >> l.shift << l.shift AS parent,
            k.standing_key >> l.child_shift << l.child_shift AS bucket,
            SUM(k.new_entries > 0) - SUM(k.old_entries > 0) AS standings_gained,
            SUM(k.new_entries - k.old_entries) AS gained,
            MIN(k.level) < l.level - 1 AS divided
        FROM JSON_TABLE(
            v_keys, '$[*]'
            COLUMNS (
                board_id     BIGINT UNSIGNED  PATH '$.board_id',
                standing_key BIGINT           PATH '$.standing_key',
                level        TINYINT          PATH '$.level',
                old_entries  INT              PATH '$.old_entries',
                new_entries  INT              PATH '$.new_entries'
            )
        ) AS k
        -- A few rows: a range of them would be planned anew for each standing.
        STRAIGHT_JOIN leaderboard_levels AS l IGNORE INDEX (PRIMARY)
            ON l.level > k.level
        GROUP BY
            k.board_id, l.level, k.standing_key >> l.shift << l.shift,
            k.standing_key >> l.child_shift << l.child_shift
        HAVING standings_gained <> 0 OR gained <> 0
    ) AS d
    ON DUPLICATE KEY UPDATE
        standings = leaderboard_counters.standings + d.standings_gained,
        entries = leaderboard_counters.entries + d.gained,
        divided = leaderboard_counters.divided OR d.divided;
END$$

DELIMITER ;

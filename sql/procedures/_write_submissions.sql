SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_submissions()
    RETURNS BOOLEAN
    COMMENT 'Writes the accepted items and all that follows from them, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Scores, session totals, entries, counters, ranks, audit rows, revision: done or
    --              undone as a whole. KILL QUERY, which is what Ctrl-C in the mysql client sends,
    --              runs no handler: between the statements of a procedure it would leave half a
    --              submission in an open transaction, for the next COMMIT to keep. A function is
    --              one statement to the server.
    -- Parameters:  none; reads tmp_submissions and tmp_items, leaves in tmp_entries what became of
    --              the boards
    -- Result:      TRUE. It depends on the tables alone, hence DETERMINISTIC, which the server
    --              demands of a function that writes while the binary log is on
    -- Errors:      1062 where the same submission id has been committed since it was looked up: the
    --              caller starts again and finds it as a replay
    -- Transaction: the caller's, SERIALIZABLE, the boards locked
    -- Locks:       FOR UPDATE, in this order, the module scores, sessions, entries and counters
    --              written; shared, the counters that a rank sums. Where an exam allows several
    --              attempts, also the candidate's other sessions, shared, with the gap behind them:
    --              a new attempt waits. STRAIGHT_JOIN and FORCE INDEX throughout: from the few rows
    --              of this call to the tables by their keys. Of tables that it takes for small the
    --              optimizer would otherwise read, and so lock, what belongs to other boards.
    -- Example:     SET v_written = _write_submissions();

    -- One long body, since a temporary table cannot be reopened (1137) where two routines below a
    -- function use it, nor where it goes by two names: tmp_submissions is t, tmp_items is i, the
    -- others have no second one.

    -- Scores. The last accepted item of a module stands.
    INSERT INTO module_scores (
        session_id, module_type, raw_score, max_score, weighted_score, time_spent_sec, details,
        submitted_at
    )
    SELECT
        n.session_id, n.module_type, n.raw_score, n.max_score, n.weighted_score, n.time_spent_sec,
        n.details, UTC_TIMESTAMP(6)
    FROM (
        SELECT
            i.session_id, i.module_type, i.raw_score, i.max_score, i.weighted_score,
            i.time_spent_sec, tmp_details.details,
            ROW_NUMBER() OVER (
                PARTITION BY i.session_id, i.module_type ORDER BY i.item_no DESC
            ) AS newness
        FROM tmp_items AS i
        LEFT JOIN tmp_details ON tmp_details.place = i.place
        WHERE i.code IS NULL
    ) AS n
    WHERE n.newness = 1
    ON DUPLICATE KEY UPDATE
        raw_score = n.raw_score,
        max_score = n.max_score,
        weighted_score = n.weighted_score,
        time_spent_sec = n.time_spent_sec,
        details = n.details,
        submitted_at = UTC_TIMESTAMP(6);

    -- Sessions. Each accepted item counts one version.
    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ (
        SELECT
            n.session_id,
            COUNT(*) AS accepted,
            SUM(IF(n.newness = 1, n.time_spent_sec - COALESCE(n.old_time_spent_sec, 0), 0))
                AS time_gained,
            MAX(IF(n.newness = 1 AND n.module_type = 'coding', n.weighted_score, NULL)) AS coding,
            MAX(IF(n.newness = 1 AND n.module_type = 'quiz', n.weighted_score, NULL)) AS quiz,
            MAX(IF(n.newness = 1 AND n.module_type = 'assessment', n.weighted_score, NULL))
                AS assessment
        FROM (
            SELECT
                i.session_id, i.module_type, i.weighted_score, i.time_spent_sec,
                i.old_time_spent_sec,
                ROW_NUMBER() OVER (
                    PARTITION BY i.session_id, i.module_type ORDER BY i.item_no DESC
                ) AS newness
            FROM tmp_items AS i
            WHERE i.code IS NULL
        ) AS n
        GROUP BY n.session_id
    ) AS a
    STRAIGHT_JOIN exam_sessions AS s FORCE INDEX (PRIMARY) ON s.session_id = a.session_id
    SET s.version = s.version + a.accepted,
        s.total_time_sec = s.total_time_sec + a.time_gained,
        s.weighted_coding = COALESCE(a.coding, s.weighted_coding),
        s.weighted_quiz = COALESCE(a.quiz, s.weighted_quiz),
        s.weighted_assessment = COALESCE(a.assessment, s.weighted_assessment);

    -- Entries: the attempt that counts for each candidate, with the standing before and after.
    INSERT INTO tmp_entries (
        entry_no, board_id, user_id, session_id, total_score, total_time_sec,
        weighted_coding, weighted_quiz, weighted_assessment, old_key, new_key
    )
    SELECT
        ROW_NUMBER() OVER (ORDER BY c.board_id, c.user_id),
        c.board_id, c.user_id, c.session_id, c.total_score, c.total_time_sec,
        c.weighted_coding, c.weighted_quiz, c.weighted_assessment, o.standing_key, c.standing_key
    FROM (
        SELECT
            a.board_id,
            a.user_id,
            a.submitted_before OR COUNT(*) OVER (PARTITION BY a.board_id, a.user_id) > a.attempts
                AS listed,
            p.session_id,
            p.total_score,
            p.total_time_sec,
            COALESCE(p.weighted_coding, 0) AS weighted_coding,
            COALESCE(p.weighted_quiz, 0) AS weighted_quiz,
            COALESCE(p.weighted_assessment, 0) AS weighted_assessment,
            p.standing_key,
            ROW_NUMBER() OVER (
                PARTITION BY a.board_id, a.user_id
                ORDER BY
                    CASE a.attempt_policy
                        WHEN 'best' THEN -p.standing_key
                        WHEN 'latest' THEN -CAST(p.attempt_no AS SIGNED)
                        ELSE CAST(p.attempt_no AS SIGNED)
                    END,
                    p.attempt_no
            ) AS preference
        FROM (
            SELECT
                i.board_id,
                i.user_id,
                MIN(i.exam_id) AS exam_id,
                MIN(i.session_id) AS session_id,
                MIN(i.attempt_policy) AS attempt_policy,
                MIN(i.max_attempts) AS max_attempts,
                MAX(i.base_version) > 0 AS submitted_before,
                COUNT(DISTINCT i.session_id) AS attempts
            FROM tmp_items AS i
            WHERE i.code IS NULL
            GROUP BY i.board_id, i.user_id
        ) AS a
        -- One attempt at most: the session itself, found by its key, and no range is locked.
        LEFT JOIN exam_sessions AS r FORCE INDEX (uq_exam_sessions_exam_user_attempt)
            ON r.exam_id = IF(a.max_attempts > 1, a.exam_id, NULL)
            AND r.user_id = a.user_id
            AND r.version > 0
        STRAIGHT_JOIN exam_sessions AS p FORCE INDEX (PRIMARY)
            ON p.session_id = COALESCE(r.session_id, a.session_id)
    ) AS c
    -- No key, no look-up, no gap locked: see _lock_submissions.
    LEFT JOIN leaderboard_snapshot AS o FORCE INDEX (PRIMARY)
        ON o.board_id = c.board_id
        AND o.user_id = IF(c.listed, c.user_id, NULL)
    WHERE c.preference = 1;

    INSERT INTO leaderboard_snapshot (
        board_id, user_id, session_id, total_score, total_time_sec, standing_key
    )
    SELECT board_id, user_id, session_id, total_score, total_time_sec, new_key
    FROM tmp_entries
    ON DUPLICATE KEY UPDATE
        session_id = tmp_entries.session_id,
        total_score = tmp_entries.total_score,
        total_time_sec = tmp_entries.total_time_sec,
        standing_key = tmp_entries.new_key;

    -- Counters: each entry leaves its old standing and takes its new one. They move by these
    -- differences alone, so the cost does not depend on how many candidates there are. The lowest
    -- range of a key that has a row tells where its standing is listed: in this range, or where it
    -- is divided in the part of it that has none yet.
    INSERT INTO tmp_standings (board_id, standing_key, level, parent, old_entries, new_entries)
    SELECT
        p.board_id, p.standing_key, p.level, p.standing_key >> l.shift << l.shift,
        COALESCE(c.entries, 0), COALESCE(c.entries, 0) + p.gained
    FROM (
        SELECT
            k.board_id, k.standing_key, k.gained,
            COALESCE(
                (
                    SELECT l.level - 1 - r.divided
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
                (SELECT MAX(level) - 1 FROM leaderboard_levels)
            ) AS level
        FROM (
            SELECT
                board_id,
                IF(m.sign > 0, new_key, old_key) AS standing_key,
                SUM(m.sign) AS gained
            FROM tmp_entries
            STRAIGHT_JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS m
            WHERE m.sign > 0 OR old_key IS NOT NULL
            GROUP BY board_id, standing_key
            HAVING gained <> 0
        ) AS k
    ) AS p
    STRAIGHT_JOIN leaderboard_levels AS l ON l.level = p.level
    LEFT JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
        ON c.board_id = p.board_id
        AND c.level = p.level
        AND c.parent = p.standing_key >> l.shift << l.shift
        AND c.bucket = p.standing_key;

    -- What would list too many standings is divided first, and its parts, where all crowd into one:
    -- as many rounds as there are levels, and mostly none. Divided afterwards, what this call lists
    -- would have to move, and InnoDB would pass over each place it has moved from.
    divide: LOOP
        INSERT INTO tmp_parts (
            board_id, level, parent, bucket, child_shift, standings, entries
        )
        SELECT
            f.board_id, f.level, f.parent,
            COALESCE(c.bucket >> l.child_shift << l.child_shift, f.parent) AS part,
            l.child_shift, COUNT(c.bucket), COALESCE(SUM(c.entries), 0)
        FROM (
            SELECT
                board_id, level, parent,
                SUM((new_entries > 0) - (old_entries > 0)) AS standings_gained
            FROM tmp_standings
            GROUP BY board_id, level, parent
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
            AND c.level = f.level
            AND c.parent = f.parent
        WHERE COALESCE(r.standings, 0) + f.standings_gained > l.capacity
        GROUP BY f.board_id, f.level, f.parent, part, l.child_shift;

        IF ROW_COUNT() = 0 THEN
            LEAVE divide;
        END IF;

        -- The standings that were listed go down a level, the parts take their place. A range that
        -- has listed none so far has no parts yet, and one row here with nothing in it.
        UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ (
            SELECT DISTINCT board_id, level, parent, child_shift FROM tmp_parts
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
        SELECT board_id, level, parent, bucket, standings, entries, FALSE
        FROM tmp_parts
        WHERE standings > 0;

        UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ tmp_standings
        STRAIGHT_JOIN (
            SELECT DISTINCT board_id, level, parent, child_shift FROM tmp_parts
        ) AS f
            ON f.board_id = tmp_standings.board_id
            AND f.level = tmp_standings.level
            AND f.parent = tmp_standings.parent
        SET tmp_standings.level = f.level - 1,
            tmp_standings.parent =
                tmp_standings.standing_key >> f.child_shift << f.child_shift;

        DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_parts;
    END LOOP;

    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ c
    FROM tmp_standings
    STRAIGHT_JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
        ON c.board_id = tmp_standings.board_id
        AND c.level = tmp_standings.level
        AND c.parent = tmp_standings.parent
        AND c.bucket = tmp_standings.standing_key
    WHERE tmp_standings.new_entries = 0;

    INSERT INTO leaderboard_counters (board_id, level, parent, bucket, standings, entries)
    SELECT board_id, level, parent, standing_key, 1, new_entries
    FROM tmp_standings
    WHERE new_entries > 0
    ON DUPLICATE KEY UPDATE entries = tmp_standings.new_entries;

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
            tmp_standings.board_id,
            l.level,
            tmp_standings.standing_key >> l.shift << l.shift AS parent,
            tmp_standings.standing_key >> l.child_shift << l.child_shift AS bucket,
            SUM((new_entries > 0) - (old_entries > 0)) AS standings_gained,
            SUM(new_entries - old_entries) AS gained,
            MIN(tmp_standings.level) < l.level - 1 AS divided
        FROM tmp_standings
        -- A few rows: a range of them would be planned anew for each standing.
        STRAIGHT_JOIN leaderboard_levels AS l IGNORE INDEX (PRIMARY)
            ON l.level > tmp_standings.level
        GROUP BY
            tmp_standings.board_id, l.level, tmp_standings.standing_key >> l.shift << l.shift,
            tmp_standings.standing_key >> l.child_shift << l.child_shift
        HAVING standings_gained <> 0 OR gained <> 0
    ) AS d
    ON DUPLICATE KEY UPDATE
        standings = leaderboard_counters.standings + d.standings_gained,
        entries = leaderboard_counters.entries + d.gained,
        divided = leaderboard_counters.divided OR d.divided;

    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ tmp_entries
    SET entry_rank = 1 + (
        SELECT COALESCE(SUM(c.standings), 0)
        FROM leaderboard_levels AS l
        STRAIGHT_JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
            ON c.board_id = tmp_entries.board_id
            AND c.level = l.level
            AND c.parent = tmp_entries.new_key >> l.shift << l.shift
            AND c.bucket > tmp_entries.new_key
        -- Beside the whole board there is nothing, but looking there would lock the gap behind
        -- its last row, where the next board's rows begin.
        WHERE l.shift < 63
    );

    -- History: one audit row per accepted item, one revision per board with its hash.
    INSERT INTO score_audit_log (
        board_id, revision, item_no, submission_id, payload_hash, session_id, user_id, module_type,
        actor_id, actor, request_id, version,
        old_raw_score, old_max_score, old_weighted_score, old_time_spent_sec,
        new_raw_score, new_max_score, new_weighted_score, new_time_spent_sec, details,
        old_total_score, new_total_score,
        entry_rank, entry_total_score, entry_weighted_coding, entry_weighted_quiz,
        entry_weighted_assessment, entry_total_time_sec, created_at
    )
    SELECT
        c.board_id, b.revision + 1, c.item_no, c.submission_id, c.payload_hash, c.session_id,
        c.user_id, c.module_type,
        t.actor_id, COALESCE(CONCAT('user:', t.actor_id), USER()), t.request_id, c.version,
        c.old_raw_score, c.old_max_score, c.old_weighted_score, c.old_time_spent_sec,
        c.raw_score, c.max_score, c.weighted_score, c.time_spent_sec, tmp_details.details,
        c.base_total_score + c.gained_so_far - c.score_gained, c.base_total_score + c.gained_so_far,
        tmp_entries.entry_rank, tmp_entries.total_score, tmp_entries.weighted_coding,
        tmp_entries.weighted_quiz, tmp_entries.weighted_assessment, tmp_entries.total_time_sec,
        UTC_TIMESTAMP(6)
    FROM (
        SELECT
            m.place, m.board_id, m.item_no, m.submission_id, m.payload_hash, m.session_id,
            m.user_id, m.entry_no, m.module_type, m.raw_score, m.max_score, m.weighted_score,
            m.time_spent_sec, m.base_total_score, m.version, m.old_raw_score, m.old_max_score,
            m.old_weighted_score, m.old_time_spent_sec, m.score_gained,
            SUM(m.score_gained) OVER (PARTITION BY m.session_id ORDER BY m.item_no) AS gained_so_far
        FROM (
            SELECT
                i.place, i.board_id, i.item_no, i.submission_id, i.payload_hash, i.session_id,
                i.user_id,
                DENSE_RANK() OVER (ORDER BY i.board_id, i.user_id) AS entry_no,
                i.module_type, i.raw_score, i.max_score, i.weighted_score, i.time_spent_sec,
                i.base_total_score,
                i.base_version + ROW_NUMBER() OVER (PARTITION BY i.session_id ORDER BY i.item_no)
                    AS version,
                -- Replaced is what an earlier item of the array left, else what the table held.
                COALESCE(LAG(i.raw_score) OVER of_module, i.old_raw_score) AS old_raw_score,
                COALESCE(LAG(i.max_score) OVER of_module, i.old_max_score) AS old_max_score,
                COALESCE(LAG(i.weighted_score) OVER of_module, i.old_weighted_score)
                    AS old_weighted_score,
                COALESCE(LAG(i.time_spent_sec) OVER of_module, i.old_time_spent_sec)
                    AS old_time_spent_sec,
                i.weighted_score
                    - COALESCE(LAG(i.weighted_score) OVER of_module, i.old_weighted_score, 0)
                    AS score_gained
            FROM tmp_items AS i
            WHERE i.code IS NULL
            WINDOW of_module AS (PARTITION BY i.session_id, i.module_type ORDER BY i.item_no)
        ) AS m
    ) AS c
    STRAIGHT_JOIN tmp_submissions AS t ON t.place = c.place
    LEFT JOIN tmp_details ON tmp_details.place = c.place
    STRAIGHT_JOIN tmp_entries ON tmp_entries.entry_no = c.entry_no
    STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = c.board_id
    ORDER BY c.board_id, c.item_no;

    INSERT /*+ SET_VAR(group_concat_max_len = 1048576) */ INTO leaderboard_revisions (
        board_id, revision, reason, submissions, previous_hash, hash, committed_at
    )
    SELECT
        n.board_id, n.revision, n.reason, n.submissions, n.previous_hash,
        _revision_hash(n.previous_hash, n.revision, n.reason, n.submissions, NULL, NULL,
                       n.committed_at, n.digests),
        n.committed_at
    FROM (
        SELECT
            b.board_id,
            MAX(a.revision) AS revision,
            'submissions' AS reason,
            COUNT(*) AS submissions,
            MAX(b.head_hash) AS previous_hash,
            GREATEST(UTC_TIMESTAMP(6), MAX(b.changed_at)) AS committed_at,
            GROUP_CONCAT(HEX(a.digest) ORDER BY a.item_no SEPARATOR '') AS digests
        FROM tmp_items AS i
        STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = i.board_id
        -- Row by row: the range of the revision would lock the gap behind it.
        STRAIGHT_JOIN score_audit_log AS a FORCE INDEX (uq_score_audit_log_submission_id)
            ON a.submission_id = i.submission_id
        WHERE i.code IS NULL
        GROUP BY b.board_id
    ) AS n;

    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ (
        SELECT board_id, SUM(old_key IS NULL) AS joined
        FROM tmp_entries
        GROUP BY board_id
    ) AS w
    STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = w.board_id
    STRAIGHT_JOIN leaderboard_revisions AS r FORCE INDEX (PRIMARY)
        ON r.board_id = b.board_id AND r.revision = b.revision + 1
    SET b.revision = r.revision,
        b.head_hash = r.hash,
        b.changed_at = r.committed_at,
        b.total_participants = b.total_participants + w.joined;

    RETURN TRUE;
END$$

DELIMITER ;

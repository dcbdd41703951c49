SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_submissions(
    p_items   JSON,
    p_details JSON,
    p_recheck BOOLEAN
)
    RETURNS JSON
    COMMENT 'Locks, decides and writes submissions and all that follows from them'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Scores, session totals, entries, counters, ranks, audit rows, revision: done or
    --              undone as a whole, and no lock left behind, however the call ends. A function is
    --              one statement to the server, and with autocommit one transaction; KILL QUERY,
    --              which is what Ctrl-C in the mysql client sends, runs no handler. What it works
    --              on lies in local variables, which no caller can reach and no failed call leaves
    --              behind.
    -- Parameters:  p_items    of _read_submissions
    --              p_details  of _submit
    --              p_recheck  of _lock_submissions
    -- Result:      array of objects for the items that were refused under the lock: item_no, code
    --              ('replay': the same as an item before it), detail, current_version; NULL: none
    -- Errors:      1062 where the same submission id has been committed since it was looked up: the
    --              caller calls again, with p_recheck, and finds it as a replay
    -- Transaction: the statement's own, SERIALIZABLE, with p_recheck READ COMMITTED: all that
    --              writes a board holds its lock, whatever the isolation. Called by SET: a SELECT
    --              would make of its reads those of an older moment.
    -- Locks:       those of _lock_submissions, then FOR UPDATE, in this order, the module scores,
    --              sessions, entries and counters written; shared, the counters that a rank sums.
    --              Where an exam allows several attempts, also the candidate's other sessions,
    --              shared, with the gap behind them: a new attempt waits. STRAIGHT_JOIN and FORCE
    --              INDEX throughout: from the few rows of this call to the tables by their keys. Of
    --              tables that it takes for small the optimizer would otherwise read, and so lock,
    --              what belongs to other boards. foreign_key_checks is off where all parents are
    --              rows that this call has locked or that never go.
    -- Example:     SET v_refused = _write_submissions(v_items, v_details, FALSE);
    DECLARE v_items JSON DEFAULT _lock_submissions(p_items, p_recheck);
    DECLARE v_now DATETIME(6) DEFAULT _now();
    DECLARE v_accepted INT;
    DECLARE v_repeats, v_boards_differ, v_depends BOOLEAN;
    DECLARE v_refused JSON;
    DECLARE v_entries JSON;

    SELECT
        COUNT(*) - COUNT(j.code), COUNT(*) > COUNT(DISTINCT j.session_id),
        MIN(j.board_id) < MAX(j.board_id)
    INTO v_accepted, v_repeats, v_boards_differ
    FROM JSON_TABLE(
        v_items, '$[*]'
        COLUMNS (
            board_id   BIGINT UNSIGNED PATH '$.board_id',
            session_id BIGINT UNSIGNED PATH '$.session_id',
            code       VARCHAR(40)     PATH '$.code'
        )
    ) AS j;

    IF v_repeats THEN
        SELECT /*+ SET_VAR(max_sort_length = 1024) */ COALESCE(MAX(n.depends), FALSE)
        INTO v_depends
        FROM (
            SELECT
                COUNT(j.expected_version) > 0
                    OR COUNT(DISTINCT j.submission_id) < COUNT(*)
                    OR MAX(j.base_time_sec) + SUM(j.time_spent_sec) > 4194303 AS depends
            FROM JSON_TABLE(
                v_items, '$[*]'
                COLUMNS (
                    session_id       BIGINT UNSIGNED PATH '$.session_id',
                    expected_version BIGINT          PATH '$.expected_version',
                    submission_id    VARCHAR(64)     CHARACTER SET utf8mb4
                                                     COLLATE utf8mb4_0900_bin
                                                     PATH '$.submission_id',
                    base_time_sec    INT             PATH '$.base_time_sec',
                    time_spent_sec   INT             PATH '$.time_spent_sec'
                )
            ) AS j
            GROUP BY j.session_id
            HAVING COUNT(*) > 1
        ) AS n;
        IF v_depends THEN
            SET v_items = _decide_in_order(v_items);
        END IF;
    END IF;

    IF v_repeats OR v_boards_differ OR v_accepted < JSON_LENGTH(v_items) THEN
        SELECT JSON_ARRAYAGG(JSON_OBJECT(
            'item_no', j.item_no,
            'code', j.code,
            'detail', _refusal(
                j.code, j.session_id, j.exam_id, j.actor_id, j.expected_version, j.base_version),
            'current_version', j.base_version))
        INTO v_refused
        FROM JSON_TABLE(
            v_items, '$[*]'
            COLUMNS (
                item_no          INT UNSIGNED    PATH '$.item_no',
                exam_id          BIGINT UNSIGNED PATH '$.exam_id',
                session_id       BIGINT          PATH '$.session_id',
                actor_id         BIGINT          PATH '$.actor_id',
                expected_version BIGINT          PATH '$.expected_version',
                base_version     INT UNSIGNED    PATH '$.base_version',
                code             VARCHAR(40)     CHARACTER SET ascii COLLATE ascii_bin
                                                 PATH '$.code'
            )
        ) AS j
        WHERE j.code IS NOT NULL;
        SET v_items = _chain_submissions(v_items);
    END IF;

    IF v_items IS NULL THEN
        RETURN v_refused;
    END IF;

    -- Scores. The last item of a module stands.
    INSERT /*+ SET_VAR(foreign_key_checks = 0) */ INTO module_scores (
        session_id, module_type, raw_score, max_score, weighted_score, time_spent_sec, details,
        submitted_at
    )
    SELECT
        n.session_id, n.module_type, n.raw_score, n.max_score, n.weighted_score, n.time_spent_sec,
        JSON_EXTRACT(p_details, CONCAT('$."', n.item_no, '"')), v_now
    FROM JSON_TABLE(
        v_items, '$[*]'
        COLUMNS (
            item_no        INT UNSIGNED    PATH '$.item_no',
            session_id     BIGINT UNSIGNED PATH '$.session_id',
            module_type    VARCHAR(20)     PATH '$.module_type',
            raw_score      DECIMAL(30, 20) PATH '$.raw_score',
            max_score      DECIMAL(30, 20) PATH '$.max_score',
            weighted_score DECIMAL(7, 4)   PATH '$.weighted_score',
            time_spent_sec INT             PATH '$.time_spent_sec',
            is_last        BOOLEAN         PATH '$.is_last'
        )
    ) AS n
    WHERE n.is_last
    ON DUPLICATE KEY UPDATE
        raw_score = n.raw_score,
        max_score = n.max_score,
        weighted_score = n.weighted_score,
        time_spent_sec = n.time_spent_sec,
        details = JSON_EXTRACT(p_details, CONCAT('$."', n.item_no, '"')),
        submitted_at = v_now;

    -- Sessions. Each accepted item counts one version.
    UPDATE /*+ SET_VAR(sql_safe_updates = 0) SET_VAR(foreign_key_checks = 0) */ (
        SELECT
            n.session_id,
            COUNT(*) AS accepted,
            SUM(n.time_spent_sec - COALESCE(n.old_time_spent_sec, 0)) AS time_gained,
            MAX(IF(n.is_last AND n.module_type = 'coding', n.weighted_score, NULL)) AS coding,
            MAX(IF(n.is_last AND n.module_type = 'quiz', n.weighted_score, NULL)) AS quiz,
            MAX(IF(n.is_last AND n.module_type = 'assessment', n.weighted_score, NULL))
                AS assessment
        FROM JSON_TABLE(
            v_items, '$[*]'
            COLUMNS (
                session_id         BIGINT UNSIGNED PATH '$.session_id',
                module_type        VARCHAR(20)     PATH '$.module_type',
                weighted_score     DECIMAL(7, 4)   PATH '$.weighted_score',
                time_spent_sec     INT             PATH '$.time_spent_sec',
                old_time_spent_sec INT             PATH '$.old_time_spent_sec',
                is_last            BOOLEAN         PATH '$.is_last'
            )
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
    SELECT JSON_ARRAYAGG(JSON_OBJECT(
        'board_id', a.board_id,
        'user_id', a.user_id,
        'session_id', s.session_id,
        'total_score', s.total_score,
        'total_time_sec', s.total_time_sec,
        'weighted_coding', COALESCE(s.weighted_coding, 0),
        'weighted_quiz', COALESCE(s.weighted_quiz, 0),
        'weighted_assessment', COALESCE(s.weighted_assessment, 0),
        'old_key', o.standing_key,
        'new_key', s.standing_key
    ))
    INTO v_entries
    FROM (
        SELECT
            i.board_id,
            i.user_id,
            MIN(i.exam_id) AS exam_id,
            MIN(i.session_id) AS session_id,
            MIN(i.attempt_policy) AS attempt_policy,
            MIN(i.most_attempts) > 1 AS may_have_others,
            MAX(i.base_version) > 0 AS submitted_before,
            COUNT(DISTINCT i.session_id) AS attempts
        FROM JSON_TABLE(
            v_items, '$[*]'
            COLUMNS (
                board_id       BIGINT UNSIGNED   PATH '$.board_id',
                exam_id        BIGINT UNSIGNED   PATH '$.exam_id',
                session_id     BIGINT UNSIGNED   PATH '$.session_id',
                user_id        BIGINT UNSIGNED   PATH '$.user_id',
                base_version   INT UNSIGNED      PATH '$.base_version',
                most_attempts  SMALLINT UNSIGNED PATH '$.most_attempts',
                attempt_policy VARCHAR(20)       PATH '$.attempt_policy'
            )
        ) AS i
        GROUP BY i.board_id, i.user_id
    ) AS a
    -- One attempt at most: the session itself, found by its key, and no range is locked.
    STRAIGHT_JOIN exam_sessions AS s FORCE INDEX (PRIMARY)
        ON s.session_id = IF(a.may_have_others, (
            SELECT r.session_id
            FROM exam_sessions AS r FORCE INDEX (uq_exam_sessions_exam_user_attempt)
            WHERE r.exam_id = a.exam_id AND r.user_id = a.user_id AND r.version > 0
            ORDER BY
                CASE a.attempt_policy
                    WHEN 'best' THEN -r.standing_key
                    WHEN 'latest' THEN -CAST(r.attempt_no AS SIGNED)
                    ELSE CAST(r.attempt_no AS SIGNED)
                END,
                r.attempt_no
            LIMIT 1
        ), a.session_id)
    -- No key, no look-up, no gap locked: see _lock_submissions.
    LEFT JOIN leaderboard_snapshot AS o FORCE INDEX (PRIMARY)
        ON o.board_id = a.board_id
        AND o.user_id = IF(
            a.submitted_before OR (a.may_have_others AND a.attempts < (
                SELECT COUNT(*)
                FROM exam_sessions AS r FORCE INDEX (uq_exam_sessions_exam_user_attempt)
                WHERE r.exam_id = a.exam_id AND r.user_id = a.user_id AND r.version > 0
            )), a.user_id, NULL);

    INSERT /*+ SET_VAR(foreign_key_checks = 0) */ INTO leaderboard_snapshot (
        board_id, user_id, session_id, total_score, total_time_sec, standing_key
    )
    SELECT n.board_id, n.user_id, n.session_id, n.total_score, n.total_time_sec, n.new_key
    FROM JSON_TABLE(
        v_entries, '$[*]'
        COLUMNS (
            board_id       BIGINT UNSIGNED PATH '$.board_id',
            user_id        BIGINT UNSIGNED PATH '$.user_id',
            session_id     BIGINT UNSIGNED PATH '$.session_id',
            total_score    DECIMAL(7, 4)   PATH '$.total_score',
            total_time_sec INT             PATH '$.total_time_sec',
            new_key        BIGINT          PATH '$.new_key'
        )
    ) AS n
    ON DUPLICATE KEY UPDATE
        session_id = n.session_id,
        total_score = n.total_score,
        total_time_sec = n.total_time_sec,
        standing_key = n.new_key;

    CALL _apply_rank_deltas(v_entries);

    -- History: one audit row per accepted item, one revision per board with its hash.
    INSERT /*+ SET_VAR(foreign_key_checks = 0) */ INTO score_audit_log (
        board_id, audit_id, revision, item_no, submission_id, payload_hash, session_id, user_id,
        module_type, actor_id, actor, account, request_id, version,
        old_raw_score, old_max_score, old_weighted_score, old_time_spent_sec,
        new_raw_score, new_max_score, new_weighted_score, new_time_spent_sec, details,
        old_total_score, new_total_score,
        entry_rank, entry_total_score, entry_weighted_coding, entry_weighted_quiz,
        entry_weighted_assessment, entry_total_time_sec, created_at
    )
    SELECT
        i.board_id, b.submissions + COALESCE(i.row_no, i.place), b.revision + 1, i.item_no,
        i.submission_id, UNHEX(i.payload_hash), i.session_id, i.user_id, i.module_type,
        i.actor_id, COALESCE(CONCAT('user:', i.actor_id), USER()), USER(), i.request_id, i.version,
        i.old_raw_score, i.old_max_score, i.old_weighted_score, i.old_time_spent_sec,
        i.raw_score, i.max_score, i.weighted_score, i.time_spent_sec,
        JSON_EXTRACT(p_details, CONCAT('$."', i.item_no, '"')),
        i.total_before, i.total_before + i.weighted_score - COALESCE(i.old_weighted_score, 0),
        e.entry_rank, e.total_score, e.weighted_coding, e.weighted_quiz, e.weighted_assessment,
        e.total_time_sec, GREATEST(v_now, b.changed_at)
    FROM JSON_TABLE(
        v_items, '$[*]'
        COLUMNS (
            item_no            INT UNSIGNED    PATH '$.item_no',
            place              FOR ORDINALITY,
            row_no             INT UNSIGNED    PATH '$.row_no',
            board_id           BIGINT UNSIGNED PATH '$.board_id',
            session_id         BIGINT UNSIGNED PATH '$.session_id',
            user_id            BIGINT UNSIGNED PATH '$.user_id',
            module_type        VARCHAR(20)     PATH '$.module_type',
            raw_score          DECIMAL(30, 20) PATH '$.raw_score',
            max_score          DECIMAL(30, 20) PATH '$.max_score',
            weighted_score     DECIMAL(7, 4)   PATH '$.weighted_score',
            time_spent_sec     INT             PATH '$.time_spent_sec',
            submission_id      VARCHAR(64)     PATH '$.submission_id',
            payload_hash       CHAR(64)        PATH '$.payload_hash',
            actor_id           BIGINT          PATH '$.actor_id',
            request_id         VARCHAR(64)     PATH '$.request_id',
            version            INT UNSIGNED    PATH '$.version',
            total_before       DECIMAL(7, 4)   PATH '$.total_before',
            old_raw_score      DECIMAL(30, 20) PATH '$.old_raw_score',
            old_max_score      DECIMAL(30, 20) PATH '$.old_max_score',
            old_weighted_score DECIMAL(7, 4)   PATH '$.old_weighted_score',
            old_time_spent_sec INT             PATH '$.old_time_spent_sec'
        )
    ) AS i
    INNER JOIN (
        SELECT
            j.board_id, j.user_id, j.total_score, j.total_time_sec, j.weighted_coding,
            j.weighted_quiz, j.weighted_assessment,
            1 + (
                SELECT COALESCE(SUM(c.standings), 0)
                FROM leaderboard_levels AS l
                STRAIGHT_JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
                    ON c.board_id = j.board_id
                    AND c.level = l.level
                    AND c.parent = j.new_key >> l.shift << l.shift
                    AND c.bucket > j.new_key
                -- Beside the whole board there is nothing, but looking there would lock the gap
                -- behind its last row, where the next board's rows begin.
                WHERE l.shift < 63
            ) AS entry_rank
        FROM JSON_TABLE(
            v_entries, '$[*]'
            COLUMNS (
                board_id            BIGINT UNSIGNED PATH '$.board_id',
                user_id             BIGINT UNSIGNED PATH '$.user_id',
                total_score         DECIMAL(7, 4)   PATH '$.total_score',
                total_time_sec      INT             PATH '$.total_time_sec',
                weighted_coding     DECIMAL(7, 4)   PATH '$.weighted_coding',
                weighted_quiz       DECIMAL(7, 4)   PATH '$.weighted_quiz',
                weighted_assessment DECIMAL(7, 4)   PATH '$.weighted_assessment',
                new_key             BIGINT          PATH '$.new_key'
            )
        ) AS j
        -- Ranked once for each entry: the limit, which no array reaches, keeps this apart.
        LIMIT 1000
    ) AS e ON e.board_id = i.board_id AND e.user_id = i.user_id
    STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = i.board_id;

    INSERT /*+ SET_VAR(group_concat_max_len = 1048576) SET_VAR(foreign_key_checks = 0) */
    INTO leaderboard_revisions (
        board_id, revision, reason, submissions, previous_hash, hash, committed_at
    )
    SELECT
        n.board_id, n.revision, n.reason, n.submissions, n.previous_hash,
        _revision_hash(n.previous_hash, n.revision, n.reason, n.submissions, NULL, NULL, NULL,
                       n.committed_at, n.digests),
        n.committed_at
    FROM (
        SELECT
            b.board_id,
            MAX(b.revision) + 1 AS revision,
            'submissions' AS reason,
            COUNT(*) AS submissions,
            MAX(b.head_hash) AS previous_hash,
            GREATEST(v_now, MAX(b.changed_at)) AS committed_at,
            GROUP_CONCAT(HEX(a.digest) ORDER BY a.item_no SEPARATOR '') AS digests
        FROM JSON_TABLE(
            v_items, '$[*]'
            COLUMNS (
                place    FOR ORDINALITY,
                row_no   INT UNSIGNED    PATH '$.row_no',
                board_id BIGINT UNSIGNED PATH '$.board_id'
            )
        ) AS i
        STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = i.board_id
        -- Row by row: the range of the revision would lock the gap behind it.
        STRAIGHT_JOIN score_audit_log AS a FORCE INDEX (PRIMARY)
            ON a.board_id = b.board_id AND a.audit_id = b.submissions + COALESCE(i.row_no, i.place)
        GROUP BY b.board_id
    ) AS n;

    UPDATE /*+ SET_VAR(sql_safe_updates = 0) SET_VAR(foreign_key_checks = 0) */ (
        SELECT j.board_id, SUM(j.old_key IS NULL) AS joined
        FROM JSON_TABLE(
            v_entries, '$[*]'
            COLUMNS (
                board_id BIGINT UNSIGNED PATH '$.board_id',
                old_key  BIGINT          PATH '$.old_key'
            )
        ) AS j
        GROUP BY j.board_id
    ) AS w
    STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = w.board_id
    STRAIGHT_JOIN leaderboard_revisions AS r FORCE INDEX (PRIMARY)
        ON r.board_id = b.board_id AND r.revision = b.revision + 1
    SET b.revision = r.revision,
        b.submissions = b.submissions + r.submissions,
        b.head_hash = r.hash,
        b.changed_at = r.committed_at,
        b.total_participants = b.total_participants + w.joined;

    RETURN v_refused;
END$$

DELIMITER ;

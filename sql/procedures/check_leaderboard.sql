SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.check_leaderboard;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.check_leaderboard(
    p_exam_id BIGINT
)
    COMMENT 'Compares a board with what its raw scores give'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Everything derived against module_scores and the window function: weighted
    --              scores, session totals, entries, every counter on every level, and the ranks
    --              they give.
    -- Parameters:  p_exam_id  of create_exam
    -- Result sets: 1: problem (module_score, session, entry, counter, rank, board), item, found,
    --                 expected: one row per difference, of the first 1,000; none when all is well.
    --                 NULL: there is no such thing, or none ought to be
    --              2: verdict (all is well, or how many problems there are), and what was checked:
    --                 revision, sessions, entries, counters
    -- Errors:      exam_not_found; 1568 inside an open transaction
    -- Transaction: one statement of its own: one moment, while submissions go on
    -- Locks:       none
    -- Example:     CALL check_leaderboard(1);
    --              Empty set
    --              verdict     revision sessions entries counters
    --              all is well     1187      842     842      391
    DECLARE v_most INT DEFAULT 1000;
    DECLARE v_board_id, v_count, v_revision, v_sessions, v_entries, v_counters BIGINT UNSIGNED;
    DECLARE v_problems JSON;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1;

    CALL _find_board(p_exam_id, v_board_id);

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    WITH
    modules AS (
        SELECT
            s.session_id, s.user_id, s.attempt_no, e.attempt_policy, m.module_type,
            m.time_spent_sec,
            m.weighted_score AS stored_score,
            _weighted_score(
                m.module_type, m.raw_score, m.max_score,
                e.weight_coding, e.weight_quiz, e.weight_assessment) AS weighted_score
        FROM exams AS e
        INNER JOIN exam_sessions AS s ON s.exam_id = e.exam_id
        INNER JOIN module_scores AS m ON m.session_id = s.session_id
        WHERE e.exam_id = p_exam_id
    ),
    sessions AS (
        SELECT
            session_id, user_id, attempt_no, attempt_policy,
            MAX(IF(module_type = 'coding', weighted_score, NULL)) AS coding,
            MAX(IF(module_type = 'quiz', weighted_score, NULL)) AS quiz,
            MAX(IF(module_type = 'assessment', weighted_score, NULL)) AS assessment,
            SUM(weighted_score) AS total_score,
            SUM(time_spent_sec) AS total_time_sec,
            CAST(SUM(weighted_score) * 10000 AS SIGNED) * 4194304
                + 4194303 - SUM(time_spent_sec) AS standing_key
        FROM modules
        GROUP BY session_id, user_id, attempt_no, attempt_policy
    ),
    attempts AS (
        SELECT
            user_id, session_id, total_score, total_time_sec, standing_key,
            ROW_NUMBER() OVER (
                PARTITION BY user_id
                ORDER BY
                    IF(attempt_policy = 'best', total_score, 0) DESC,
                    IF(attempt_policy = 'best', total_time_sec, 0),
                    IF(attempt_policy = 'latest', attempt_no, 0) DESC,
                    attempt_no
            ) AS preference
        FROM sessions
    ),
    entries AS (
        SELECT
            user_id, session_id, total_score, total_time_sec, standing_key,
            DENSE_RANK() OVER (ORDER BY total_score DESC, total_time_sec) AS true_rank
        FROM attempts
        WHERE preference = 1
    ),
    standings AS (
        SELECT standing_key, MIN(true_rank) AS true_rank, COUNT(*) AS entries
        FROM entries
        GROUP BY standing_key
    ),
    -- Where each standing is to be listed follows from the ranges divided so far.
    paths AS (
        SELECT
            k.standing_key, k.entries,
            COALESCE(MIN(l.level - 1 - r.divided), MAX(l.level) - 1) AS level
        FROM standings AS k
        CROSS JOIN leaderboard_levels AS l
        LEFT JOIN leaderboard_counters AS r
            ON r.board_id = v_board_id AND r.level = l.level
            AND r.parent = k.standing_key >> l.shift << l.shift
            AND r.bucket = k.standing_key >> l.child_shift << l.child_shift
        WHERE l.child_shift > 0
        GROUP BY k.standing_key, k.entries
    ),
    counters AS (
        SELECT
            p.level, p.standing_key >> l.shift << l.shift AS parent, p.standing_key AS bucket,
            CONCAT('1 standings, ', p.entries, ' entries') AS counted
        FROM paths AS p
        INNER JOIN leaderboard_levels AS l ON l.level = p.level
        UNION ALL
        SELECT
            l.level, p.standing_key >> l.shift << l.shift AS parent,
            p.standing_key >> l.child_shift << l.child_shift AS bucket,
            CONCAT(
                COUNT(*), ' standings, ', SUM(p.entries), ' entries',
                IF(MIN(p.level) < MIN(b.level) OR COUNT(*) > MIN(b.capacity),
                   ', divided', ', undivided'))
        FROM paths AS p
        -- A few rows: a range of them would be planned anew for each standing.
        INNER JOIN leaderboard_levels AS l IGNORE INDEX (PRIMARY) ON l.level > p.level
        INNER JOIN leaderboard_levels AS b ON b.level = l.level - 1
        GROUP BY l.level, parent, bucket
    ),
    stored_counters AS (
        SELECT
            level, parent, bucket, entries, divided,
            CONCAT(
                standings, ' standings, ', entries, ' entries',
                IF(divided IS NULL, '', IF(divided, ', divided', ', undivided')))
                AS counted
        FROM leaderboard_counters
        WHERE board_id = v_board_id
    ),
    stored_ranks AS (
        SELECT bucket, SUM(standings) OVER (ORDER BY bucket DESC) AS stored_rank
        FROM leaderboard_counters
        WHERE board_id = v_board_id AND divided IS NULL
    ),
    -- Both sides of each comparison, as text; what is on one side only comes with NULL on the
    -- other.
    sides AS (
        SELECT
            'module_score' AS problem,
            CONCAT('session ', session_id, ', ', module_type) AS item,
            CAST(stored_score AS CHAR) AS found, CAST(weighted_score AS CHAR) AS expected
        FROM modules
        UNION ALL
        SELECT
            'session', CONCAT('session ', s.session_id),
            CONCAT_WS(' ', s.total_score, s.total_time_sec, COALESCE(s.standing_key, '-'),
                      COALESCE(s.weighted_coding, '-'), COALESCE(s.weighted_quiz, '-'),
                      COALESCE(s.weighted_assessment, '-')),
            CONCAT_WS(' ', COALESCE(t.total_score, '0.0000'), COALESCE(t.total_time_sec, 0),
                      COALESCE(t.standing_key, '-'), COALESCE(t.coding, '-'),
                      COALESCE(t.quiz, '-'), COALESCE(t.assessment, '-'))
        FROM exam_sessions AS s
        LEFT JOIN sessions AS t ON t.session_id = s.session_id
        WHERE s.exam_id = p_exam_id
        UNION ALL
        SELECT
            'entry', CONCAT('user ', COALESCE(n.user_id, e.user_id)),
            IF(e.user_id IS NULL, NULL, CONCAT_WS(
                ' ', e.session_id, e.total_score, e.total_time_sec, e.standing_key)),
            IF(n.user_id IS NULL, NULL, CONCAT_WS(
                ' ', n.session_id, n.total_score, n.total_time_sec, n.standing_key))
        FROM entries AS n
        LEFT JOIN leaderboard_snapshot AS e ON e.board_id = v_board_id AND e.user_id = n.user_id
        UNION ALL
        SELECT
            'entry', CONCAT('user ', e.user_id),
            CONCAT_WS(' ', e.session_id, e.total_score, e.total_time_sec, e.standing_key), NULL
        FROM leaderboard_snapshot AS e
        LEFT JOIN entries AS n ON n.user_id = e.user_id
        WHERE e.board_id = v_board_id AND n.user_id IS NULL
        UNION ALL
        SELECT
            'counter', CONCAT('level ', n.level, ', bucket ', n.bucket), c.counted, n.counted
        FROM counters AS n
        LEFT JOIN stored_counters AS c
            ON c.level = n.level AND c.parent = n.parent AND c.bucket = n.bucket
        UNION ALL
        -- A range that all have left keeps its row, which means the same as none.
        SELECT
            'counter', CONCAT('level ', c.level, ', bucket ', c.bucket), c.counted, NULL
        FROM stored_counters AS c
        LEFT JOIN counters AS n
            ON n.level = c.level AND n.parent = c.parent AND n.bucket = c.bucket
        WHERE n.level IS NULL AND (c.divided IS NULL OR c.entries <> 0)
        UNION ALL
        -- That row too has its place: in time somebody comes back into the range.
        SELECT
            'counter', CONCAT('level ', c.level, ', bucket ', c.bucket), 'out of place',
            IF(c.divided IS NULL, 'in an undivided range', 'in a divided range')
        FROM leaderboard_counters AS c
        LEFT JOIN leaderboard_levels AS l ON l.level = c.level
        LEFT JOIN leaderboard_levels AS u ON u.level = c.level + 1
        LEFT JOIN leaderboard_counters AS h
            ON h.board_id = c.board_id AND h.level = u.level
            AND h.parent = c.parent >> u.shift << u.shift AND h.bucket = c.parent
        WHERE c.board_id = v_board_id AND NOT COALESCE(
            c.parent = c.bucket >> l.shift << l.shift
            AND (c.divided IS NULL OR c.bucket = c.bucket >> l.child_shift << l.child_shift)
            AND IF(u.level IS NULL, c.divided IS NOT NULL, h.divided = (c.divided IS NOT NULL)),
            FALSE)
        UNION ALL
        SELECT
            'rank', CONCAT('standing ', n.standing_key), CAST(r.stored_rank AS CHAR),
            CAST(n.true_rank AS CHAR)
        FROM standings AS n
        LEFT JOIN stored_ranks AS r ON r.bucket = n.standing_key
        UNION ALL
        SELECT
            'board', 'total_participants', CAST(b.total_participants AS CHAR),
            CAST((SELECT COUNT(*) FROM entries) AS CHAR)
        FROM leaderboards AS b
        WHERE b.board_id = v_board_id
    )
    -- One pass over the sides, and no more than the first differences are kept.
    SELECT
        JSON_ARRAYAGG(JSON_OBJECT(
            'place', d.place, 'problem', d.problem, 'item', d.item, 'found', d.found,
            'expected', d.expected)),
        COALESCE(MAX(d.problems), 0),
        (SELECT revision FROM leaderboards WHERE board_id = v_board_id),
        (SELECT COUNT(*) FROM exam_sessions WHERE exam_id = p_exam_id),
        (SELECT COUNT(*) FROM leaderboard_snapshot WHERE board_id = v_board_id),
        (SELECT COUNT(*) FROM leaderboard_counters WHERE board_id = v_board_id)
    INTO v_problems, v_count, v_revision, v_sessions, v_entries, v_counters
    FROM (
        SELECT
            problem, item, found, expected,
            ROW_NUMBER() OVER (ORDER BY problem, item) AS place,
            COUNT(*) OVER () AS problems
        FROM sides
        WHERE NOT (found <=> expected)
    ) AS d
    WHERE d.place <= v_most;

    SELECT problem, item, found, expected
    FROM JSON_TABLE(
        v_problems, '$[*]'
        COLUMNS (
            place    INT          PATH '$.place',
            problem  VARCHAR(16)  CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci PATH '$.problem',
            item     VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci PATH '$.item',
            found    VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci PATH '$.found',
            expected VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci PATH '$.expected'
        )
    ) AS d
    ORDER BY place;

    SELECT
        _verdict(v_count, v_most) AS verdict, v_revision AS revision, v_sessions AS sessions,
        v_entries AS entries, v_counters AS counters;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

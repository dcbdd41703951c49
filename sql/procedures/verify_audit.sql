SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.verify_audit;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.verify_audit(
    p_exam_id BIGINT
)
    COMMENT 'Verifies the history of an exam'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Walks the hash chain from the first revision to the head and compares each link
    --              with the audit rows it covers, the versions of the sessions with their number,
    --              and the scores that count now with the last ones that were submitted.
    -- Parameters:  p_exam_id  of create_exam
    -- Result sets: 1: revision, problem: by revision, the first bad one first, at most 1,000; what
    --                 is wrong with sessions and scores of today comes with the board's revision;
    --                 no row when all is well
    --              2: verdict (all is well, or how many problems there are), and what was checked:
    --                 revisions, submissions, sessions, head_hash (64 hexadecimal digits: keep
    --                 them elsewhere, and see that they are in the chain later)
    -- Errors:      exam_not_found; 1568 inside an open transaction
    -- Transaction: one statement of its own: one moment, while submissions go on
    -- Locks:       none
    -- Example:     CALL verify_audit(1);
    --              Empty set
    --              verdict     revisions submissions sessions head_hash
    --              all is well      1187        2519      842 1C0E24545AB6A678B411671A2F637142...
    DECLARE v_most INT DEFAULT 1000;
    DECLARE v_board_id, v_count, v_revisions, v_submissions, v_sessions BIGINT UNSIGNED;
    DECLARE v_head_hash BINARY(32);
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
    covered AS (
        SELECT
            revision,
            COUNT(*) AS submissions,
            GROUP_CONCAT(HEX(digest) ORDER BY item_no SEPARATOR '') AS digests
        FROM score_audit_log
        WHERE board_id = v_board_id
        GROUP BY revision
    ),
    links AS (
        SELECT
            r.revision,
            r.submissions,
            r.hash,
            r.previous_hash,
            ROW_NUMBER() OVER (ORDER BY r.revision) AS place,
            LAG(r.hash) OVER (ORDER BY r.revision) AS hash_before,
            COALESCE(c.submissions, 0) AS found,
            _revision_hash(
                r.previous_hash, r.revision, r.reason, r.submissions, r.actor, r.account,
                r.details, r.committed_at, c.digests)
                AS true_hash
        FROM leaderboard_revisions AS r
        LEFT JOIN covered AS c ON c.revision = r.revision
        WHERE r.board_id = v_board_id
    ),
    newest AS (
        SELECT
            session_id, module_type, revision, new_raw_score, new_max_score, new_time_spent_sec,
            ROW_NUMBER() OVER (
                PARTITION BY session_id, module_type ORDER BY revision DESC, item_no DESC
            ) AS newness
        FROM score_audit_log
        WHERE board_id = v_board_id
    ),
    problems AS (
        SELECT revision, 'a revision before it is missing' AS problem
        FROM links
        WHERE revision <> place AND revision - 1 NOT IN (SELECT revision FROM links)
        UNION ALL
        SELECT revision, 'it does not follow from the revision before it'
        FROM links
        WHERE previous_hash <> COALESCE(
            hash_before, UNHEX(SHA2(CONCAT('podium board of exam ', p_exam_id), 256)))
        UNION ALL
        SELECT revision, CONCAT('it has ', found, ' audit rows, not ', submissions)
        FROM links
        WHERE found <> submissions
        UNION ALL
        SELECT revision, 'its audit rows or its own row have been changed'
        FROM links
        WHERE found = submissions AND hash <> true_hash
        UNION ALL
        SELECT c.revision, 'audit rows belong to a revision that does not exist'
        FROM covered AS c
        LEFT JOIN links AS l ON l.revision = c.revision
        WHERE l.revision IS NULL
        UNION ALL
        SELECT b.revision, 'the board does not stand at the end of its history'
        FROM leaderboards AS b
        LEFT JOIN links AS l ON l.revision = b.revision
        WHERE b.board_id = v_board_id
            AND (
                b.revision <> (SELECT COALESCE(MAX(revision), 0) FROM links)
                OR b.submissions <> (SELECT COALESCE(SUM(submissions), 0) FROM covered)
                OR b.head_hash <> COALESCE(
                    l.hash, UNHEX(SHA2(CONCAT('podium board of exam ', p_exam_id), 256)))
            )
        UNION ALL
        SELECT
            b.revision,
            CONCAT('session ', s.session_id, ' is at version ', s.version, ' after ',
                   COALESCE(a.submissions, 0), ' audit rows')
        FROM leaderboards AS b
        INNER JOIN exam_sessions AS s ON s.exam_id = b.exam_id
        LEFT JOIN (
            SELECT session_id, COUNT(*) AS submissions
            FROM score_audit_log
            WHERE board_id = v_board_id
            GROUP BY session_id
        ) AS a ON a.session_id = s.session_id
        WHERE b.board_id = v_board_id AND s.version <> COALESCE(a.submissions, 0)
        UNION ALL
        SELECT
            b.revision,
            CONCAT('the ', m.module_type, ' score of session ', m.session_id,
                   ' is not the one that was submitted last')
        FROM leaderboards AS b
        INNER JOIN exam_sessions AS s ON s.exam_id = b.exam_id
        INNER JOIN module_scores AS m ON m.session_id = s.session_id
        LEFT JOIN newest AS a
            ON a.session_id = m.session_id AND a.module_type = m.module_type AND a.newness = 1
        WHERE b.board_id = v_board_id
            AND NOT (
                m.raw_score <=> a.new_raw_score
                AND m.max_score <=> a.new_max_score
                AND m.time_spent_sec <=> a.new_time_spent_sec
            )
        UNION ALL
        SELECT
            a.revision,
            CONCAT('the ', a.module_type, ' score of session ', a.session_id, ' is missing')
        FROM newest AS a
        LEFT JOIN module_scores AS m
            ON m.session_id = a.session_id AND m.module_type = a.module_type
        WHERE a.newness = 1 AND m.session_id IS NULL
    )
    SELECT /*+ SET_VAR(group_concat_max_len = 1048576) */
        JSON_ARRAYAGG(JSON_OBJECT(
            'place', d.place, 'revision', d.revision, 'problem', d.problem)),
        COALESCE(MAX(d.problems), 0),
        (SELECT COUNT(*) FROM leaderboard_revisions WHERE board_id = v_board_id),
        (SELECT COUNT(*) FROM score_audit_log WHERE board_id = v_board_id),
        (SELECT COUNT(*) FROM exam_sessions WHERE exam_id = p_exam_id),
        (SELECT head_hash FROM leaderboards WHERE board_id = v_board_id)
    INTO v_problems, v_count, v_revisions, v_submissions, v_sessions, v_head_hash
    FROM (
        SELECT
            revision, problem,
            ROW_NUMBER() OVER (ORDER BY revision, problem) AS place,
            COUNT(*) OVER () AS problems
        FROM problems
    ) AS d
    WHERE d.place <= v_most;

    SELECT revision, problem
    FROM JSON_TABLE(
        v_problems, '$[*]'
        COLUMNS (
            place    INT             PATH '$.place',
            revision BIGINT UNSIGNED PATH '$.revision',
            problem  VARCHAR(200)    CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                     PATH '$.problem'
        )
    ) AS d
    ORDER BY place;

    SELECT
        _verdict(v_count, v_most) AS verdict, v_revisions AS revisions,
        v_submissions AS submissions, v_sessions AS sessions, HEX(v_head_hash) AS head_hash;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

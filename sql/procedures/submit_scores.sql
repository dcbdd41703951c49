SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.submit_scores;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.submit_scores(
    p_submissions JSON,
    p_actor_id    BIGINT
)
    COMMENT 'Submits an array of module scores; each succeeds or fails for itself'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Scores, audit rows, revision, board and ranks of up to 1000 submissions in one
    --              transaction. About as many statements run for 500 as for one.
    -- Parameters:  p_submissions  array of objects: session_id, module_type (coding, quiz,
    --                             assessment), raw_score, max_score, time_spent_sec (seconds);
    --                             optional: details (object), expected_version (of the session
    --                             before it), submission_id (makes it repeatable; default a new
    --                             one), actor_id, actor_role (candidate: for his own sessions only;
    --                             default the actor's role), request_id (1 to 64 letters, digits,
    --                             dots, dashes and underscores; kept in the audit log, so that its
    --                             row is found by what the logs say)
    --              p_actor_id     acting user of items without actor_id; NULL: the MySQL account
    --                             itself
    -- Result sets: one row per item, in order: item_no (from 0), status (200 or the HTTP status of
    --              the refusal), code, message (NULL where accepted), current_version (of a
    --              version_conflict), submission_id, replayed, exam_id, session_id, user_id,
    --              module_type, version, revision, and the candidate's entry on the board at that
    --              revision: rank, total_score, weighted_coding, weighted_quiz,
    --              weighted_assessment, total_time_sec; committed_at (of the revision)
    -- Errors:      submissions_invalid, too_many_items; 1568 inside an open transaction. What is
    --              wrong with one item is in its row: see error_catalog, 503xx and 504xx
    -- Transaction: its own, SERIALIZABLE; after 1213 or 1205 nothing has happened: try again
    -- Locks:       the boards concerned in ascending order, then their sessions and what is written
    -- Example:     CALL submit_scores('[{"session_id": 1, "module_type": "quiz", "raw_score": 90,
    --                                    "max_score": 100, "time_spent_sec": 900}]', NULL);
    --              item_no status code message ... version revision rank total_score ...
    --                    0    200 NULL NULL    ...       1        1    1     27.0000 ...
    CALL _submit(p_submissions, p_actor_id);

    SELECT
        t.item_no,
        COALESCE(c.http_status, 200) AS status,
        t.code,
        CONCAT(t.code, ': ', _refusal(
            t.code, t.session_id, t.actor_id, t.expected_version, t.current_version)) AS message,
        IF(t.code = 'version_conflict', t.current_version, NULL) AS current_version,
        t.submission_id,
        t.replayed AND t.code IS NULL AS replayed,
        b.exam_id,
        t.session_id,
        t.user_id,
        t.module_type,
        a.version,
        a.revision,
        a.entry_rank AS `rank`,
        a.entry_total_score AS total_score,
        a.entry_weighted_coding AS weighted_coding,
        a.entry_weighted_quiz AS weighted_quiz,
        a.entry_weighted_assessment AS weighted_assessment,
        a.entry_total_time_sec AS total_time_sec,
        r.committed_at
    FROM tmp_submissions AS t
    LEFT JOIN error_catalog AS c ON c.code = t.code
    LEFT JOIN score_audit_log AS a FORCE INDEX (uq_score_audit_log_submission_id)
        ON a.submission_id = IF(t.code IS NULL, t.submission_id, NULL)
    LEFT JOIN leaderboard_revisions AS r
        ON r.board_id = a.board_id AND r.revision = a.revision
    LEFT JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = t.board_id
    ORDER BY t.item_no;

    COMMIT AND NO CHAIN NO RELEASE;     -- of this SELECT, on a connection without autocommit
END$$

DELIMITER ;

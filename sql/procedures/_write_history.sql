SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

DROP PROCEDURE IF EXISTS podium._write_history;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._write_history()
    COMMENT 'Appends the accepted items to the audit log and closes the revision'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One audit row per accepted item, one revision per board with its hash.
    -- Parameters:  none; reads tmp_items and tmp_entries
    -- Result sets: none
    -- Errors:      1062 where the same submission id has been committed since it was looked up: the caller
    --              starts again and finds it as a replay
    -- Transaction: the caller's, SERIALIZABLE, the boards locked
    -- Locks:       the rows written. STRAIGHT_JOIN throughout: from the few rows of this call to the tables,
    --              never the other way round, which would lock what belongs to other boards
    -- Example:     CALL _write_history();
    INSERT INTO score_audit_log (
        board_id, revision, item_no, submission_id, payload_hash, session_id, user_id, module_type,
        actor_id, actor, version,
        old_raw_score, old_max_score, old_weighted_score, old_time_spent_sec,
        new_raw_score, new_max_score, new_weighted_score, new_time_spent_sec, details,
        old_total_score, new_total_score,
        entry_rank, entry_total_score, entry_weighted_coding, entry_weighted_quiz,
        entry_weighted_assessment, entry_total_time_sec, created_at
    )
    SELECT
        c.board_id, b.revision + 1, c.item_no, c.submission_id, c.payload_hash, c.session_id, c.user_id,
        c.module_type,
        t.actor_id, COALESCE(CONCAT('user:', t.actor_id), USER()), c.version,
        c.old_raw_score, c.old_max_score, c.old_weighted_score, c.old_time_spent_sec,
        c.raw_score, c.max_score, c.weighted_score, c.time_spent_sec, t.details,
        c.base_total_score + SUM(c.score_gained) OVER so_far - c.score_gained,
        c.base_total_score + SUM(c.score_gained) OVER so_far,
        e.entry_rank, e.total_score, e.weighted_coding, e.weighted_quiz, e.weighted_assessment,
        e.total_time_sec, UTC_TIMESTAMP(6)
    FROM (
        SELECT
            i.board_id, i.item_no, i.submission_id, i.payload_hash, i.session_id, i.user_id, i.module_type,
            i.raw_score, i.max_score, i.weighted_score, i.time_spent_sec, i.base_total_score,
            i.base_version + ROW_NUMBER() OVER (PARTITION BY i.session_id ORDER BY i.item_no) AS version,
            -- Replaced is what an earlier item of the array left, else what the table held.
            COALESCE(LAG(i.raw_score) OVER of_module, i.old_raw_score) AS old_raw_score,
            COALESCE(LAG(i.max_score) OVER of_module, i.old_max_score) AS old_max_score,
            COALESCE(LAG(i.weighted_score) OVER of_module, i.old_weighted_score) AS old_weighted_score,
            COALESCE(LAG(i.time_spent_sec) OVER of_module, i.old_time_spent_sec) AS old_time_spent_sec,
            i.weighted_score
                - COALESCE(LAG(i.weighted_score) OVER of_module, i.old_weighted_score, 0) AS score_gained
        FROM tmp_items AS i
        WHERE i.code IS NULL
        WINDOW of_module AS (PARTITION BY i.session_id, i.module_type ORDER BY i.item_no)
    ) AS c
    STRAIGHT_JOIN tmp_submissions AS t ON t.board_id = c.board_id AND t.item_no = c.item_no
    STRAIGHT_JOIN tmp_entries AS e ON e.board_id = c.board_id AND e.user_id = c.user_id
    STRAIGHT_JOIN leaderboards AS b ON b.board_id = c.board_id
    WINDOW so_far AS (PARTITION BY c.session_id ORDER BY c.item_no)
    ORDER BY c.board_id, c.item_no;

    INSERT /*+ SET_VAR(group_concat_max_len = 1048576) */ INTO leaderboard_revisions (
        board_id, revision, reason, submissions, previous_hash, hash, committed_at
    )
    SELECT
        n.board_id, n.revision, n.reason, n.submissions, n.previous_hash,
        _revision_hash(n.previous_hash, n.revision, n.reason, n.submissions, NULL, NULL, n.committed_at,
                       n.digests),
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
        FROM (SELECT DISTINCT e.board_id FROM tmp_entries AS e) AS w
        STRAIGHT_JOIN leaderboards AS b ON b.board_id = w.board_id
        STRAIGHT_JOIN score_audit_log AS a ON a.board_id = b.board_id AND a.revision = b.revision + 1
        GROUP BY b.board_id
    ) AS n;

    UPDATE (
        SELECT e.board_id, SUM(e.old_key IS NULL) AS joined
        FROM tmp_entries AS e
        GROUP BY e.board_id
    ) AS w
    STRAIGHT_JOIN leaderboards AS b ON b.board_id = w.board_id
    STRAIGHT_JOIN leaderboard_revisions AS r ON r.board_id = b.board_id AND r.revision = b.revision + 1
    SET b.revision = r.revision,
        b.head_hash = r.hash,
        b.changed_at = r.committed_at,
        b.total_participants = b.total_participants + w.joined;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_audit_trail;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_audit_trail(
    p_exam_id    BIGINT,
    p_session_id BIGINT,
    p_after      BIGINT,
    p_limit      BIGINT
)
    COMMENT 'Reads the history of an exam or of one session'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Every accepted submission, in commit order. audit_id counts the submissions of
    --              the exam from 1, without a gap, under the board's lock: whoever goes on behind
    --              the last audit_id they have seen misses nothing.
    -- Parameters:  p_exam_id     of create_exam
    --              p_session_id  only this session; NULL: all
    --              p_after       audit_id to go on behind; NULL: from the first
    --              p_limit       1 to 1000 rows; NULL: 100
    -- Result sets: audit_id, submission_id, revision, exam_id, session_id, user_id, module_type,
    --              actor_id, actor, account (the account that called, whoever it acted for),
    --              version, old_raw_score, old_max_score, old_weighted_score, old_time_spent_sec,
    --              new_raw_score, new_max_score, new_weighted_score, new_time_spent_sec,
    --              old_total_score, new_total_score, rank (after it), details, request_id (of the
    --              HTTP request it came with; NULL: it came by a CALL), created_at,
    --              committed_at (of the revision)
    -- Errors:      exam_not_found, session_not_found (also where it belongs to another exam),
    --              limit_invalid; 1568 inside an open transaction
    -- Transaction: statements of their own
    -- Locks:       none
    -- Example:     CALL get_audit_trail(1, NULL, NULL, 1);
    --              audit_id submission_id ... revision exam_id session_id module_type actor  ...
    --                     1 9b2f…         ...        1       1          1 quiz        user:1 ...
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_after BIGINT DEFAULT COALESCE(p_after, 0);
    DECLARE v_limit BIGINT DEFAULT COALESCE(p_limit, 100);
    DECLARE v_exists BOOLEAN;
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
    -- Not IF EXISTS: see _find_board.
    SELECT EXISTS (
        SELECT 1 FROM exam_sessions WHERE session_id = p_session_id AND exam_id = p_exam_id
    ) INTO v_exists;
    IF p_session_id IS NOT NULL AND NOT v_exists THEN
        CALL _raise('session_not_found',
                    CONCAT('session ', p_session_id, ' does not exist in exam ', p_exam_id));
    END IF;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SELECT
        a.audit_id, a.submission_id, a.revision, p_exam_id AS exam_id, a.session_id, a.user_id,
        a.module_type, a.actor_id, a.actor, a.account, a.version,
        a.old_raw_score, a.old_max_score, a.old_weighted_score, a.old_time_spent_sec,
        a.new_raw_score, a.new_max_score, a.new_weighted_score, a.new_time_spent_sec,
        a.old_total_score, a.new_total_score, a.entry_rank AS `rank`, a.details,
        a.request_id, a.created_at, r.committed_at
    FROM score_audit_log AS a
    INNER JOIN leaderboard_revisions AS r
        ON r.board_id = a.board_id AND r.revision = a.revision
    WHERE a.board_id = v_board_id
        AND a.audit_id > v_after
        AND (p_session_id IS NULL OR a.session_id = p_session_id)
    ORDER BY a.audit_id
    LIMIT v_limit;

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

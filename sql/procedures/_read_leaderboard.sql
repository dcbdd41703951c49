SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._read_leaderboard;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._read_leaderboard(
    p_exam_id     BIGINT,
    p_page        BIGINT,
    p_per_page    BIGINT,
    p_user_id     BIGINT,
    p_viewer_id   BIGINT,
    p_viewer_role VARCHAR(20)
)
    RETURNS JSON
    COMMENT 'Reads a page of a board, with somebody''s own entry, of one moment'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     What view_leaderboard tells, in one statement: one snapshot, and no transaction
    --              that stays open where the call is killed.
    -- Parameters:  see view_leaderboard; p_page and p_per_page not NULL
    -- Result:      {"head": its first row, "page": array of entries, "own": array of one entry or
    --              none}
    -- Errors:      those of view_leaderboard
    -- Transaction: the caller's, REPEATABLE READ; called by a SELECT, since SET would read the
    --              newest rows and lock them
    -- Locks:       none
    -- Example:     SELECT _read_leaderboard(1, 1, 50, NULL, NULL, NULL) INTO v_read;
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_names VARCHAR(20);
    -- Of nobody else is a name shown because it was asked for.
    DECLARE v_own_shows BOOLEAN DEFAULT COALESCE(p_user_id = p_viewer_id, FALSE);
    DECLARE v_standing_key BIGINT;
    DECLARE v_skip BIGINT;
    DECLARE v_first_rank BIGINT;
    DECLARE v_head, v_page, v_own JSON;

    IF p_page NOT BETWEEN 1 AND 1000000000 THEN
        CALL _raise('page_invalid', 'page must be 1 to 1000000000');
    END IF;
    IF p_per_page NOT BETWEEN 1 AND 200 THEN
        CALL _raise('per_page_invalid', 'per_page must be 1 to 200');
    END IF;
    CALL _require_reader(p_exam_id, p_viewer_id, p_viewer_role, v_board_id, v_names);

    SELECT JSON_OBJECT(
        'exam_id', e.exam_id,
        'exam_title', e.title,
        'total_participants', b.total_participants,
        'page', p_page,
        'per_page', p_per_page,
        'revision', b.revision,
        'changed_at', b.changed_at,
        'epoch', LOWER(HEX(LEFT(b.head_hash, 8))),
        'board_access', e.board_access,
        'names', v_names
    )
    INTO v_head
    FROM leaderboards AS b
    INNER JOIN exams AS e ON e.exam_id = b.exam_id
    WHERE b.board_id = v_board_id;

    CALL _find_place(v_board_id, (p_page - 1) * p_per_page, v_standing_key, v_skip);
    SELECT _rank(v_board_id, v_standing_key) INTO v_first_rank;

    -- Dense rank over the page alone: its first entry holds the place that was found. The page is
    -- cut from the index, which holds all that it takes: InnoDB reads ahead of a range, and would
    -- fetch a thousand rows for fifty entries.
    SELECT JSON_ARRAYAGG(JSON_OBJECT(
        'rank', v_first_rank - 1 + p.place,
        'user_id', p.user_id,
        'username', IF(
            v_names = 'hidden' AND NOT (v_own_shows AND p.user_id = p_user_id),
            CONCAT('candidate-', u.user_id), u.username),
        'full_name', CASE
            WHEN v_names = 'full' OR (v_own_shows AND p.user_id = p_user_id) THEN u.full_name
            WHEN v_names = 'username' THEN u.username
            ELSE CONCAT('Candidate ', u.user_id)
        END,
        'total_score', e.total_score,
        'total_time_sec', e.total_time_sec
    ))
    INTO v_page
    FROM (
        SELECT k.user_id, DENSE_RANK() OVER (ORDER BY k.standing_key DESC) AS place
        FROM (
            SELECT user_id, standing_key
            FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
            WHERE board_id = v_board_id AND standing_key <= v_standing_key
            ORDER BY standing_key DESC, user_id
            LIMIT v_skip, p_per_page
        ) AS k
    ) AS p
    STRAIGHT_JOIN leaderboard_snapshot AS e FORCE INDEX (PRIMARY)
        ON e.board_id = v_board_id AND e.user_id = p.user_id
    STRAIGHT_JOIN users AS u FORCE INDEX (PRIMARY) ON u.user_id = p.user_id;

    SELECT JSON_ARRAYAGG(JSON_OBJECT(
        'rank', _rank(e.board_id, e.standing_key),
        'user_id', e.user_id,
        'username', IF(
            v_names = 'hidden' AND NOT v_own_shows, CONCAT('candidate-', u.user_id), u.username),
        'full_name', CASE
            WHEN v_names = 'full' OR v_own_shows THEN u.full_name
            WHEN v_names = 'username' THEN u.username
            ELSE CONCAT('Candidate ', u.user_id)
        END,
        'total_score', e.total_score,
        'total_time_sec', e.total_time_sec
    ))
    INTO v_own
    FROM leaderboard_snapshot AS e
    INNER JOIN users AS u ON u.user_id = e.user_id
    WHERE e.board_id = v_board_id AND e.user_id = p_user_id;

    RETURN JSON_OBJECT('head', v_head, 'page', v_page, 'own', v_own);
END$$

DELIMITER ;

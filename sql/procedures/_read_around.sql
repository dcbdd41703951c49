SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._read_around;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._read_around(
    p_exam_id     BIGINT,
    p_user_id     BIGINT,
    p_window      BIGINT,
    p_viewer_id   BIGINT,
    p_viewer_role VARCHAR(20)
)
    RETURNS JSON
    COMMENT 'Reads the entries around somebody''s own, of one moment'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     What view_around tells, in one statement: see _read_leaderboard.
    -- Parameters:  see view_around; p_window not NULL
    -- Result:      {"head": its first row, "entries": array}
    -- Errors:      those of view_around
    -- Transaction: the caller's, REPEATABLE READ; called by a SELECT, see _read_leaderboard
    -- Locks:       none
    -- Example:     SELECT _read_around(1, 1, 5, NULL, NULL) INTO v_read;
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_names VARCHAR(20);
    DECLARE v_standing_key BIGINT;
    DECLARE v_own_rank BIGINT;
    DECLARE v_head, v_entries JSON;

    IF p_window NOT BETWEEN 1 AND 100 THEN
        CALL _raise('window_invalid', 'window must be 1 to 100');
    END IF;
    CALL _require_reader(p_exam_id, p_viewer_id, p_viewer_role, v_board_id, v_names);

    SELECT (
        SELECT standing_key FROM leaderboard_snapshot
        WHERE board_id = v_board_id AND user_id = p_user_id
    ) INTO v_standing_key;
    IF v_standing_key IS NULL THEN
        CALL _raise('entry_not_found', CONCAT(
            'user ', COALESCE(p_user_id, 'NULL'), ' has no score in exam ', p_exam_id));
    END IF;

    SELECT JSON_OBJECT(
        'exam_id', e.exam_id,
        'exam_title', e.title,
        'total_participants', b.total_participants,
        'user_id', p_user_id,
        'window', p_window,
        'revision', b.revision,
        'changed_at', b.changed_at
    )
    INTO v_head
    FROM leaderboards AS b
    INNER JOIN exams AS e ON e.exam_id = b.exam_id
    WHERE b.board_id = v_board_id;

    SELECT _rank(v_board_id, v_standing_key) INTO v_own_rank;

    -- From the index alone, see _read_leaderboard; the rows of those chosen come last.
    WITH
    above AS (
        (
            SELECT user_id, standing_key
            FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
            WHERE board_id = v_board_id AND standing_key = v_standing_key
                AND user_id < p_user_id
            ORDER BY user_id DESC
            LIMIT p_window
        )
        UNION ALL
        (
            SELECT user_id, standing_key
            FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
            WHERE board_id = v_board_id AND standing_key > v_standing_key
            ORDER BY standing_key, user_id DESC
            LIMIT p_window
        )
    ),
    below AS (
        (
            SELECT user_id, standing_key
            FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
            WHERE board_id = v_board_id AND standing_key = v_standing_key
                AND user_id > p_user_id
            ORDER BY user_id
            LIMIT p_window
        )
        UNION ALL
        (
            SELECT user_id, standing_key
            FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
            WHERE board_id = v_board_id AND standing_key < v_standing_key
            ORDER BY standing_key DESC, user_id
            LIMIT p_window
        )
    ),
    around AS (
        (
            SELECT user_id, standing_key
            FROM above
            ORDER BY standing_key, user_id DESC
            LIMIT p_window
        )
        UNION ALL
        (
            SELECT user_id, standing_key
            FROM leaderboard_snapshot
            WHERE board_id = v_board_id AND user_id = p_user_id
        )
        UNION ALL
        (
            SELECT user_id, standing_key
            FROM below
            ORDER BY standing_key DESC, user_id
            LIMIT p_window
        )
    )
    SELECT JSON_ARRAYAGG(JSON_OBJECT(
        -- The candidate's own rank, and from there by place.
        'rank', v_own_rank + a.place - a.own_place,
        'user_id', a.user_id,
        'username', IF(
            v_names = 'hidden' AND NOT (a.user_id <=> p_viewer_id),
            CONCAT('candidate-', u.user_id), u.username),
        'full_name', CASE
            WHEN v_names = 'full' OR (a.user_id <=> p_viewer_id) THEN u.full_name
            WHEN v_names = 'username' THEN u.username
            ELSE CONCAT('Candidate ', u.user_id)
        END,
        'total_score', e.total_score,
        'total_time_sec', e.total_time_sec
    ))
    INTO v_entries
    FROM (
        SELECT
            n.user_id, n.place, MAX(IF(n.user_id = p_user_id, n.place, NULL)) OVER () AS own_place
        FROM (
            SELECT user_id, DENSE_RANK() OVER (ORDER BY standing_key DESC) AS place
            FROM around
        ) AS n
    ) AS a
    STRAIGHT_JOIN leaderboard_snapshot AS e FORCE INDEX (PRIMARY)
        ON e.board_id = v_board_id AND e.user_id = a.user_id
    STRAIGHT_JOIN users AS u FORCE INDEX (PRIMARY) ON u.user_id = a.user_id;

    RETURN JSON_OBJECT('head', v_head, 'entries', v_entries);
END$$

DELIMITER ;

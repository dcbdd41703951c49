SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_around;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_around(
    p_exam_id BIGINT,
    p_user_id BIGINT,
    p_window  BIGINT
)
    COMMENT 'Reads the entries above and below a candidate'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The candidate's own entry with its neighbours in board order.
    -- Parameters:  p_exam_id  of create_exam
    --              p_user_id  in the middle
    --              p_window   1 to 100 entries on each side, fewer at the ends of the board; NULL:
    --                         5
    -- Result sets: 1: exam_id, exam_title, total_participants, user_id, window, revision,
    --                 changed_at
    --              2: rank, user_id, username, full_name, total_score, total_time_sec, by rank and
    --                 user_id
    -- Errors:      exam_not_found, entry_not_found, window_invalid; 1568 inside an open transaction
    -- Transaction: its own, REPEATABLE READ, READ ONLY
    -- Locks:       none
    -- Example:     CALL get_around(1, 1, 1);
    --              exam_id exam_title             total_participants user_id window revision ...
    --                    1 Backend Challenge 2026                842       1      1     1187 ...
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    --                 2       2 bob      Bob Stone      94.0000           3100
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_standing_key BIGINT;
    DECLARE v_own_rank BIGINT;
    DECLARE v_window BIGINT DEFAULT COALESCE(p_window, 5);

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;
        IF v_window NOT BETWEEN 1 AND 100 THEN
            CALL _raise('window_invalid', 'window must be 1 to 100');
        END IF;
        CALL _find_board(p_exam_id, v_board_id);

        -- Not SET: see _find_board.
        SELECT (
            SELECT standing_key FROM leaderboard_snapshot
            WHERE board_id = v_board_id AND user_id = p_user_id
        ) INTO v_standing_key;
        IF v_standing_key IS NULL THEN
            CALL _raise('entry_not_found', CONCAT(
                'user ', COALESCE(p_user_id, 'NULL'), ' has no score in exam ', p_exam_id));
        END IF;

        SELECT
            e.exam_id, e.title AS exam_title, b.total_participants, p_user_id AS user_id,
            v_window AS `window`, b.revision, b.changed_at
        FROM leaderboards AS b
        INNER JOIN exams AS e ON e.exam_id = b.exam_id
        WHERE b.board_id = v_board_id;

        SELECT _rank(v_board_id, v_standing_key) INTO v_own_rank;

        -- From the index alone, see get_leaderboard; the rows of those chosen come last.
        WITH
        above AS (
            (
                SELECT user_id, standing_key
                FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
                WHERE board_id = v_board_id AND standing_key = v_standing_key
                    AND user_id < p_user_id
                ORDER BY user_id DESC
                LIMIT v_window
            )
            UNION ALL
            (
                SELECT user_id, standing_key
                FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
                WHERE board_id = v_board_id AND standing_key > v_standing_key
                ORDER BY standing_key, user_id DESC
                LIMIT v_window
            )
        ),
        below AS (
            (
                SELECT user_id, standing_key
                FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
                WHERE board_id = v_board_id AND standing_key = v_standing_key
                    AND user_id > p_user_id
                ORDER BY user_id
                LIMIT v_window
            )
            UNION ALL
            (
                SELECT user_id, standing_key
                FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
                WHERE board_id = v_board_id AND standing_key < v_standing_key
                ORDER BY standing_key DESC, user_id
                LIMIT v_window
            )
        ),
        around AS (
            (
                SELECT user_id, standing_key
                FROM above
                ORDER BY standing_key, user_id DESC
                LIMIT v_window
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
                LIMIT v_window
            )
        )
        SELECT
            -- The candidate's own rank, and from there by place.
            v_own_rank + a.place - MAX(IF(a.user_id = p_user_id, a.place, NULL)) OVER () AS `rank`,
            a.user_id,
            u.username,
            u.full_name,
            e.total_score,
            e.total_time_sec
        FROM (
            SELECT user_id, DENSE_RANK() OVER (ORDER BY standing_key DESC) AS place
            FROM around
        ) AS a
        STRAIGHT_JOIN leaderboard_snapshot AS e FORCE INDEX (PRIMARY)
            ON e.board_id = v_board_id AND e.user_id = a.user_id
        STRAIGHT_JOIN users AS u FORCE INDEX (PRIMARY) ON u.user_id = a.user_id
        ORDER BY `rank`, a.user_id;

        COMMIT AND NO CHAIN NO RELEASE;
    END;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_leaderboard;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_leaderboard(
    p_exam_id  BIGINT,
    p_page     BIGINT,
    p_per_page BIGINT,
    p_user_id  BIGINT
)
    COMMENT 'Reads a page of a board, with somebody''s own entry'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The board, page by page; all three result sets are of the revision in the first.
    -- Parameters:  p_exam_id   of create_exam
    --              p_page      from 1; NULL: 1. A page past the end is empty
    --              p_per_page  1 to 200 entries; NULL: 50
    --              p_user_id   whose own entry to add; NULL: nobody's
    -- Result sets: 1: exam_id, exam_title, total_participants, page, per_page, revision,
    --                 changed_at, epoch (16 hexadecimal digits of the revision's hash: tell it from
    --                 one of the same number before a restore)
    --              2: rank, user_id, username, full_name, total_score, total_time_sec, by rank and
    --                 user_id
    --              3: the same columns for p_user_id; no row where he is not on the board
    -- Errors:      exam_not_found, page_invalid, per_page_invalid; 1568 inside an open transaction
    -- Transaction: its own, REPEATABLE READ, READ ONLY
    -- Locks:       none
    -- Example:     CALL get_leaderboard(1, 1, 50, 1);
    --              exam_id exam_title             total_participants page per_page revision ...
    --                    1 Backend Challenge 2026                842    1       50     1187 ...
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_standing_key BIGINT;
    DECLARE v_skip BIGINT;
    DECLARE v_first_rank BIGINT;
    DECLARE v_per_page BIGINT DEFAULT COALESCE(p_per_page, 50);
    DECLARE v_page BIGINT DEFAULT COALESCE(p_page, 1);

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;
        IF v_page NOT BETWEEN 1 AND 1000000000 THEN
            CALL _raise('page_invalid', 'page must be 1 to 1000000000');
        END IF;
        IF v_per_page NOT BETWEEN 1 AND 200 THEN
            CALL _raise('per_page_invalid', 'per_page must be 1 to 200');
        END IF;
        CALL _find_board(p_exam_id, v_board_id);

        SELECT
            e.exam_id, e.title AS exam_title, b.total_participants, v_page AS page,
            v_per_page AS per_page, b.revision, b.changed_at,
            LOWER(HEX(LEFT(b.head_hash, 8))) AS epoch
        FROM leaderboards AS b
        INNER JOIN exams AS e ON e.exam_id = b.exam_id
        WHERE b.board_id = v_board_id;

        CALL _find_place(v_board_id, (v_page - 1) * v_per_page, v_standing_key, v_skip);
        -- Not SET, which would count standings of the newest revision: see _find_board.
        SELECT _rank(v_board_id, v_standing_key) INTO v_first_rank;

        -- Dense rank over the page alone: its first entry holds the place that was found. The page
        -- is cut from the index, which holds all that it takes: InnoDB reads ahead of a range, and
        -- would fetch a thousand rows for fifty entries.
        SELECT
            v_first_rank - 1 + DENSE_RANK() OVER (ORDER BY p.standing_key DESC) AS `rank`,
            p.user_id,
            u.username,
            u.full_name,
            e.total_score,
            e.total_time_sec
        FROM (
            SELECT user_id, standing_key
            FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
            WHERE board_id = v_board_id AND standing_key <= v_standing_key
            ORDER BY standing_key DESC, user_id
            LIMIT v_skip, v_per_page
        ) AS p
        STRAIGHT_JOIN leaderboard_snapshot AS e FORCE INDEX (PRIMARY)
            ON e.board_id = v_board_id AND e.user_id = p.user_id
        STRAIGHT_JOIN users AS u FORCE INDEX (PRIMARY) ON u.user_id = p.user_id
        ORDER BY `rank`, p.user_id;

        SELECT
            _rank(e.board_id, e.standing_key) AS `rank`, e.user_id, u.username, u.full_name,
            e.total_score, e.total_time_sec
        FROM leaderboard_snapshot AS e
        INNER JOIN users AS u ON u.user_id = e.user_id
        WHERE e.board_id = v_board_id AND e.user_id = p_user_id;

        COMMIT AND NO CHAIN NO RELEASE;
    END;
END$$

DELIMITER ;

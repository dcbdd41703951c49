SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_names;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_names(
    p_user_id   BIGINT,
    p_boards    JSON,
    p_username  VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_full_name VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_actor_id  BIGINT
)
    RETURNS INT
    COMMENT 'Changes the names of a user, and the boards that show them, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The new names and a revision on each board that shows them: done or undone as a
    --              whole, by KILL QUERY too. See _write_submissions. What is as it was makes no
    --              revision.
    -- Parameters:  p_user_id    of create_user
    --              p_boards     array: the boards of all exams the user has a session of, read
    --                           without a lock: whoever reads in here locks, and a submission locks
    --                           its board before its session
    --              p_username   of _require_names; NULL: as it is
    --              p_full_name  of _require_names; NULL: as it is
    --              p_actor_id   acting user; NULL: the MySQL account itself
    -- Result:      how many boards have a new revision; NULL: no such user
    -- Errors:      1062 where the name is taken
    -- Transaction: the statement's own, READ COMMITTED: what was committed while it waited is seen
    -- Locks:       p_boards in ascending order, then the user and their sessions. The board of a
    --              session that started meanwhile comes after the user: should its first score
    --              wait for the user by then, one of the two gets 1213
    -- Example:     SET v_boards = _write_names(1, '[1]', NULL, 'Alice Novak', NULL);
    DECLARE v_locked LONGTEXT CHARACTER SET ascii COLLATE ascii_bin DEFAULT '';
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_username VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_full_name VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_done BOOLEAN DEFAULT FALSE;
    DECLARE v_boards INT DEFAULT 0;

    -- Loops, since the order of the locks and of the revisions is the point of them.
    WHILE NOT v_done DO
        IF v_username IS NULL THEN
            SET v_board_id = (
                SELECT MIN(b.board_id)
                FROM JSON_TABLE(p_boards, '$[*]' COLUMNS (board_id BIGINT PATH '$')) AS b
                WHERE NOT FIND_IN_SET(b.board_id, v_locked)
            );
        ELSE
            SET v_board_id = (
                SELECT MIN(b.board_id)
                FROM exam_sessions AS s
                INNER JOIN leaderboards AS b ON b.exam_id = s.exam_id
                WHERE s.user_id = p_user_id AND NOT FIND_IN_SET(b.board_id, v_locked)
            );
        END IF;
        IF v_board_id IS NOT NULL THEN
            SET v_locked = CONCAT_WS(
                ',', NULLIF(v_locked, ''),
                (SELECT board_id FROM leaderboards WHERE board_id = v_board_id FOR UPDATE));
        ELSEIF v_username IS NULL THEN
            -- From here on they start no session, which refers to their row: the boards are looked
            -- for once more.
            SELECT username, full_name
            INTO v_username, v_full_name
            FROM users
            WHERE user_id = p_user_id
            FOR UPDATE;
            IF v_username IS NULL THEN
                RETURN NULL;
            END IF;
        ELSE
            SET v_done = TRUE;
        END IF;
    END WHILE;

    SET p_username = COALESCE(p_username, v_username);
    SET p_full_name = COALESCE(p_full_name, v_full_name);
    IF p_username = v_username AND p_full_name = v_full_name THEN
        RETURN 0;
    END IF;
    UPDATE users
    SET username = p_username,
        username_key = _username_key(p_username),
        full_name = p_full_name
    WHERE user_id = p_user_id;

    SET v_board_id = 0;
    WHILE v_board_id IS NOT NULL DO
        SET v_board_id = (
            SELECT MIN(board_id)
            FROM leaderboard_snapshot
            WHERE user_id = p_user_id AND board_id > v_board_id
        );
        IF v_board_id IS NOT NULL THEN
            CALL _advance_board(
                v_board_id, 'rename', p_actor_id, JSON_OBJECT('user_id', p_user_id));
            SET v_boards = v_boards + 1;
        END IF;
    END WHILE;

    RETURN v_boards;
END$$

DELIMITER ;

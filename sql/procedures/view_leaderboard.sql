SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.view_leaderboard;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.view_leaderboard(
    p_exam_id     BIGINT,
    p_page        BIGINT,
    p_per_page    BIGINT,
    p_user_id     BIGINT,
    p_viewer_id   BIGINT,
    p_viewer_role VARCHAR(20)
)
    COMMENT 'Reads a page of a board as somebody may see it'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     get_leaderboard as somebody may see it.
    -- Parameters:  p_exam_id      of create_exam
    --              p_page         from 1; NULL: 1. A page past the end is empty
    --              p_per_page     1 to 200 entries; NULL: 50
    --              p_user_id      whose own entry to add; NULL: nobody's
    --              p_viewer_id    who reads; a candidate sees their own names whatever is hidden
    --              p_viewer_role  candidate, viewer, grader, moderator, admin; nobody: there is no
    --                             token; NULL: the MySQL account itself, which sees all
    -- Result sets: 1: exam_id, exam_title, total_participants, page, per_page, revision,
    --                 changed_at, epoch (of get_leaderboard), board_access (of the exam), names
    --                 (board_names as it holds for the viewer)
    --              2: rank, user_id, username, full_name, total_score, total_time_sec, by rank and
    --                 user_id
    --              3: the same columns for p_user_id; no row where they are not on the board
    -- Errors:      exam_not_found (also where they may not read the board), page_invalid,
    --              per_page_invalid; 1568 inside an open transaction
    -- Transaction: one statement of its own, REPEATABLE READ
    -- Locks:       none
    -- Example:     CALL view_leaderboard(1, 1, 50, NULL, 2, 'candidate');
    DECLARE v_read JSON;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SET autocommit = 1;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    SELECT _read_leaderboard(p_exam_id, COALESCE(p_page, 1), COALESCE(p_per_page, 50), p_user_id,
                             p_viewer_id, p_viewer_role)
    INTO v_read;

    SELECT
        h.exam_id, h.exam_title, h.total_participants, h.page, h.per_page, h.revision, h.changed_at,
        h.epoch, h.board_access, h.names
    FROM JSON_TABLE(
        v_read, '$.head'
        COLUMNS (
            exam_id            BIGINT UNSIGNED PATH '$.exam_id',
            exam_title         VARCHAR(200)    CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                               PATH '$.exam_title',
            total_participants INT UNSIGNED    PATH '$.total_participants',
            page               BIGINT          PATH '$.page',
            per_page           BIGINT          PATH '$.per_page',
            revision           BIGINT UNSIGNED PATH '$.revision',
            changed_at         DATETIME(6)     PATH '$.changed_at',
            epoch              VARCHAR(16)     CHARACTER SET ascii COLLATE ascii_bin PATH '$.epoch',
            board_access       VARCHAR(20)     CHARACTER SET ascii PATH '$.board_access',
            names              VARCHAR(20)     CHARACTER SET ascii PATH '$.names'
        )
    ) AS h;
    CALL _tell_entries(JSON_EXTRACT(v_read, '$.page'));
    CALL _tell_entries(JSON_EXTRACT(v_read, '$.own'));

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

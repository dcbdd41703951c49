SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.view_around;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.view_around(
    p_exam_id     BIGINT,
    p_user_id     BIGINT,
    p_window      BIGINT,
    p_viewer_id   BIGINT,
    p_viewer_role VARCHAR(20)
)
    COMMENT 'Reads the entries around a candidate as somebody may see them'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     get_around as somebody may see it.
    -- Parameters:  p_exam_id      of create_exam
    --              p_user_id      in the middle
    --              p_window       1 to 100 entries on each side, fewer at the ends of the board;
    --                             NULL: 5
    --              p_viewer_id    who reads; a candidate sees their own names whatever is hidden
    --              p_viewer_role  candidate, viewer, grader, moderator, admin; nobody: there is no
    --                             token; NULL: the MySQL account itself, which sees all
    -- Result sets: 1: exam_id, exam_title, total_participants, user_id, window, revision,
    --                 changed_at
    --              2: rank, user_id, username, full_name, total_score, total_time_sec, by rank and
    --                 user_id
    -- Errors:      exam_not_found (also where they may not read the board), entry_not_found,
    --              window_invalid; 1568 inside an open transaction
    -- Transaction: one statement of its own, REPEATABLE READ
    -- Locks:       none
    -- Example:     CALL view_around(1, 1, 1, 2, 'candidate');
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
    SELECT _read_around(p_exam_id, p_user_id, COALESCE(p_window, 5), p_viewer_id, p_viewer_role)
    INTO v_read;

    SELECT
        h.exam_id, h.exam_title, h.total_participants, h.user_id, h.`window`, h.revision,
        h.changed_at
    FROM JSON_TABLE(
        v_read, '$.head'
        COLUMNS (
            exam_id            BIGINT UNSIGNED PATH '$.exam_id',
            exam_title         VARCHAR(200)    CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                               PATH '$.exam_title',
            total_participants INT UNSIGNED    PATH '$.total_participants',
            user_id            BIGINT          PATH '$.user_id',
            `window`           BIGINT          PATH '$.window',
            revision           BIGINT UNSIGNED PATH '$.revision',
            changed_at         DATETIME(6)     PATH '$.changed_at'
        )
    ) AS h;
    CALL _tell_entries(JSON_EXTRACT(v_read, '$.entries'));

    SET autocommit = v_autocommit;
END$$

DELIMITER ;

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
    -- Transaction: one statement of its own, REPEATABLE READ
    -- Locks:       none
    -- Example:     CALL get_around(1, 1, 1);
    --              exam_id exam_title             total_participants user_id window revision ...
    --                    1 Backend Challenge 2026                842       1      1     1187 ...
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    --                 2       2 bob      Bob Stone      94.0000           3100
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
    SELECT _read_around(p_exam_id, p_user_id, COALESCE(p_window, 5)) INTO v_read;

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

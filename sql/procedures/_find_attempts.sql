SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._find_attempts;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._find_attempts(
    p_exam_id      BIGINT,
    p_max_attempts INT,
    p_closed       VARCHAR(40)
)
    COMMENT 'Finds the attempt in progress of each candidate read, or the one to start'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The rules of start_session for all candidates in one statement.
    -- Parameters:  p_exam_id       of create_exam
    --              p_max_attempts  of the exam
    --              p_closed        exam_not_open or exam_ended; NULL: attempts may start
    -- Result sets: none; leaves a row per item of tmp_candidates in tmp_attempts
    -- Errors:      none
    -- Transaction: the caller's, READ COMMITTED: the users just created are seen, nothing is locked
    -- Locks:       none
    -- Example:     CALL _find_attempts(1, 1, NULL);
    CREATE TEMPORARY TABLE IF NOT EXISTS tmp_attempts (
        item_no      INT UNSIGNED    NOT NULL,
        user_id      BIGINT UNSIGNED NULL,
        user_created BOOLEAN         NOT NULL,
        attempt_no   INT UNSIGNED    NOT NULL,  -- the one in progress, or to start
        starts       BOOLEAN         NOT NULL,  -- by this item
        code         VARCHAR(40)     CHARACTER SET ascii COLLATE ascii_bin NULL,
        PRIMARY KEY (item_no)
    ) ENGINE = InnoDB;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_attempts;

    INSERT INTO tmp_attempts (item_no, user_id, user_created, attempt_no, starts, code)
    SELECT
        i.item_no, i.user_id, i.user_created, i.attempt_no,
        i.code IS NULL AND NOT i.in_progress AND i.repeat_no = 1,
        i.code
    FROM (
        SELECT
            t.item_no,
            t.repeat_no,
            u.user_id,
            t.user_id IS NULL AND u.user_id IS NOT NULL AND t.repeat_no = 1 AS user_created,
            COALESCE(s.status = 'in_progress', FALSE) AS in_progress,
            COALESCE(s.attempt_no + (s.status <> 'in_progress'), 1) AS attempt_no,
            CASE
                WHEN t.code IS NOT NULL THEN t.code
                WHEN s.status = 'in_progress' THEN NULL
                WHEN p_closed IS NOT NULL THEN p_closed
                WHEN s.attempt_no >= p_max_attempts THEN 'attempts_exhausted'
            END AS code
        FROM tmp_candidates AS t
        LEFT JOIN users AS u FORCE INDEX (uq_users_username)
            ON u.username = IF(t.code IS NULL, t.username, NULL)
        LEFT JOIN LATERAL (
            SELECT attempt_no, status
            FROM exam_sessions
            WHERE exam_id = p_exam_id AND user_id = u.user_id
            ORDER BY attempt_no DESC
            LIMIT 1
        ) AS s ON TRUE
    ) AS i;
END$$

DELIMITER ;

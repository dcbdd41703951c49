SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The harness of the SQL tests, after pgTAP. A test file announces a plan, arranges through the
-- public procedures, asserts with have and want, and finishes; every line of the outcome is a row
-- with the one column `tap`. SQL cannot read what a CALL returns, so whoever runs the file
-- (tests/test_sql.py) puts the result sets of each CALL into @result: a JSON array of arrays of
-- objects, every value as text.
DROP DATABASE IF EXISTS podium_tap;
CREATE DATABASE podium_tap DEFAULT CHARACTER SET utf8mb4 DEFAULT COLLATE utf8mb4_0900_ai_ci;

DELIMITER $$

-- Announces how many assertions follow.
CREATE PROCEDURE podium_tap.plan(p_assertions INT)
BEGIN
    SET @tap_planned = p_assertions, @tap_run = 0;
    SELECT CONCAT('1..', p_assertions) AS tap;
END$$

-- Tells whether as many assertions were run as planned.
CREATE PROCEDURE podium_tap.finish()
BEGIN
    IF @tap_run <> @tap_planned THEN
        SELECT CONCAT('# planned ', @tap_planned, ' assertions but ran ', @tap_run) AS tap;
    END IF;
END$$

CREATE PROCEDURE podium_tap.ok(p_passed BOOLEAN, p_description TEXT)
BEGIN
    SET @tap_run = @tap_run + 1;
    SELECT CONCAT(IF(p_passed, 'ok ', 'not ok '), @tap_run, ' - ', p_description) AS tap;
END$$

-- Equal to the last byte; NULL equals NULL.
CREATE PROCEDURE podium_tap.is(p_have LONGTEXT, p_want LONGTEXT, p_description TEXT)
BEGIN
    DECLARE v_equal BOOLEAN DEFAULT CAST(p_have AS BINARY) <=> CAST(p_want AS BINARY);

    CALL podium_tap.ok(v_equal, p_description);
    IF NOT v_equal THEN
        SELECT CONCAT('#   have: ', COALESCE(LEFT(p_have, 500), 'NULL')) AS tap
        UNION ALL
        SELECT CONCAT('#   want: ', COALESCE(LEFT(p_want, 500), 'NULL'));
    END IF;
END$$

-- The statement fails with this errno and a message that begins like this.
CREATE PROCEDURE podium_tap.throws(
    p_statement TEXT, p_errno INT, p_message TEXT, p_description TEXT)
BEGIN
    DECLARE v_errno INT;
    DECLARE v_message TEXT;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
            GET DIAGNOSTICS CONDITION 1 v_errno = MYSQL_ERRNO, v_message = MESSAGE_TEXT;

        SET @tap_statement = p_statement;
        PREPARE tap_statement FROM @tap_statement;
        EXECUTE tap_statement;
    END;

    CALL podium_tap.is(
        CONCAT(v_errno, ' ', LEFT(v_message, CHAR_LENGTH(p_message))),
        CONCAT(p_errno, ' ', p_message),
        p_description
    );
END$$

-- How many rows the last CALL returned in one of its result sets, counted from 1.
CREATE FUNCTION podium_tap.rows_in(p_set INT) RETURNS INT
    NOT DETERMINISTIC
    NO SQL
    RETURN JSON_LENGTH(@result, CONCAT('$[', p_set - 1, ']'))$$

-- A value of the last CALL's result sets; sets and rows are counted from 1.
CREATE FUNCTION podium_tap.got_at(p_set INT, p_row INT, p_column VARCHAR(64)) RETURNS LONGTEXT
    NOT DETERMINISTIC
    NO SQL
BEGIN
    DECLARE v_value JSON DEFAULT JSON_EXTRACT(
        @result, CONCAT('$[', p_set - 1, '][', p_row - 1, '].', JSON_QUOTE(p_column)));

    IF v_value IS NULL THEN
        RETURN CONCAT('(no ', p_column, ' in row ', p_row, ' of result set ', p_set, ')');
    END IF;
    RETURN IF(JSON_TYPE(v_value) = 'NULL', NULL, JSON_UNQUOTE(v_value));
END$$

-- A value of the first row of the last CALL's first result set.
CREATE FUNCTION podium_tap.got(p_column VARCHAR(64)) RETURNS LONGTEXT
    NOT DETERMINISTIC
    NO SQL
    RETURN podium_tap.got_at(1, 1, p_column)$$

-- A whole column of a result set of the last CALL, from top to bottom, with blanks in between.
CREATE FUNCTION podium_tap.column_of(p_set INT, p_column VARCHAR(64)) RETURNS LONGTEXT
    NOT DETERMINISTIC
    NO SQL
BEGIN
    DECLARE v_row INT DEFAULT 0;
    DECLARE v_values LONGTEXT DEFAULT '';

    -- A loop, since an aggregate over JSON_TABLE would be cut at group_concat_max_len.
    WHILE v_row < podium_tap.rows_in(p_set) DO
        SET v_row = v_row + 1,
            v_values = CONCAT_WS(' ', NULLIF(v_values, ''),
                                 COALESCE(podium_tap.got_at(p_set, v_row, p_column), 'NULL'));
    END WHILE;
    RETURN v_values;
END$$

-- A name that nobody else has taken, so that a file can run twice on one database.
CREATE FUNCTION podium_tap.name(p_base VARCHAR(30)) RETURNS VARCHAR(64)
    NOT DETERMINISTIC
    NO SQL
    RETURN CONCAT(p_base, '-', UUID_SHORT())$$

-- An exam with the default rules, but for this: candidates submit for themselves, so that a test
-- can act as one.
CREATE PROCEDURE podium_tap.open_exam(OUT o_exam_id BIGINT)
BEGIN
    CALL podium_tap.open_exam_with(NULL, NULL, o_exam_id);
END$$

CREATE PROCEDURE podium_tap.open_exam_with(
    p_max_attempts INT, p_attempt_policy VARCHAR(20), OUT o_exam_id BIGINT)
BEGIN
    DECLARE v_title VARCHAR(64) DEFAULT podium_tap.name('exam');

    CALL podium.create_exam_once(
        JSON_OBJECT(
            'title', v_title, 'max_attempts', COALESCE(p_max_attempts, 1),
            'attempt_policy', COALESCE(p_attempt_policy, 'best'), 'submissions_by', 'candidates'),
        NULL, NULL);
    SET o_exam_id = (SELECT exam_id FROM podium.exams WHERE title = v_title);
END$$

CREATE PROCEDURE podium_tap.join_podium(p_name VARCHAR(30), p_role VARCHAR(20),
    OUT o_user_id BIGINT)
BEGIN
    DECLARE v_name VARCHAR(64) DEFAULT podium_tap.name(p_name);

    CALL podium.create_user(v_name, p_name, p_role);
    SET o_user_id = (
        SELECT user_id FROM podium.users WHERE username = v_name COLLATE utf8mb4_0900_bin
    );
END$$

-- A new candidate with a session in progress.
CREATE PROCEDURE podium_tap.enter(
    p_exam_id BIGINT, p_name VARCHAR(30), OUT o_user_id BIGINT, OUT o_session_id BIGINT)
BEGIN
    CALL podium_tap.join_podium(p_name, 'candidate', o_user_id);
    CALL podium.start_session(p_exam_id, o_user_id, NULL);
    SET o_session_id = (
        SELECT MAX(session_id) FROM podium.exam_sessions
        WHERE exam_id = p_exam_id AND user_id = o_user_id
    );
END$$

-- A score of so many points out of 100 in so many seconds.
CREATE PROCEDURE podium_tap.score(
    p_session_id BIGINT, p_module_type VARCHAR(20), p_points DECIMAL(7, 4), p_seconds INT)
BEGIN
    CALL podium.submit_score(
        p_session_id, p_module_type, p_points, 100, p_seconds, NULL, NULL, NULL, NULL);
END$$

-- The same as an item of submit_scores.
CREATE FUNCTION podium_tap.item(
    p_session_id BIGINT, p_module_type VARCHAR(20), p_points DECIMAL(7, 4), p_seconds INT)
    RETURNS JSON
    DETERMINISTIC
    NO SQL
    RETURN JSON_OBJECT(
        'session_id', p_session_id, 'module_type', p_module_type, 'raw_score', p_points,
        'max_score', 100, 'time_spent_sec', p_seconds
    )$$

-- Everything that a submission would leave behind, as one text: the same before and after a
-- refusal.
CREATE FUNCTION podium_tap.state_of(p_exam_id BIGINT) RETURNS LONGTEXT
    NOT DETERMINISTIC
    READS SQL DATA
    RETURN CONCAT_WS(
        ' ',
        (SELECT CONCAT_WS(':', b.revision, b.total_participants, HEX(b.head_hash))
         FROM podium.leaderboards AS b WHERE b.exam_id = p_exam_id),
        (SELECT CONCAT_WS(':', COUNT(*), SUM(s.version), SUM(s.total_score), SUM(s.total_time_sec))
         FROM podium.exam_sessions AS s WHERE s.exam_id = p_exam_id),
        (SELECT CONCAT_WS(':', COUNT(*), SUM(m.raw_score), MAX(m.submitted_at))
         FROM podium.exam_sessions AS s
         INNER JOIN podium.module_scores AS m ON m.session_id = s.session_id
         WHERE s.exam_id = p_exam_id),
        (SELECT COUNT(*) FROM podium.score_audit_log AS a
         INNER JOIN podium.leaderboards AS b ON b.board_id = a.board_id
         WHERE b.exam_id = p_exam_id)
    )$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._apply_settings;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._apply_settings(
    p_exam_id BIGINT UNSIGNED,
    p_old     JSON,
    p_changes JSON
)
    COMMENT 'Reads changes of an exam, judges what they make of it, and writes its row'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     What is judged is the exam as it will be: an end that is moved must lie behind
    --              the start that stands.
    -- Parameters:  p_exam_id  of exams; NULL: one that is about to be, and is only judged
    --              p_old      _exam_settings of it
    --              p_changes  see update_exam
    -- Result sets: none
    -- Errors:      those of update_exam but for exam_not_found
    -- Transaction: the caller's, READ COMMITTED, the board and the exam locked
    -- Locks:       none more
    -- Example:     CALL _apply_settings(1, _exam_settings(1), '{"max_attempts": 2}');
    DECLARE v_unknown TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_wrong_type VARCHAR(20);
    DECLARE v_new JSON;
    DECLARE v_title TEXT;
    DECLARE v_weight_coding, v_weight_quiz, v_weight_assessment DECIMAL(30, 15);
    DECLARE v_max_attempts, v_duration_sec BIGINT;
    DECLARE v_attempt_policy, v_submissions_by, v_board_access, v_board_names VARCHAR(255);
    DECLARE v_starts_text, v_ends_text VARCHAR(64);
    DECLARE v_starts_at, v_ends_at DATETIME(6);

    IF COALESCE(JSON_TYPE(p_changes), 'NULL') <> 'OBJECT' THEN
        CALL _raise('changes_invalid', 'the changes must be a JSON object');
    END IF;
    SELECT MIN(k.name) INTO v_unknown
    FROM JSON_TABLE(JSON_KEYS(p_changes), '$[*]' COLUMNS (
        name TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin PATH '$'
    )) AS k
    WHERE NOT JSON_CONTAINS(JSON_KEYS(p_old), JSON_QUOTE(k.name));
    IF v_unknown IS NOT NULL THEN
        CALL _raise('changes_invalid', CONCAT(v_unknown, ' is no setting of an exam'));
    END IF;

    -- Of its own type and no other: JSON_TABLE would make a title of true or 7.
    SELECT MIN(k.name) INTO v_wrong_type
    FROM JSON_TABLE(JSON_KEYS(p_changes), '$[*]' COLUMNS (
        name VARCHAR(20) CHARACTER SET ascii PATH '$'
    )) AS k
    WHERE NOT FIND_IN_SET(
        JSON_TYPE(JSON_EXTRACT(p_changes, CONCAT('$.', k.name))),
        COALESCE(
            ELT(
                FIELD(k.name, 'weights', 'max_attempts', 'duration_sec', 'starts_at', 'ends_at'),
                'OBJECT', 'INTEGER,UNSIGNED INTEGER', 'INTEGER,UNSIGNED INTEGER,NULL',
                'STRING,NULL', 'STRING,NULL'),
            'STRING'));
    IF v_wrong_type IS NOT NULL THEN
        CALL _raise('changes_invalid', CONCAT(
            v_wrong_type, ' must be ', CASE
                WHEN v_wrong_type = 'weights' THEN 'an object'
                WHEN v_wrong_type = 'max_attempts' THEN 'a whole number'
                WHEN v_wrong_type = 'duration_sec' THEN 'a whole number of seconds, or null'
                WHEN v_wrong_type IN ('starts_at', 'ends_at') THEN 'a time as text, or null'
                ELSE 'text'
            END));
    END IF;

    SET v_new = JSON_MERGE_PATCH(p_old, p_changes);
    IF JSON_LENGTH(v_new, '$.weights') > 3 THEN
        CALL _raise('weights_invalid', 'the modules are coding, quiz and assessment');
    END IF;
    SELECT
        title, weight_coding, weight_quiz, weight_assessment, max_attempts, attempt_policy,
        starts_at, ends_at, duration_sec, submissions_by, board_access, board_names
    INTO
        v_title, v_weight_coding, v_weight_quiz, v_weight_assessment, v_max_attempts,
        v_attempt_policy, v_starts_text, v_ends_text, v_duration_sec, v_submissions_by,
        v_board_access, v_board_names
    FROM JSON_TABLE(v_new, '$' COLUMNS (
        title             TEXT            PATH '$.title',
        weight_coding     DECIMAL(30, 15) PATH '$.weights.coding',
        weight_quiz       DECIMAL(30, 15) PATH '$.weights.quiz',
        weight_assessment DECIMAL(30, 15) PATH '$.weights.assessment',
        max_attempts      BIGINT          PATH '$.max_attempts' DEFAULT '0' ON ERROR,
        attempt_policy    VARCHAR(255)    PATH '$.attempt_policy' DEFAULT '""' ON ERROR,
        starts_at         VARCHAR(64)     PATH '$.starts_at' DEFAULT '"?"' ON ERROR,
        ends_at           VARCHAR(64)     PATH '$.ends_at' DEFAULT '"?"' ON ERROR,
        duration_sec      BIGINT          PATH '$.duration_sec' DEFAULT '0' ON ERROR,
        submissions_by    VARCHAR(255)    PATH '$.submissions_by' DEFAULT '""' ON ERROR,
        board_access      VARCHAR(255)    PATH '$.board_access' DEFAULT '""' ON ERROR,
        board_names       VARCHAR(255)    PATH '$.board_names' DEFAULT '""' ON ERROR
    )) AS j;

    SET v_starts_at = _utc(v_starts_text, 'starts_at');
    SET v_ends_at = _utc(v_ends_text, 'ends_at');
    CALL _require_weights(v_weight_coding, v_weight_quiz, v_weight_assessment);
    CALL _require_exam(
        v_title, v_max_attempts, v_attempt_policy, v_starts_at, v_ends_at, v_duration_sec);
    IF v_submissions_by COLLATE utf8mb4_0900_bin NOT IN ('graders', 'candidates') THEN
        CALL _raise('submissions_by_invalid', 'submissions_by must be graders or candidates');
    END IF;
    IF v_board_access COLLATE utf8mb4_0900_bin
        NOT IN ('everyone', 'signed_in', 'participants', 'staff') THEN
        CALL _raise('board_access_invalid',
                    'board_access must be everyone, signed_in, participants or staff');
    END IF;
    IF v_board_names COLLATE utf8mb4_0900_bin NOT IN ('full', 'username', 'hidden') THEN
        CALL _raise('board_names_invalid', 'board_names must be full, username or hidden');
    END IF;

    UPDATE exams
    SET title = v_title,
        weight_coding = v_weight_coding,
        weight_quiz = v_weight_quiz,
        weight_assessment = v_weight_assessment,
        max_attempts = v_max_attempts,
        most_attempts = GREATEST(most_attempts, v_max_attempts),
        attempt_policy = v_attempt_policy,
        starts_at = v_starts_at,
        ends_at = v_ends_at,
        duration_sec = v_duration_sec,
        submissions_by = v_submissions_by,
        board_access = v_board_access,
        board_names = v_board_names
    WHERE exam_id = p_exam_id;
END$$

DELIMITER ;

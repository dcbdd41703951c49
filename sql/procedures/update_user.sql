SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.update_user;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.update_user(
    p_user_id  BIGINT,
    p_changes  JSON,
    p_actor_id BIGINT
)
    COMMENT 'Changes the names of a user, on every board that shows them'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A name that was misspelt, or is another one now. Each board the user is on gets
    --              a revision, so that no cache and no 304 shows the old name. The history holds
    --              no names. Again, it changes nothing.
    -- Parameters:  p_user_id   of create_user
    --              p_changes   object: username, full_name or both, as create_user takes them; what
    --                          is left out stays
    --              p_actor_id  acting user; NULL: the MySQL account itself
    -- Result sets: 1: user_id, username, full_name, role, created_at
    --              2: exam_id, revision, changed_at of each board the user is on, by exam_id
    -- Errors:      user_change_invalid, username_invalid, full_name_invalid, user_not_found,
    --              username_taken; 1568 inside an open transaction; after 1213 or 1205 nothing has
    --              happened: try again
    -- Transaction: its own, READ COMMITTED: the writing is one statement, killed or refused as a
    --              whole
    -- Locks:       the boards of all exams the user has a session of, in ascending order, then the
    --              user
    -- Example:     CALL update_user(1, '{"full_name": "Alice Chen-Novak"}', NULL);
    --              user_id username full_name        role      created_at
    --                    1 alice    Alice Chen-Novak candidate 2026-11-24 09:00:00.000000
    --              exam_id revision changed_at
    --                    1        6 2026-11-24 09:30:00.000000
    DECLARE v_username LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_full_name LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_has_username, v_has_full_name BOOLEAN;
    DECLARE v_boards JSON;
    DECLARE v_revised INT;
    DECLARE v_autocommit BOOLEAN DEFAULT @@autocommit;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET autocommit = v_autocommit;
        RESIGNAL;
    END;

    -- In somebody's open transaction this fails and touches nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET autocommit = 1, timestamp = DEFAULT;

    IF COALESCE(JSON_TYPE(p_changes), 'NULL') <> 'OBJECT' THEN
        CALL _raise('user_change_invalid', 'the changes must be a JSON object');
    END IF;
    SET v_has_username = JSON_CONTAINS_PATH(p_changes, 'one', '$.username');
    SET v_has_full_name = JSON_CONTAINS_PATH(p_changes, 'one', '$.full_name');
    IF JSON_LENGTH(p_changes) <> v_has_username + v_has_full_name THEN
        CALL _raise('user_change_invalid', 'of a user username and full_name can be changed');
    END IF;
    -- Text and nothing else: true and 7 are no names. What is not changed is judged as a name that
    -- would do.
    SET v_username = IF(
        v_has_username,
        IF(JSON_TYPE(JSON_EXTRACT(p_changes, '$.username')) = 'STRING',
           JSON_UNQUOTE(JSON_EXTRACT(p_changes, '$.username')), NULL),
        'unchanged');
    SET v_full_name = IF(
        v_has_full_name,
        IF(JSON_TYPE(JSON_EXTRACT(p_changes, '$.full_name')) = 'STRING',
           JSON_UNQUOTE(JSON_EXTRACT(p_changes, '$.full_name')), NULL),
        'unchanged');
    CALL _require_names(v_username, v_full_name, v_username, v_full_name);

    SELECT COALESCE(JSON_ARRAYAGG(b.board_id), JSON_ARRAY())
    INTO v_boards
    FROM exam_sessions AS s
    INNER JOIN leaderboards AS b ON b.exam_id = s.exam_id
    WHERE s.user_id = p_user_id;

    CALL _settle_session();
    BEGIN
        DECLARE EXIT HANDLER FOR 1062
            CALL _raise('username_taken', CONCAT('the user name ', v_username, ' is taken'));

        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;     -- of the next statement alone
        SET v_revised = _write_names(
            p_user_id, v_boards, IF(v_has_username, v_username, NULL),
            IF(v_has_full_name, v_full_name, NULL), p_actor_id);
    END;
    IF v_revised IS NULL THEN
        CALL _raise('user_not_found',
                    CONCAT('user ', COALESCE(p_user_id, 'NULL'), ' does not exist'));
    END IF;

    CALL get_user(p_user_id);

    SELECT b.exam_id, b.revision, b.changed_at
    FROM leaderboard_snapshot AS s
    INNER JOIN leaderboards AS b ON b.board_id = s.board_id
    WHERE s.user_id = p_user_id
    ORDER BY b.exam_id;
    SET autocommit = v_autocommit;
END$$

DELIMITER ;

-- update_user: another name, on every board that shows it.
CALL podium_tap.plan(26);

CALL podium_tap.join_podium('admin', 'admin', @admin);
CALL podium_tap.open_exam(@one);
CALL podium_tap.open_exam(@two);
CALL podium_tap.open_exam(@three);
CALL podium_tap.open_exam(@others);
CALL podium_tap.enter(@one, 'alice', @alice, @session);
CALL podium_tap.score(@session, 'coding', 85.5, 2400);
CALL podium.start_session(@two, @alice, NULL);
SET @session = podium_tap.got('session_id');
CALL podium_tap.score(@session, 'quiz', 50, 60);
CALL podium.start_session(@three, @alice, NULL);
CALL podium_tap.enter(@others, 'bob', @bob, @session);
CALL podium_tap.score(@session, 'quiz', 50, 60);
SET @bob_name = (SELECT username FROM podium.users WHERE user_id = @bob);

SET @name = podium_tap.name('Ålice');
CALL podium.update_user(
    @alice, JSON_OBJECT('username', CONCAT(' ', @name, ' '), 'full_name', ' Alice Novak '), @admin);
CALL podium_tap.is(podium_tap.got_at(1, 1, 'username'), @name, 'the new name, trimmed');
CALL podium_tap.is(podium_tap.got_at(1, 1, 'full_name'), 'Alice Novak', 'and the full name');
CALL podium_tap.is(podium_tap.got_at(1, 1, 'user_id'), @alice, 'of the same user');
CALL podium_tap.is(
    podium_tap.column_of(2, 'exam_id'), CONCAT_WS(' ', @one, @two),
    'the boards they are on are told');
CALL podium_tap.is(podium_tap.column_of(2, 'revision'), '2 2', 'each has a revision more');
CALL podium.find_user(LOWER(@name));
CALL podium_tap.is(podium_tap.got('user_id'), @alice, 'they are found by the new name');
CALL podium.get_leaderboard(@one, 1, 50, NULL);
CALL podium_tap.is(
    podium_tap.got_at(2, 1, 'full_name'), 'Alice Novak', 'and stand on the board by it');
CALL podium.get_exam(@three);
CALL podium_tap.is(podium_tap.got('revision'), 0, 'a board without an entry of theirs has none');
CALL podium.get_exam(@others);
CALL podium_tap.is(podium_tap.got('revision'), 1, 'nor has one of others');
CALL podium_tap.is(
    (
        SELECT CONCAT_WS(
            ' ', r.reason, r.actor LIKE CONCAT('user:', @admin, '%'), r.details -> '$.user_id')
        FROM podium.leaderboard_revisions AS r
        INNER JOIN podium.leaderboards AS b ON b.board_id = r.board_id
        WHERE b.exam_id = @one AND r.revision = 2
    ),
    CONCAT('rename 1 ', @alice), 'which says why, who did it and of whom, and no name');
CALL podium.check_leaderboard(@one);
CALL podium_tap.is(podium_tap.rows_in(1), '0', 'the board is whole');
CALL podium.verify_audit(@one);
CALL podium_tap.is(podium_tap.rows_in(1), '0', 'so is the history');

CALL podium.update_user(
    @alice, JSON_OBJECT('username', @name, 'full_name', 'Alice Novak'), @admin);
CALL podium_tap.is(podium_tap.column_of(2, 'revision'), '2 2', 'again: no revision');
CALL podium.update_user(@alice, '{}', @admin);
CALL podium_tap.is(podium_tap.column_of(2, 'revision'), '2 2', 'nor for nothing');
CALL podium.update_user(@alice, JSON_OBJECT('username', UPPER(@name)), NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got_at(1, 1, 'username'), podium_tap.column_of(2, 'revision')),
    CONCAT(UPPER(@name), ' 3 3'), 'one may change the case of a name; what is left out stays');
CALL podium_tap.is(podium_tap.got_at(1, 1, 'full_name'), 'Alice Novak', 'as it is');

CALL podium_tap.throws(
    'CALL podium.update_user(@alice, JSON_OBJECT(''username'', UPPER(@bob_name)), NULL)', 50101,
    'username_taken: the user name BOB-', 'the name of another is taken');
CALL podium.get_exam(@one);
CALL podium_tap.is(podium_tap.got('revision'), 3, 'and nothing has changed');
CALL podium_tap.throws(
    'CALL podium.update_user(@alice, ''{"username": "a\\\\u202eb"}'', NULL)', 50102,
    'username_invalid: username holds U+202E, which it must not', 'names keep their rules');
CALL podium_tap.throws(
    'CALL podium.update_user(@alice, ''{"full_name": null}'', NULL)', 50103,
    'full_name_invalid: full_name must have 1 to 200 characters', 'null is no name');
CALL podium_tap.throws(
    'CALL podium.update_user(@alice, ''{"username": 7}'', NULL)', 50102, 'username_invalid: ',
    'nor is a number');
CALL podium_tap.throws(
    'CALL podium.update_user(@alice, ''{"role": "admin"}'', NULL)', 50109,
    'user_change_invalid: of a user username and full_name can be changed', 'a role stays');
CALL podium_tap.throws(
    'CALL podium.update_user(@alice, ''[]'', NULL)', 50109, 'user_change_invalid: ',
    'an array is no object');
CALL podium_tap.throws(
    'CALL podium.update_user(@alice, NULL, NULL)', 50109, 'user_change_invalid: ', 'nor is NULL');
CALL podium_tap.throws(
    'CALL podium.update_user(0, ''{}'', NULL)', 50100, 'user_not_found: user 0 does not exist',
    'the user must exist');
START TRANSACTION;
CALL podium_tap.throws(
    'CALL podium.update_user(@alice, ''{}'', NULL)', 1568, '', 'the transaction is its own');
ROLLBACK;

CALL podium_tap.finish();

-- register_candidates: users and sessions of a whole array, each for itself.
CALL podium_tap.plan(27);

CALL podium_tap.join_podium('staff', 'moderator', @staff);
CALL podium_tap.join_podium('alice', 'candidate', @alice);
SET @alice_name = (SELECT username FROM podium.users WHERE user_id = @alice);
SET @bob_name = podium_tap.name('bob'), @carol_name = podium_tap.name('carol');
CALL podium_tap.open_exam(@exam);

SET @three = JSON_ARRAY(
    JSON_OBJECT('username', @carol_name, 'full_name', 'Carol'),
    JSON_OBJECT('username', @alice_name, 'full_name', 'Another Name'),
    JSON_OBJECT('username', @bob_name, 'full_name', 'Bob'));
CALL podium.register_candidates(@exam, @three, @staff);
SET @sessions = podium_tap.column_of(1, 'session_id');
CALL podium_tap.is(podium_tap.column_of(1, 'item_no'), '0 1 2', 'one row per item, in order');
CALL podium_tap.is(podium_tap.column_of(1, 'status'), '200 200 200', 'all are registered');
CALL podium_tap.is(podium_tap.column_of(1, 'user_created'), '1 0 1', 'the missing are created');
CALL podium_tap.is(podium_tap.column_of(1, 'session_created'), '1 1 1', 'all sessions start');
CALL podium_tap.is(podium_tap.got_at(1, 2, 'user_id'), @alice, 'the known are found');
CALL podium_tap.is(
    (SELECT CONCAT(full_name, ' ', role) FROM podium.users WHERE user_id = @alice),
    'alice candidate', 'and stay as they are');
CALL podium_tap.is(
    (SELECT CONCAT(full_name, ' ', role) FROM podium.users
     WHERE username = @bob_name COLLATE utf8mb4_0900_bin),
    'Bob candidate', 'the new are candidates');
SET @carol = podium_tap.got('user_id'), @carols = podium_tap.got('session_id');
CALL podium.start_session(@exam, @carol, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('session_id')), CONCAT('0 ', @carols),
    'start_session returns the session it started');

CALL podium.register_candidates(@exam, @three, NULL);
CALL podium_tap.is(podium_tap.column_of(1, 'session_id'), @sessions, 'again: the same sessions');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.column_of(1, 'user_created'), podium_tap.column_of(1,
    'session_created')),
    '0 0 0 0 0 0', 'and nothing is made twice');

SET @dan = podium_tap.name('dan');
CALL podium.register_candidates(@exam, JSON_ARRAY(
    JSON_OBJECT('username', @dan, 'full_name', 'Dan'),
    JSON_OBJECT('username', UPPER(@dan), 'full_name', 'DAN')), NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.column_of(1, 'user_created'), podium_tap.column_of(1,
    'session_created')),
    '1 0 1 0', 'a name repeated in an array, in whatever case, is one candidate');
CALL podium_tap.is(
    podium_tap.got_at(1, 1, 'session_id'), podium_tap.got_at(1, 2, 'session_id'),
    'with one session');

SET @fresh = podium_tap.name('x');
CALL podium.register_candidates(@exam, JSON_ARRAY(
    JSON_OBJECT('username', REPEAT('x', 65), 'full_name', 'X'),
    JSON_OBJECT('username', NULL, 'full_name', 'X'),
    JSON_OBJECT('username', 7, 'full_name', 'X'),
    JSON_OBJECT('username', '  ', 'full_name', 'X'),
    JSON_OBJECT('username', @fresh, 'full_name', REPEAT('x', 201)),
    JSON_OBJECT('username', @fresh),
    'x', NULL,
    JSON_OBJECT('username', @fresh, 'full_name', REPEAT('é', 200))), NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'),
    CONCAT('username_invalid username_invalid username_invalid username_invalid ',
           'full_name_invalid full_name_invalid candidates_invalid candidates_invalid NULL'),
    'what is wrong with one refuses that one');
CALL podium_tap.is(
    podium_tap.column_of(1, 'status'), '422 422 422 422 422 422 422 422 200',
    'with its HTTP status');
CALL podium_tap.is(
    podium_tap.got('message'), 'username_invalid: username must have 1 to 64 characters',
    'and says why');
CALL podium_tap.is(podium_tap.got('session_id'), NULL, 'who is refused has no session');

CALL podium.register_candidates(@exam, '[]', NULL);
CALL podium_tap.is(podium_tap.rows_in(1), '0', 'nobody is nobody');
CALL podium_tap.throws(
    'CALL podium.register_candidates(@exam, ''{}'', NULL)', 50106, 'candidates_invalid: ',
    'an object is no array');
CALL podium_tap.throws(
    'CALL podium.register_candidates(@exam, NULL, NULL)', 50106, 'candidates_invalid: ',
    'nor is NULL');
CALL podium_tap.throws(
    'CALL podium.register_candidates(@exam, CONCAT(''[0'', REPEAT('',0'', 1000), '']''), NULL)',
    50012, 'too_many_items: 1001 candidates', 'more than 1000 are too many');
CALL podium_tap.throws(
    'CALL podium.register_candidates(0, ''[]'', NULL)', 50200, 'exam_not_found: exam 0 ',
    'the exam must exist');

CALL podium.register_candidates(@exam, @three, @alice);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), 'not_own_session NULL not_own_session',
    'a candidate registers himself only');

CALL podium.finish_session(@carols, NULL);
CALL podium.register_candidates(@exam, @three, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), 'attempts_exhausted NULL NULL',
    'who has no attempt left gets none');
CALL podium_tap.open_exam_with(2, 'best', @twice);
CALL podium.register_candidates(@twice, @three, NULL);
SET @got = podium_tap.got('session_id');
CALL podium.finish_session(@got, NULL);
CALL podium.register_candidates(@twice, @three, NULL);
CALL podium_tap.is(podium_tap.column_of(1, 'attempt_no'), '2 1 1', 'who has one starts it');

SET @eve = JSON_ARRAY(JSON_OBJECT('username', podium_tap.name('eve'), 'full_name', 'Eve'));
CALL podium.create_exam(
    'later', NULL, NULL, NULL, NULL, NULL, UTC_TIMESTAMP(6) + INTERVAL 1 HOUR, NULL, NULL);
SET @later = podium_tap.got('exam_id');
CALL podium.register_candidates(@later, @eve, NULL);
CALL podium_tap.is(podium_tap.got('code'), 'exam_not_open', 'nobody starts before the exam does');
CALL podium_tap.is(podium_tap.got('user_id'), NULL, 'and nobody is created for it');

CALL podium.create_exam(
    'hour', NULL, NULL, NULL, NULL, NULL, NULL, UTC_TIMESTAMP(6) + INTERVAL 30 MINUTE, 3600);
SET @hour = podium_tap.got('exam_id');
CALL podium.register_candidates(@hour, @eve, NULL);
SET @got = podium_tap.got('session_id');
CALL podium_tap.is(
    (SELECT s.deadline_at = e.ends_at FROM podium.exam_sessions AS s
     INNER JOIN podium.exams AS e ON e.exam_id = s.exam_id WHERE s.session_id = @got),
    '1', 'the deadline is that of start_session');
CALL podium_tap.finish();

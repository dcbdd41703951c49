-- get_scores: the attempt that a correction belongs to, and what it holds.
CALL podium_tap.plan(19);

CALL podium_tap.join_podium('alice', 'candidate', @alice);
SET @alice_name = (SELECT username FROM podium.users WHERE user_id = @alice);
CALL podium_tap.open_exam_with(3, 'best', @exam);
SET @one = JSON_ARRAY(JSON_OBJECT('username', @alice_name, 'full_name', 'Alice'));
SET @new = JSON_ARRAY(JSON_OBJECT('username', podium_tap.name('new'), 'full_name', 'New'));

CALL podium.get_scores(@exam, @one);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('status'), podium_tap.got('user_id'), podium_tap.got('attempts'),
              podium_tap.got('attempt_no')),
    CONCAT_WS(' ', 200, @alice, 0, 1), 'who has no attempt may start the first');
CALL podium_tap.is(podium_tap.got('session_id'), NULL, 'and has no session');
CALL podium.get_scores(@exam, @new);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('status'), podium_tap.got('attempt_no'),
              podium_tap.got('scored_attempts')), '200 1 0', 'who is not known may come');
CALL podium_tap.is(podium_tap.got('user_id'), NULL, 'and is nobody yet');
CALL podium_tap.is(
    (SELECT COUNT(*) FROM podium.users
     WHERE username = podium_tap.name('new') COLLATE utf8mb4_0900_bin),
    0, 'nobody is created');

CALL podium.start_session(@exam, @alice, NULL);
SET @first = podium_tap.got('session_id');
CALL podium.get_scores(@exam, @one);
CALL podium_tap.is(podium_tap.got('session_id'), @first, 'before any score it is the latest');
CALL podium.submit_score(@first, 'quiz', 90, 100, 900, '{"a": 1}', NULL, NULL, NULL);
CALL podium.finish_session(@first, NULL);
CALL podium.start_session(@exam, @alice, NULL);
SET @second = podium_tap.got('session_id');
CALL podium.get_scores(@exam, @one);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('session_id'), podium_tap.got('attempt_no'),
              podium_tap.got('attempts'), podium_tap.got('scored_attempts'),
              podium_tap.got('version')),
    CONCAT_WS(' ', @first, '1 2 1 1'), 'then the one that counts, though another is in progress');
CALL podium_tap.is(
    podium_tap.got('scores'),
    CONCAT('{"quiz": {"details": {"a": 1}, "max_score": "100.00000000000000000000", "raw_score": ',
           '"90.00000000000000000000", "time_spent_sec": 900}}'),
    'with its scores, to the last digit');
CALL podium_tap.score(@second, 'quiz', 95, 900);
CALL podium.get_scores(@exam, @one);
CALL podium_tap.is(podium_tap.got('session_id'), @second, 'the better one counts');

SET @named = JSON_ARRAY(
    JSON_OBJECT('username', @alice_name, 'full_name', 'Alice', 'attempt_no', 1),
    JSON_OBJECT('username', UPPER(@alice_name), 'full_name', 'Alice', 'attempt_no', 2),
    JSON_OBJECT('username', @alice_name, 'full_name', 'Alice', 'attempt_no', 3),
    JSON_OBJECT('username', @alice_name, 'full_name', 'Alice', 'attempt_no', 4),
    JSON_OBJECT('username', @alice_name, 'full_name', 'Alice', 'attempt_no', 0),
    JSON_OBJECT('username', @alice_name, 'full_name', 'Alice', 'attempt_no', '1'));
CALL podium.get_scores(@exam, @named);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'),
    'NULL NULL attempt_not_found attempt_not_found attempt_no_invalid attempt_no_invalid',
    'an attempt that is named is that one; the next may not start while one is in progress');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got_at(1, 1, 'session_id'), podium_tap.got_at(1, 2, 'session_id')),
    CONCAT_WS(' ', @first, @second), 'finished or not');
CALL podium_tap.is(
    podium_tap.got_at(1, 1, 'username_key'), podium_tap.got_at(1, 2, 'username_key'),
    'names that are one have one key');
CALL podium_tap.is(
    podium_tap.got_at(1, 4, 'message'),
    CONCAT('attempt_not_found: user ', @alice, ' has 2 attempts at exam ', @exam,
           ' and attempt 4 cannot start now'), 'and a refusal says why');
CALL podium.register_candidates(@exam, @named, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'),
    'NULL NULL attempt_not_found attempt_not_found attempt_no_invalid attempt_no_invalid',
    'register_candidates refuses the same');
CALL podium_tap.is(
    podium_tap.column_of(1, 'session_created'), '0 0 0 0 0 0', 'and starts none of them');
CALL podium.finish_session(@second, NULL);
CALL podium.register_candidates(@exam, @named, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got_at(1, 3, 'session_created'), podium_tap.got_at(1, 3,
    'attempt_no')),
    '1 3', 'the next one starts where it is named');

CALL podium_tap.throws(
    'CALL podium.get_scores(0, ''[]'')', 50200, 'exam_not_found: exam 0 ', 'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.get_scores(@exam, ''{}'')', 50106, 'candidates_invalid: ', 'an array is wanted');
CALL podium.create_exam(
    'later', NULL, NULL, NULL, NULL, NULL, UTC_TIMESTAMP(6) + INTERVAL 1 HOUR, NULL, NULL);
SET @later = podium_tap.got('exam_id');
CALL podium.get_scores(@later, @new);
CALL podium_tap.is(podium_tap.got('code'), 'exam_not_open', 'who may not start is told so');
CALL podium_tap.finish();

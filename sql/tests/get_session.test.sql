-- get_session: a session's state and totals, and the scores that make them.
CALL podium_tap.plan(9);

CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @session);
CALL podium.get_session(@session);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('session_id'), podium_tap.got('exam_id'),
    podium_tap.got('user_id'),
              podium_tap.got('attempt_no'), podium_tap.got('status'), podium_tap.got('version'),
              podium_tap.got('total_score'), podium_tap.got('total_time_sec')),
    CONCAT_WS(' ', @session, @exam, @alice, '1 in_progress 0 0.0000 0'),
    'a new session has nothing scored');
CALL podium_tap.is(podium_tap.rows_in(2), 0, 'and no module');

CALL podium.submit_score(@session, 'quiz', 90, 100, 900, '{"correct": 27}', NULL, NULL, NULL);
CALL podium_tap.score(@session, 'coding', 85.5, 2400);
CALL podium.get_session(@session);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('version'), podium_tap.got('total_score'),
    podium_tap.got('weighted_coding'),
              podium_tap.got('weighted_quiz'), podium_tap.got('total_time_sec')),
    '2 69.7500 42.7500 27.0000 3300', 'its totals are those of its modules');
CALL podium_tap.is(podium_tap.got('weighted_assessment'), NULL, 'a module not scored has none');
CALL podium_tap.is(podium_tap.column_of(2, 'module_type'), 'coding quiz',
    'the modules come in the order of the exam');
CALL podium_tap.is(podium_tap.got_at(2, 2, 'details'), '{"correct": 27}',
    'with the details as they were given');

CALL podium_tap.throws(
    'CALL podium.get_session(0)', 50300, 'session_not_found: session 0 does not exist',
    'the session must exist');
CALL podium_tap.throws(
    'CALL podium.get_session(NULL)', 50300, 'session_not_found: session NULL does not exist',
    'and be given');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.get_session(@session)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;

CALL podium_tap.finish();

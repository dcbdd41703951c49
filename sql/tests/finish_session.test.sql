-- finish_session: after it the candidate himself submits no more.
CALL podium_tap.plan(13);

CALL podium_tap.join_podium('staff', 'moderator', @staff);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @session);
CALL podium_tap.enter(@exam, 'bob', @bob, @bob_session);
CALL podium_tap.score(@session, 'coding', 85.5, 2400);

CALL podium_tap.throws(
    'CALL podium.finish_session(@session, @bob)', 50300,
    CONCAT('session_not_found: session ', @session, ' does not exist'),
    'another candidate may not finish it');
CALL podium.finish_session(@session, @alice);
SET @finished_at = podium_tap.got('finished_at');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('session_id'), podium_tap.got('status'),
    podium_tap.got('version'),
              podium_tap.got('total_score'), podium_tap.got('total_time_sec')),
    CONCAT_WS(' ', @session, 'finished', 1, '42.7500', 2400),
    'its candidate may; score and version stay');
CALL podium_tap.ok(
    ABS(TIMESTAMPDIFF(SECOND, @finished_at, UTC_TIMESTAMP())) <= 5,
    'the time of it is kept, in UTC');
CALL podium.finish_session(@session, @alice);
CALL podium_tap.is(podium_tap.got('finished_at'), @finished_at, 'finishing again changes nothing');
CALL podium.finish_session(@bob_session, @staff);
CALL podium_tap.is(podium_tap.got('status'), 'finished', 'staff may finish anybody''s');

CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, NULL, NULL, @alice)', 50301,
    'session_finished: session ', 'the candidate himself submits no more');
CALL podium.submit_score(@session, 'quiz', 90, 100, 900, NULL, NULL, NULL, @staff);
CALL podium_tap.is(podium_tap.got('version'), '2', 'a moderator still does');
CALL podium_tap.score(@session, 'assessment', 70, 900);
CALL podium_tap.is(podium_tap.got('version'), '3', 'and so does a DBA');

CALL podium_tap.throws(
    'CALL podium.finish_session(0, NULL)', 50300, 'session_not_found: session 0 does not exist',
    'the session must exist');
CALL podium_tap.throws(
    'CALL podium.finish_session(NULL, NULL)', 50300,
    'session_not_found: session NULL does not exist', 'and be given');

CALL podium_tap.enter(@exam, 'carol', @carol, @session);
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.finish_session(@session, NULL)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;
CALL podium_tap.is(
    (SELECT status FROM podium.exam_sessions WHERE session_id = @session), 'in_progress',
    'and touches nothing');
SET autocommit = 0;
CALL podium.finish_session(@session, NULL);
ROLLBACK;
SET autocommit = 1;
CALL podium_tap.is(
    (SELECT status FROM podium.exam_sessions WHERE session_id = @session), 'finished',
    'it is committed on a connection without autocommit too');

CALL podium_tap.finish();

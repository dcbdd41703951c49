-- start_session: one session in progress per candidate and exam.
CALL podium_tap.plan(31);

CALL podium_tap.join_podium('staff', 'moderator', @staff);
CALL podium_tap.join_podium('alice', 'candidate', @alice);
CALL podium_tap.join_podium('bob', 'candidate', @bob);
CALL podium_tap.open_exam(@exam);

CALL podium.start_session(@exam, @alice, @alice);
SET @session = podium_tap.got('session_id');
CALL podium_tap.is(podium_tap.got('created'), '1', 'a candidate starts his session');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('exam_id'), podium_tap.got('user_id'),
    podium_tap.got('attempt_no'),
              podium_tap.got('status'), podium_tap.got('version'), podium_tap.got('total_score'),
              podium_tap.got('total_time_sec')),
    CONCAT_WS(' ', @exam, @alice, 1, 'in_progress', 0, '0.0000', 0),
    'it is the first attempt, with nothing scored');
CALL podium_tap.is(podium_tap.got('weighted_coding'), NULL,
    'a module without a score has none, not nought');
CALL podium_tap.is(podium_tap.got('deadline_at'), NULL,
    'without duration and end there is no deadline');

CALL podium.start_session(@exam, @alice, @staff);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('session_id')), CONCAT('0 ', @session),
    'starting again returns the one in progress');
CALL podium_tap.throws(
    'CALL podium.start_session(@exam, @alice, @bob)', 50304, 'not_own_session: user ',
    'another candidate may not start it');
CALL podium.start_session(@exam, @bob, @staff);
CALL podium_tap.is(podium_tap.got('created'), '1', 'staff may start anybody''s');

CALL podium.finish_session(@session, NULL);
CALL podium_tap.throws(
    'CALL podium.start_session(@exam, @alice, NULL)', 50303, 'attempts_exhausted: user ',
    'one attempt is one');

CALL podium_tap.open_exam_with(3, 'best', @thrice);
CALL podium.start_session(@thrice, @alice, NULL);
SET @got = podium_tap.got('session_id');
CALL podium.finish_session(@got, NULL);
CALL podium.start_session(@thrice, @alice, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('attempt_no')), '1 2',
    'three attempts allow a second');
SET @got = podium_tap.got('session_id');
CALL podium.finish_session(@got, NULL);
CALL podium.start_session(@thrice, @alice, NULL);
CALL podium_tap.is(podium_tap.got('attempt_no'), '3', 'and a third');
SET @got = podium_tap.got('session_id');
CALL podium.finish_session(@got, NULL);
CALL podium_tap.throws(
    'CALL podium.start_session(@thrice, @alice, NULL)', 50303, 'attempts_exhausted',
    'but no fourth');

CALL podium.create_exam(
    'later', NULL, NULL, NULL, NULL, NULL, UTC_TIMESTAMP(6) + INTERVAL 1 HOUR, NULL, NULL);
SET @later = podium_tap.got('exam_id');
CALL podium_tap.throws(
    'CALL podium.start_session(@later, @alice, NULL)', 50207, 'exam_not_open: exam ',
    'nobody starts before the exam does');
CALL podium.create_exam('over', NULL, NULL, NULL, NULL, NULL, NULL, UTC_TIMESTAMP(6), NULL);
SET @over = podium_tap.got('exam_id');
CALL podium_tap.throws(
    'CALL podium.start_session(@over, @alice, NULL)', 50208, 'exam_ended: exam ',
    'nor after its end');

CALL podium.create_exam('an hour', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 3600);
SET @got = podium_tap.got('exam_id');
CALL podium.start_session(@got, @alice, NULL);
CALL podium_tap.is(
    TIMESTAMPDIFF(MICROSECOND, podium_tap.got('started_at'), podium_tap.got('deadline_at')),
    3600000000,
    'the deadline is the duration behind the start');
SET @ends_at = UTC_TIMESTAMP(6) + INTERVAL 10 MINUTE;
CALL podium.create_exam('ends sooner', NULL, NULL, NULL, NULL, NULL, NULL, @ends_at, 3600);
SET @got = podium_tap.got('exam_id');
CALL podium.start_session(@got, @alice, NULL);
CALL podium_tap.is(podium_tap.got('deadline_at'), @ends_at,
    'or the end of the exam where that is earlier');
CALL podium.create_exam('ends later', NULL, NULL, NULL, NULL, NULL, NULL,
    UTC_TIMESTAMP(6) + INTERVAL 1 DAY, 60);
SET @got = podium_tap.got('exam_id');
CALL podium.start_session(@got, @alice, NULL);
CALL podium_tap.is(
    TIMESTAMPDIFF(MICROSECOND, podium_tap.got('started_at'), podium_tap.got('deadline_at')),
    60000000,
    'and not where it is later');

-- The clock is the database's and cannot be set: what is moved is the exam.
CALL podium.create_exam('scheduled', NULL, NULL, NULL, 2, NULL, UTC_TIMESTAMP(6),
    UTC_TIMESTAMP(6) + INTERVAL 2 HOUR, 3600);
SET @scheduled = podium_tap.got('exam_id');
CALL podium.start_session(@scheduled, @alice, NULL);
SET @session = podium_tap.got('session_id');
CALL podium_tap.is(podium_tap.got('created'), '1', 'an exam is open from its first moment on');
UPDATE podium.exams
SET starts_at = starts_at - INTERVAL 90 MINUTE, ends_at = ends_at - INTERVAL 90 MINUTE
WHERE exam_id = @scheduled;
UPDATE podium.exam_sessions
SET started_at = started_at - INTERVAL 90 MINUTE, deadline_at = deadline_at - INTERVAL 90 MINUTE
WHERE session_id = @session;
CALL podium.start_session(@scheduled, @alice, NULL);
CALL podium_tap.is(
    podium_tap.got('session_id'), @session,
    'a session past its deadline is in progress until it is finished');
CALL podium.finish_session(@session, NULL);
CALL podium.start_session(@scheduled, @alice, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('attempt_no'), TIMESTAMPDIFF(
        MICROSECOND, podium_tap.got('deadline_at'),
        (SELECT ends_at FROM podium.exams WHERE exam_id = @scheduled))),
    '2 0',
    'the second attempt ends with the exam');
UPDATE podium.exams SET ends_at = UTC_TIMESTAMP(6) WHERE exam_id = @scheduled;
CALL podium.start_session(@scheduled, @alice, NULL);
CALL podium_tap.is(podium_tap.got('created'), '0',
    'the one in progress is returned after the end too');
CALL podium_tap.throws(
    'CALL podium.start_session(@scheduled, @bob, NULL)', 50208, 'exam_ended',
    'a new one is not started then');

CALL podium_tap.throws(
    'CALL podium.start_session(0, @alice, NULL)', 50200, 'exam_not_found: exam 0 does not exist',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.start_session(NULL, @alice, NULL)', 50200,
    'exam_not_found: exam NULL does not exist',
    'and be given');
CALL podium_tap.throws(
    'CALL podium.start_session(-1, @alice, NULL)', 50200, 'exam_not_found: exam -1 does not exist',
    'it is never negative');
CALL podium_tap.throws(
    'CALL podium.start_session(@exam, 0, NULL)', 50100, 'user_not_found: user 0 does not exist',
    'the candidate must exist');
CALL podium_tap.throws(
    'CALL podium.start_session(@exam, NULL, NULL)', 50100,
    'user_not_found: user NULL does not exist',
    'and be given');

SET @sessions = (SELECT COUNT(*) FROM podium.exam_sessions);
CALL podium_tap.join_podium('carol', 'candidate', @carol);
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.start_session(@exam, @carol, NULL)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;
CALL podium_tap.is((SELECT COUNT(*) FROM podium.exam_sessions), @sessions, 'and touches nothing');

SET autocommit = 0;
CALL podium.start_session(@exam, @carol, NULL);
CALL podium_tap.is(podium_tap.got('created'), '1',
    'a connection without autocommit starts one too');
SET @session = podium_tap.got('session_id');
ROLLBACK;
CALL podium.start_session(@exam, @carol, NULL);
CALL podium_tap.is(podium_tap.got('session_id'), @session,
    'committed, whatever that connection does next');
SET autocommit = 1;
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got('total_participants'), '0',
    'a session without a score is on no board');

CALL podium_tap.finish();

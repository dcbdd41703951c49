-- get_exam: an exam with the state of its board.
CALL podium_tap.plan(6);

CALL podium.create_exam('Exam', 40, 40, 20, 2, 'first', '2026-01-01', '2030-01-01', 60);
SET @exam = podium_tap.got('exam_id'), @created = JSON_EXTRACT(@result, '$[0][0]');
CALL podium.get_exam(@exam);
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @created,
    'an exam reads as create_exam returned it');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('weight_coding'), podium_tap.got('max_attempts'),
    podium_tap.got('attempt_policy'),
              podium_tap.got('starts_at'), podium_tap.got('ends_at'),
              podium_tap.got('duration_sec')),
    '40.00 2 first 2026-01-01 00:00:00 2030-01-01 00:00:00 60', 'with all its rules');

CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @session);
CALL podium_tap.score(@session, 'quiz', 1, 1);
CALL podium_tap.score(@session, 'quiz', 2, 1);
CALL podium.get_exam(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('revision'), podium_tap.got('total_participants')), '2 1',
    'and the state of its board');

CALL podium_tap.throws(
    'CALL podium.get_exam(0)', 50200, 'exam_not_found: exam 0 does not exist',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.get_exam(NULL)', 50200, 'exam_not_found: exam NULL does not exist',
    'and be given');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.get_exam(@exam)', 1568, 'Transaction',
    'inside an open transaction, which might lock what it reads, it refuses');
COMMIT;

CALL podium_tap.finish();

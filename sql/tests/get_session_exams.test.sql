-- get_session_exams: whose boards submissions will wait for.
CALL podium_tap.plan(7);

CALL podium_tap.open_exam(@exam);
CALL podium_tap.open_exam(@other);
CALL podium_tap.enter(@exam, 'alice', @alice, @session);
CALL podium_tap.enter(@other, 'bob', @bob, @elsewhere);
CALL podium.get_session_exams(JSON_ARRAY(@elsewhere, @session, @session));
CALL podium_tap.is(podium_tap.column_of(1, 'session_id'), CONCAT(@session, ' ', @elsewhere),
    'each session once, in order');
CALL podium_tap.is(podium_tap.column_of(1, 'exam_id'), CONCAT(@exam, ' ', @other),
    'with its exam');

CALL podium.get_session_exams(JSON_ARRAY(0, -1, NULL, 'x', @session, 999999999999));
CALL podium_tap.is(podium_tap.column_of(1, 'session_id'), CONCAT(@session),
    'a session that does not exist has no row');
CALL podium.get_session_exams('[]');
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'none of none');
CALL podium.get_session_exams(NULL);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'nor of nothing');

SET @many = (SELECT CONCAT('[', SUBSTRING(REPEAT(',1', 1001), 2), ']'));
CALL podium_tap.throws(
    'CALL podium.get_session_exams(@many)', 50012,
    'too_many_items: 1001 sessions, at most 1000 go in one array', 'an array has an end');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.get_session_exams(JSON_ARRAY(@session))', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;

CALL podium_tap.finish();

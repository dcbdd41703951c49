-- list_sessions: sessions by exam, candidate and status.
CALL podium_tap.plan(15);

CALL podium_tap.open_exam_with(2, NULL, @exam);
CALL podium_tap.open_exam(@other);
CALL podium_tap.enter(@exam, 'alice', @alice, @first);
CALL podium_tap.enter(@exam, 'bob', @bob, @bobs);
CALL podium_tap.score(@first, 'quiz', 50, 60);
CALL podium.finish_session(@first, NULL);
CALL podium.start_session(@exam, @alice, NULL);
SET @second = podium_tap.got('session_id');
CALL podium.start_session(@other, @alice, NULL);
SET @elsewhere = podium_tap.got('session_id');

CALL podium.list_sessions(@exam, NULL, NULL, NULL, NULL, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'session_id'), CONCAT_WS(' ', @first, @bobs, @second),
    'those of an exam, by session_id');
CALL podium.get_session(@first);
SET @read = JSON_EXTRACT(@result, '$[0][0]');
CALL podium.list_sessions(@exam, NULL, NULL, NULL, NULL, NULL);
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @read, 'each as get_session returns it');

CALL podium.list_sessions(@exam, NULL, 'in_progress', NULL, NULL, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'session_id'), CONCAT_WS(' ', @bobs, @second), 'in one status');
CALL podium.list_sessions(@exam, @alice, 'finished', NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.column_of(1, 'session_id'), @first, 'of one candidate');
CALL podium.list_sessions(NULL, @alice, NULL, NULL, NULL, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'session_id'), CONCAT_WS(' ', @first, @second, @elsewhere),
    'in all exams');
CALL podium.list_sessions(NULL, @alice, NULL, JSON_ARRAY(@other, 0), NULL, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'session_id'), @elsewhere, 'but for a caller who is confined to some');
CALL podium.list_sessions(@exam, NULL, NULL, JSON_ARRAY(@other), NULL, NULL);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'with one exam named as well');
CALL podium.list_sessions(NULL, NULL, NULL, JSON_ARRAY(@exam), NULL, 2);
CALL podium_tap.is(
    podium_tap.column_of(1, 'session_id'), CONCAT_WS(' ', @first, @bobs), 'and with none');

CALL podium.list_sessions(@exam, NULL, NULL, NULL, @first, 1);
CALL podium_tap.is(podium_tap.column_of(1, 'session_id'), @bobs, 'p_after and p_limit cut a page');
CALL podium.list_sessions(NULL, @alice, NULL, NULL, @first, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'session_id'), CONCAT_WS(' ', @second, @elsewhere),
    'of a candidate as well');
CALL podium.list_sessions(NULL, 999999999, NULL, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'whoever does not exist has none');

CALL podium_tap.throws(
    'CALL podium.list_sessions(0, NULL, NULL, NULL, NULL, NULL)', 50200,
    'exam_not_found: exam 0 does not exist', 'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.list_sessions(@exam, NULL, ''Finished'', NULL, NULL, NULL)', 50307,
    'status_invalid: status must be in_progress or finished', 'a status is one of two');
CALL podium_tap.throws(
    'CALL podium.list_sessions(@exam, NULL, NULL, NULL, NULL, 0)', 50504, 'limit_invalid',
    'a page has rows');
CALL podium_tap.throws(
    'CALL podium.list_sessions(@exam, NULL, NULL, NULL, NULL, 1001)', 50504, 'limit_invalid',
    'up to 1000');

CALL podium_tap.finish();

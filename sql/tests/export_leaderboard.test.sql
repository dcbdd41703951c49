-- export_leaderboard: the whole board, of one revision.
CALL podium_tap.plan(5);

CALL podium_tap.open_exam(@exam);
CALL podium.export_leaderboard(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('total_participants'), podium_tap.got('revision'),
              podium_tap.rows_in(2)), '0 0 0', 'a new board is empty');
CALL podium_tap.enter(@exam, 'alice', @alice, @session_a);
CALL podium_tap.enter(@exam, 'bob', @bob, @session_b);
CALL podium_tap.enter(@exam, 'carol', @carol, @session_c);
CALL podium_tap.score(@session_a, 'quiz', 80, 60);
CALL podium_tap.score(@session_b, 'quiz', 90, 60);
CALL podium_tap.score(@session_c, 'quiz', 90, 60);
CALL podium.get_leaderboard(@exam, 1, 200, NULL);
SET @page = JSON_EXTRACT(@result, '$[1]');
CALL podium.export_leaderboard(@exam);
CALL podium_tap.is(JSON_EXTRACT(@result, '$[1]'), @page, 'its entries are those of the pages');
CALL podium_tap.is(podium_tap.column_of(2, 'rank'), '1 1 2', 'ranks are dense');
CALL podium_tap.is(podium_tap.got('revision'), 3, 'of one revision');
CALL podium_tap.throws(
    'CALL podium.export_leaderboard(0)', 50200, 'exam_not_found: exam 0 ', 'the exam must exist');
CALL podium_tap.finish();

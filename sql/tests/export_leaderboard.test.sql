-- export_leaderboard: the whole board, of one revision.
CALL podium_tap.plan(5);

CALL podium_tap.open_exam(@exam);
CALL podium.export_leaderboard(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('total_participants'), podium_tap.got('revision'),
              podium_tap.rows_in(1)), '0 0 1', 'of a new board one row tells the exam');
CALL podium_tap.enter(@exam, 'alice', @alice, @session_a);
CALL podium_tap.enter(@exam, 'bob', @bob, @session_b);
CALL podium_tap.enter(@exam, 'carol', @carol, @session_c);
CALL podium_tap.score(@session_a, 'quiz', 80, 60);
CALL podium_tap.score(@session_b, 'quiz', 90, 60);
CALL podium_tap.score(@session_c, 'quiz', 90, 60);
CALL podium.get_leaderboard(@exam, 1, 200, NULL);
SET @page = CONCAT_WS('/', podium_tap.column_of(2, 'user_id'), podium_tap.column_of(2, 'username'),
    podium_tap.column_of(2, 'full_name'), podium_tap.column_of(2, 'total_score'),
    podium_tap.column_of(2, 'total_time_sec'));
CALL podium.export_leaderboard(@exam);
CALL podium_tap.is(
    CONCAT_WS('/', podium_tap.column_of(1, 'user_id'), podium_tap.column_of(1, 'username'),
        podium_tap.column_of(1, 'full_name'), podium_tap.column_of(1, 'total_score'),
        podium_tap.column_of(1, 'total_time_sec')),
    @page, 'its entries are those of the pages');
CALL podium_tap.is(podium_tap.column_of(1, 'rank'), '1 1 2', 'ranks are dense');
CALL podium_tap.is(podium_tap.got('revision'), 3, 'of one revision');
CALL podium_tap.throws(
    'CALL podium.export_leaderboard(0)', 50200, 'exam_not_found: exam 0 ', 'the exam must exist');
CALL podium_tap.finish();

-- get_leaderboard: the board, page by page.
CALL podium_tap.plan(27);

CALL podium_tap.open_exam(@exam);
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('exam_id'), podium_tap.got('total_participants'),
    podium_tap.got('page'),
              podium_tap.got('per_page'), podium_tap.got('revision')),
    CONCAT(@exam, ' 0 1 50 0'), 'a new board is empty; page 1 of 50 is what nothing asks for');
CALL podium_tap.is(podium_tap.rows_in(2), 0, 'it has no entry');
CALL podium_tap.is(podium_tap.rows_in(3), 0, 'nobody''s own either');

CALL podium_tap.enter(@exam, 'a', @a, @sa);
CALL podium_tap.enter(@exam, 'b', @b, @sb);
CALL podium_tap.enter(@exam, 'c', @c, @sc);
CALL podium_tap.enter(@exam, 'd', @d, @sd);
CALL podium_tap.enter(@exam, 'e', @e, @se);
CALL podium_tap.enter(@exam, 'unscored', @unscored, @su);
SET @array = JSON_ARRAY(
    podium_tap.item(@se, 'coding', 90, 100), podium_tap.item(@sa, 'coding', 80, 100),
    podium_tap.item(@sd, 'coding', 80, 100), podium_tap.item(@sb, 'coding', 80, 100),
    podium_tap.item(@sc, 'coding', 0, 0));
CALL podium.submit_scores(@array, NULL);

CALL podium.get_leaderboard(@exam, 1, 50, @d);
CALL podium_tap.is(podium_tap.column_of(2, 'rank'), '1 2 2 2 3', 'ranks are dense');
CALL podium_tap.is(
    podium_tap.column_of(2, 'user_id'), CONCAT_WS(' ', @e, @a, @b, @d, @c),
    'equal ranks are listed by user id');
CALL podium_tap.is(
    podium_tap.column_of(2, 'total_score'), '45.0000 40.0000 40.0000 40.0000 0.0000',
    'by falling score');
CALL podium_tap.is(podium_tap.column_of(2, 'full_name'), 'e a b d c', 'with their names');
CALL podium_tap.is(podium_tap.got('total_participants'), '5', 'who has no score is not counted');
CALL podium_tap.is(podium_tap.got('revision'), '1', 'the board says its revision');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got_at(3, 1, 'rank'), podium_tap.got_at(3, 1, 'user_id'),
              podium_tap.got_at(3, 1, 'total_score'), podium_tap.got_at(3, 1, 'total_time_sec')),
    CONCAT('2 ', @d, ' 40.0000 100'), 'the own entry stands in the third result set');

CALL podium.get_leaderboard(@exam, 2, 2, @unscored);
CALL podium_tap.is(podium_tap.column_of(2, 'rank'), '2 2',
    'a page that begins amid a tie has its rank');
CALL podium_tap.is(podium_tap.column_of(2, 'user_id'), CONCAT_WS(' ', @b, @d),
    'and goes on where the first ended');
CALL podium_tap.is(podium_tap.rows_in(3), 0, 'who is not on the board has no own entry');
CALL podium.get_leaderboard(@exam, 3, 2, @e);
CALL podium_tap.is(podium_tap.column_of(2, 'rank'), '3', 'the last page holds what is left');
CALL podium_tap.is(podium_tap.got_at(3, 1, 'rank'), '1', 'the own entry need not be on the page');
CALL podium.get_leaderboard(@exam, 4, 2, NULL);
CALL podium_tap.is(podium_tap.rows_in(2), 0, 'a page past the end is empty, no error');
CALL podium.get_leaderboard(@exam, 1000000000, 200, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.rows_in(2), podium_tap.got('total_participants')), '0 5',
    'however far past it');

CALL podium_tap.throws(
    'CALL podium.get_leaderboard(@exam, 0, 50, NULL)', 50501, 'page_invalid: page must be 1 to',
    'pages begin at 1');
CALL podium_tap.throws(
    'CALL podium.get_leaderboard(@exam, 1000000001, 50, NULL)', 50501, 'page_invalid',
    'and end somewhere');
CALL podium_tap.throws(
    'CALL podium.get_leaderboard(@exam, 1, 0, NULL)', 50502,
    'per_page_invalid: per_page must be 1 to 200',
    'a page holds something');
CALL podium_tap.throws(
    'CALL podium.get_leaderboard(@exam, 1, 201, NULL)', 50502, 'per_page_invalid',
    'and at most 200 entries');
CALL podium_tap.throws(
    'CALL podium.get_leaderboard(0, 1, 50, NULL)', 50200, 'exam_not_found: exam 0 does not exist',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.get_leaderboard(NULL, 1, 50, NULL)', 50200,
    'exam_not_found: exam NULL does not exist',
    'and be given');

START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.get_leaderboard(@exam, 1, 50, NULL)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;
SET autocommit = 0;
CALL podium.get_leaderboard(@exam, 1, 50, NULL);
CALL podium.get_leaderboard(@exam, 1, 50, NULL);
CALL podium_tap.is(podium_tap.got('revision'), '1',
    'a connection without autocommit reads time after time');
SET autocommit = 1;

CALL podium_tap.is(
    (SELECT GROUP_CONCAT(CONCAT(l.`rank`, ':', l.user_id) ORDER BY l.`rank`,
    l.user_id SEPARATOR ' ')
     FROM podium.leaderboard AS l WHERE l.exam_id = @exam),
    CONCAT('1:', @e, ' 2:', @a, ' 2:', @b, ' 2:', @d, ' 3:', @c), 'the view shows the same board');
CALL podium_tap.score(@sc, 'quiz', 100, 60);
CALL podium.get_leaderboard(@exam, 1, 3, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('revision'), podium_tap.column_of(2, 'rank')), '2 1 2 2',
    'the next revision shows what it changed');

CALL podium_tap.finish();

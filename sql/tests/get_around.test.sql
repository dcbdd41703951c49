-- get_around: the entries above and below a candidate.
CALL podium_tap.plan(19);

CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'a', @a, @sa);
CALL podium_tap.enter(@exam, 'b', @b, @sb);
CALL podium_tap.enter(@exam, 'c', @c, @sc);
CALL podium_tap.enter(@exam, 'd', @d, @sd);
CALL podium_tap.enter(@exam, 'e', @e, @se);
CALL podium_tap.enter(@exam, 'f', @f, @sf);
CALL podium_tap.enter(@exam, 'unscored', @unscored, @su);
SET @array = JSON_ARRAY(
    podium_tap.item(@sf, 'coding', 90, 100), podium_tap.item(@sa, 'coding', 80, 100),
    podium_tap.item(@sb, 'coding', 80, 100), podium_tap.item(@sc, 'coding', 80, 100),
    podium_tap.item(@sd, 'coding', 70, 100), podium_tap.item(@se, 'coding', 0, 0));
CALL podium.submit_scores(@array, NULL);

CALL podium.get_around(@exam, @b, 1);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('exam_id'), podium_tap.got('total_participants'),
    podium_tap.got('user_id'),
              podium_tap.got('window'), podium_tap.got('revision')),
    CONCAT_WS(' ', @exam, 6, @b, 1, 1), 'the head says who is in the middle, and the revision');
CALL podium_tap.is(podium_tap.column_of(2, 'user_id'), CONCAT_WS(' ', @a, @b, @c),
    'one above and one below, amid a tie');
CALL podium_tap.is(podium_tap.column_of(2, 'rank'), '2 2 2', 'with the rank of the tie');

CALL podium.get_around(@exam, @f, 2);
CALL podium_tap.is(podium_tap.column_of(2, 'user_id'), CONCAT_WS(' ', @f, @a, @b),
    'nobody is above the first');
CALL podium_tap.is(podium_tap.column_of(2, 'rank'), '1 2 2', 'who has rank 1');
CALL podium.get_around(@exam, @a, 2);
CALL podium_tap.is(
    podium_tap.column_of(2, 'user_id'), CONCAT_WS(' ', @f, @a, @b, @c),
    'around rank 2 the first is not left out');
CALL podium.get_around(@exam, @e, 2);
CALL podium_tap.is(podium_tap.column_of(2, 'user_id'), CONCAT_WS(' ', @c, @d, @e),
    'nobody is below the last');
CALL podium_tap.is(podium_tap.column_of(2, 'rank'), '2 3 4', 'whose rank is counted from the top');
CALL podium.get_around(@exam, @d, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('window'), podium_tap.column_of(2, 'rank')), '5 1 2 2 2 3 4',
    'a window is five where none is given');
CALL podium.get_around(@exam, @d, 100);
CALL podium_tap.is(podium_tap.rows_in(2), 6, 'the widest window shows the whole small board');
CALL podium_tap.is(podium_tap.column_of(2, 'full_name'), 'f a b c d e', 'in board order');

CALL podium_tap.throws(
    'CALL podium.get_around(@exam, @a, 0)', 50503, 'window_invalid: window must be 1 to 100',
    'a window shows somebody');
CALL podium_tap.throws(
    'CALL podium.get_around(@exam, @a, 101)', 50503, 'window_invalid',
    'and no more than a hundred a side');
CALL podium_tap.throws(
    'CALL podium.get_around(@exam, @unscored, 5)', 50500, 'entry_not_found: user ',
    'who is not on the board has nobody around');
CALL podium_tap.throws(
    'CALL podium.get_around(@exam, NULL, 5)', 50500, 'entry_not_found: user NULL has no score',
    'neither has NULL');
CALL podium_tap.throws(
    'CALL podium.get_around(0, @a, 5)', 50200, 'exam_not_found: exam 0 does not exist',
    'the exam must exist');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.get_around(@exam, @a, 5)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;

CALL podium_tap.open_exam(@alone);
CALL podium.start_session(@alone, @a, NULL);
SET @started = podium_tap.got('session_id');
CALL podium_tap.score(@started, 'quiz', 50, 5);
CALL podium.get_around(@alone, @a, 5);
CALL podium_tap.is(podium_tap.column_of(2, 'rank'), '1', 'who is alone is first');
CALL podium_tap.is(podium_tap.column_of(2, 'user_id'), @a, 'and all there is');

CALL podium_tap.finish();

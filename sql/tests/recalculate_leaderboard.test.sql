-- recalculate_leaderboard: everything derived is computed anew, nothing raw changes.
CALL podium_tap.plan(15);

CALL podium_tap.join_podium('admin', 'admin', @admin);
CALL podium_tap.open_exam_with(2, 'best', @exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @a);
CALL podium_tap.enter(@exam, 'bob', @bob, @b);
CALL podium_tap.score(@a, 'coding', 80, 100);
CALL podium_tap.score(@b, 'coding', 70, 100);
CALL podium.finish_session(@b, NULL);
CALL podium.start_session(@exam, @bob, NULL);
SET @started = podium_tap.got('session_id');
CALL podium_tap.score(@started, 'coding', 90, 100);
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
SET @board = JSON_EXTRACT(@result, '$[1]');

CALL podium.recalculate_leaderboard(@exam, @admin);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('exam_id'), podium_tap.got('revision'),
    podium_tap.got('total_participants')),
    CONCAT(@exam, ' 4 2'), 'a rebuilt board is a new revision');
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
CALL podium_tap.is(JSON_EXTRACT(@result, '$[1]'), @board, 'a board that was right stays the same');
CALL podium_tap.is(
    (SELECT CONCAT_WS(' ', r.reason, r.submissions, r.actor) FROM podium.leaderboard_revisions AS r
     INNER JOIN podium.leaderboards AS b ON b.board_id = r.board_id
     WHERE b.exam_id = @exam AND r.revision = 4),
    CONCAT('recalculation 0 user:', @admin), 'the history says who did it');

-- What an accident may do to the derived tables is mended.
UPDATE podium.leaderboard_snapshot AS e
INNER JOIN podium.leaderboards AS b ON b.board_id = e.board_id
SET e.total_score = 1, e.standing_key = 1 WHERE b.exam_id = @exam AND e.user_id = @alice;
DELETE c FROM podium.leaderboard_counters AS c
INNER JOIN podium.leaderboards AS b ON b.board_id = c.board_id
WHERE b.exam_id = @exam AND c.divided IS NULL;
UPDATE podium.module_scores SET weighted_score = 99 WHERE session_id = @a;
UPDATE podium.exam_sessions SET weighted_quiz = 5, total_time_sec = 1 WHERE session_id = @a;
UPDATE podium.leaderboards SET total_participants = 17 WHERE exam_id = @exam;
CALL podium.check_leaderboard(@exam);
CALL podium_tap.ok(podium_tap.rows_in(1) > 0, 'a board damaged by hand is wrong');
CALL podium.recalculate_leaderboard(@exam, NULL);
CALL podium_tap.is(podium_tap.got('total_participants'), '2', 'rebuilt, it has its entries again');
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'and nothing is wrong any more');
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
CALL podium_tap.is(JSON_EXTRACT(@result, '$[1]'), @board, 'it shows what it showed before');
CALL podium.verify_audit(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'the history is untouched');
CALL podium_tap.score(@a, 'quiz', 100, 100);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('rank'), podium_tap.got('revision')), '1 6',
    'submissions go on from there');

CALL podium_tap.open_exam(@empty);
CALL podium.recalculate_leaderboard(@empty, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('revision'), podium_tap.got('total_participants')), '1 0',
    'an empty board may be rebuilt');
CALL podium.check_leaderboard(@empty);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'and is still empty');

CALL podium_tap.throws(
    'CALL podium.recalculate_leaderboard(0, NULL)', 50200, 'exam_not_found: exam 0 does not exist',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.recalculate_leaderboard(NULL, NULL)', 50200,
    'exam_not_found: exam NULL does not exist', 'and be given');
SET @before = podium_tap.state_of(@exam);
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.recalculate_leaderboard(@exam, NULL)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;
CALL podium_tap.is(podium_tap.state_of(@exam), @before, 'and touches nothing');

CALL podium_tap.finish();

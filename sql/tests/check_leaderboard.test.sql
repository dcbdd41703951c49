-- check_leaderboard: one row per difference between the board and what the raw scores give.
CALL podium_tap.plan(18);

CALL podium_tap.open_exam(@exam);
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'an empty board is right');
CALL podium_tap.is(
    JSON_UNQUOTE(JSON_EXTRACT(@result, '$[1][0].verdict')), 'all is well', 'and a row says so');
CALL podium_tap.enter(@exam, 'alice', @alice, @a);
CALL podium_tap.enter(@exam, 'bob', @bob, @b);
CALL podium_tap.enter(@exam, 'unscored', @unscored, @u);
CALL podium_tap.score(@a, 'coding', 80, 100);
CALL podium_tap.score(@b, 'coding', 70, 100);
CALL podium_tap.score(@b, 'quiz', 70, 100);
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'so is one that submissions made');
CALL podium_tap.is(
    JSON_EXTRACT(@result, '$[1]'), JSON_ARRAY(JSON_OBJECT(
        'verdict', 'all is well', 'revision', '3', 'sessions', '3', 'entries', '2',
        'counters', '3')),
    'with what was checked');
SET @board = (SELECT board_id FROM podium.leaderboards WHERE exam_id = @exam);

UPDATE podium.leaderboards SET total_participants = 3 WHERE board_id = @board;
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(
    JSON_UNQUOTE(JSON_EXTRACT(@result, '$[1][0].verdict')), '1 problem', 'problems are counted');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.column_of(1, 'problem'), podium_tap.got('item'),
    podium_tap.got('found'),
              podium_tap.got('expected')), 'board total_participants 3 2',
              'a wrong number of entries is found');
UPDATE podium.leaderboards SET total_participants = 2 WHERE board_id = @board;

SELECT MAX(level) INTO @whole_board FROM podium.leaderboard_levels;
UPDATE podium.leaderboard_counters SET entries = entries + 1
WHERE board_id = @board AND level = @whole_board;
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.column_of(1, 'problem'), podium_tap.got('found'),
    podium_tap.got('expected')),
    'counter 2 standings, 3 entries, undivided 2 standings, 2 entries, undivided',
    'so is a wrong counter');
UPDATE podium.leaderboard_counters SET entries = entries - 1
WHERE board_id = @board AND level = @whole_board;

INSERT INTO podium.leaderboard_counters (board_id, level, parent, bucket, standings, entries)
VALUES (@board, @whole_board - 1, 0, 5, 1, 1);
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.column_of(1, 'problem'), podium_tap.got('item'),
    COALESCE(podium_tap.got('expected'), '-')),
    CONCAT('counter level ', @whole_board - 1, ', bucket 5 -'), 'and a counter of nobody');
DELETE FROM podium.leaderboard_counters WHERE board_id = @board AND bucket = 5;

-- Of a range that nobody is in, since somebody may come.
INSERT INTO podium.leaderboard_counters (
    board_id, level, parent, bucket, standings, entries, divided
)
VALUES (@board, 1, 0, 5, 0, 0, FALSE);
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.column_of(1, 'problem'), podium_tap.got('item'),
    podium_tap.got('found'), podium_tap.got('expected')),
    'counter level 1, bucket 5 out of place in a divided range', 'and one where none belongs');
DELETE FROM podium.leaderboard_counters WHERE board_id = @board AND bucket = 5;

DELETE FROM podium.leaderboard_counters
WHERE board_id = @board AND divided IS NULL LIMIT 1;
CALL podium.check_leaderboard(@exam);
CALL podium_tap.ok(podium_tap.column_of(1, 'problem') LIKE 'counter rank%',
    'a lost standing spoils the ranks');
CALL podium.recalculate_leaderboard(@exam, NULL);

UPDATE podium.leaderboard_snapshot SET total_time_sec = 99
WHERE board_id = @board AND user_id = @alice;
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.column_of(1, 'problem'), podium_tap.got('item')),
    CONCAT('entry user ', @alice),
    'a wrong entry is found');
DELETE FROM podium.leaderboard_snapshot WHERE board_id = @board AND user_id = @alice;
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.column_of(1, 'problem'), COALESCE(podium_tap.got('found'), '-')),
    'entry -',
    'and a missing one');
INSERT INTO podium.leaderboard_snapshot (board_id, user_id, session_id, total_score,
    total_time_sec, standing_key)
VALUES (@board, @unscored, @u, 0, 0, 4194303);
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(podium_tap.column_of(1, 'problem'), 'entry entry', 'and one too many');
DELETE FROM podium.leaderboard_snapshot WHERE board_id = @board AND user_id = @unscored;
CALL podium.recalculate_leaderboard(@exam, NULL);

UPDATE podium.exam_sessions SET weighted_coding = 1 WHERE session_id = @a;
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('problem'), podium_tap.got('item')), CONCAT('session session ',
    @a),
    'wrong totals of a session are found');
UPDATE podium.module_scores SET raw_score = 100 WHERE session_id = @b AND module_type = 'coding';
CALL podium.check_leaderboard(@exam);
CALL podium_tap.ok(
    podium_tap.column_of(1, 'problem') LIKE '%module_score%',
    'and a raw score that was changed by hand');
CALL podium.recalculate_leaderboard(@exam, NULL);

CALL podium_tap.throws(
    'CALL podium.check_leaderboard(0)', 50200, 'exam_not_found: exam 0 does not exist',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.check_leaderboard(NULL)', 50200, 'exam_not_found: exam NULL does not exist',
    'and be given');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.check_leaderboard(@exam)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;

CALL podium_tap.finish();

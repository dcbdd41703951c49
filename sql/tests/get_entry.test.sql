-- get_entry: where somebody stands, without a page around it.
CALL podium_tap.plan(10);

CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @session);
CALL podium_tap.enter(@exam, 'bob', @bob, @bob_session);
CALL podium_tap.enter(@exam, 'unscored', @unscored, @unscored_session);
CALL podium_tap.score(@session, 'coding', 85.5, 2400);
CALL podium_tap.score(@bob_session, 'coding', 90, 2400);

CALL podium.get_entry(@exam, @alice);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('exam_id'), podium_tap.got('revision'), podium_tap.got('rank'),
              podium_tap.got('user_id'), podium_tap.got('full_name')),
    CONCAT_WS(' ', @exam, 2, 2, @alice, 'alice'),
    'the entry has its rank, of the revision it says');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('total_score'), podium_tap.got('weighted_coding'),
    podium_tap.got('weighted_quiz'),
              podium_tap.got('weighted_assessment'), podium_tap.got('total_time_sec')),
    '42.7500 42.7500 0.0000 0.0000 2400', 'the points of each module, nought where none is scored');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('session_id'), podium_tap.got('attempt_no')), CONCAT(@session,
    ' 1'),
    'and the attempt that counts');

CALL podium_tap.throws(
    'CALL podium.get_entry(@exam, @unscored)', 50500, CONCAT('entry_not_found: user ', @unscored,
    ' has no score'),
    'who has no score is not on the board');
CALL podium_tap.throws(
    'CALL podium.get_entry(@exam, 0)', 50500, 'entry_not_found: user 0 has no score',
    'neither is who does not exist');
CALL podium_tap.throws(
    'CALL podium.get_entry(@exam, NULL)', 50500, 'entry_not_found: user NULL has no score',
    'nor NULL');
CALL podium_tap.throws(
    'CALL podium.get_entry(0, @alice)', 50200, 'exam_not_found: exam 0 does not exist',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.get_entry(NULL, @alice)', 50200, 'exam_not_found: exam NULL does not exist',
    'and be given');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.get_entry(@exam, @alice)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;

CALL podium_tap.open_exam(@other);
CALL podium_tap.throws(
    'CALL podium.get_entry(@other, @alice)', 50500, 'entry_not_found',
    'an entry is on one board only');

CALL podium_tap.finish();

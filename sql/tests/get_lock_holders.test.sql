-- get_lock_holders: with one connection nobody holds anything; tests/test_lock_holders.py has more.
CALL podium_tap.plan(4);

CALL podium_tap.open_exam(@exam);
CALL podium.get_lock_holders(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'between two calls nobody holds a board');

CALL podium_tap.throws(
    'CALL podium.get_lock_holders(0)', 50200, 'exam_not_found: exam 0 does not exist',
    'an exam that is named must exist');
START TRANSACTION;
CALL podium_tap.throws(
    'CALL podium.get_lock_holders(@exam)', 1568, 'Transaction', 'it owns its transaction');
ROLLBACK;
CALL podium.get_lock_holders(NULL);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'nor of any exam');

CALL podium_tap.finish();

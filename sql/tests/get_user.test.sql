-- get_user: who an id is.
CALL podium_tap.plan(4);

CALL podium.create_user(podium_tap.name('alice'), 'Alice Chen', 'grader');
SET @alice = podium_tap.got('user_id'), @created = JSON_EXTRACT(@result, '$[0][0]');
CALL podium.get_user(@alice);
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @created,
    'a user reads as create_user returned it');
CALL podium_tap.throws(
    'CALL podium.get_user(0)', 50100, 'user_not_found: user 0 does not exist',
    'the user must exist');
CALL podium_tap.throws(
    'CALL podium.get_user(NULL)', 50100, 'user_not_found: user NULL does not exist',
    'and be given');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.get_user(@alice)', 1568, 'Transaction', 'inside an open transaction it refuses');
COMMIT;

CALL podium_tap.finish();

-- start_session_once: an attempt, once for each key.
CALL podium_tap.plan(24);

CALL podium_tap.join_podium('staff', 'moderator', @staff);
CALL podium_tap.join_podium('grader', 'grader', @grader);
CALL podium_tap.join_podium('alice', 'candidate', @alice);
CALL podium_tap.join_podium('bob', 'candidate', @bob);
CALL podium_tap.open_exam_with(3, 'best', @exam);
SET @key = podium_tap.name('key');

CALL podium.start_session_once(@exam, @alice, @key, @alice, NULL);
SET @session = podium_tap.got('session_id'), @started = JSON_EXTRACT(@result, '$[0][0]');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('attempt_no')), '1 1',
    'a key starts an attempt');
CALL podium.start_session_once(@exam, @alice, @key, @alice, NULL);
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @started, 'again it is the same, and as new');
CALL podium.start_session_once(@exam, @alice, NULL, @alice, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('session_id')), CONCAT('0 ', @session),
    'without a key it is in progress');
SET @found = podium_tap.name('found');
CALL podium.start_session_once(@exam, @alice, @found, @alice, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('session_id')), CONCAT('0 ', @session),
    'under another key as well');

CALL podium.finish_session(@session, NULL);
CALL podium.start_session_once(@exam, @alice, @key, @alice, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('session_id'),
              podium_tap.got('status')),
    CONCAT('1 ', @session, ' finished'), 'after its end it is returned as it stands');
CALL podium.start_session_once(@exam, @alice, @found, @alice, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('session_id')), CONCAT('0 ', @session),
    'and so is what was found in progress');
CALL podium_tap.is(
    (SELECT COUNT(*) FROM podium.exam_sessions WHERE exam_id = @exam), 1,
    'and no other attempt was started');
UPDATE podium.exams SET ends_at = UTC_TIMESTAMP(6) WHERE exam_id = @exam;
CALL podium.start_session_once(@exam, @alice, @key, @alice, NULL);
CALL podium_tap.is(
    podium_tap.got('session_id'), @session, 'the end of the exam changes nothing about it');
UPDATE podium.exams SET ends_at = NULL WHERE exam_id = @exam;
CALL podium.start_session_once(@exam, @alice, UPPER(@key), @alice, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('attempt_no')), '1 2',
    'case tells keys apart');

CALL podium_tap.throws(
    'CALL podium.start_session_once(@exam, @bob, @key, @alice, ''admin'')', 50020,
    CONCAT(
        'idempotency_key_reused: Idempotency-Key stands for another call, which created session ',
        @session),
    'the key stands for one call');
CALL podium.start_session_once(@exam, @bob, @key, @bob, NULL);
SET @second = podium_tap.got('session_id');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('user_id')), CONCAT('1 ', @bob),
    'the key of another caller is another key');
CALL podium.start_session_once(@exam, @bob, @key, NULL, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('created'), podium_tap.got('session_id')), CONCAT('0 ', @second),
    'so is that of the account itself');
CALL podium.finish_session(@second, NULL);
CALL podium.start_session_once(@exam, @bob, @key, NULL, NULL);
CALL podium_tap.is(podium_tap.got('session_id'), @second, 'which may repeat itself as well');

SET @key = podium_tap.name('key'), @sessions = (SELECT COUNT(*) FROM podium.exam_sessions);
CALL podium_tap.throws(
    'CALL podium.start_session_once(@exam, @bob, @key, @alice, NULL)', 50304,
    'not_own_session: user ', 'a candidate starts for nobody else');
CALL podium_tap.throws(
    'CALL podium.start_session_once(@exam, @bob, @key, @staff, ''candidate'')', 50304,
    'not_own_session: user ', 'nor does who has come as one');
CALL podium_tap.throws(
    'CALL podium.start_session_once(@exam, @bob, @key, @grader, NULL)', 50006, 'forbidden',
    'nor a grader');
CALL podium_tap.throws(
    'CALL podium.start_session_once(@exam, @bob, @key, @staff, ''root'')', 50104, 'role_invalid',
    'a role is one of five');
CALL podium_tap.throws(
    'CALL podium.start_session_once(0, @bob, @key, NULL, NULL)', 50200, 'exam_not_found',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.start_session_once(@exam, @bob, '''', NULL, NULL)', 50019,
    'idempotency_key_invalid: Idempotency-Key must have 1 to 64', 'a key is not empty');
CALL podium_tap.throws(
    'CALL podium.start_session_once(@exam, @bob, REPEAT(''x'', 65), NULL, NULL)', 50019,
    'idempotency_key_invalid', 'nor too long');
CALL podium_tap.throws(
    'CALL podium.start_session_once(@exam, @bob, ''schlüssel'', NULL, NULL)', 50019,
    'idempotency_key_invalid', 'nor anything but printable ASCII');
CALL podium_tap.is(
    (SELECT COUNT(*) FROM podium.exam_sessions), @sessions, 'what is refused starts nothing');
CALL podium.start_session_once(@exam, @bob, @key, @grader, 'moderator');
CALL podium_tap.is(
    podium_tap.got('attempt_no'), '2',
    'a role that is answered for counts, and a refusal leaves the key free');

START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.start_session_once(@exam, @bob, NULL, NULL, NULL)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;

CALL podium_tap.finish();

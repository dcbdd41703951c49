-- create_user_once: the answer that was lost, again.
CALL podium_tap.plan(15);

CALL podium_tap.join_podium('admin', 'admin', @admin);
SET @name = podium_tap.name('Alice'), @other = podium_tap.name('x'), @key = podium_tap.name('key');
CALL podium.create_user_once(@name, 'Alice Chen', 'grader', @key, @admin);
SET @alice = podium_tap.got('user_id'), @first = JSON_EXTRACT(@result, '$[0][0]');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('username'), podium_tap.got('full_name'), podium_tap.got('role')),
    CONCAT(@name, ' Alice Chen grader'), 'a user is created as by create_user');
CALL podium.create_user_once(CONCAT(@name, ' '), 'Alice Chen', 'grader', @key, @admin);
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @first, 'again: the first answer');
CALL podium_tap.is(
    (SELECT COUNT(*) FROM podium.users WHERE username = @name COLLATE utf8mb4_0900_bin), 1,
    'nobody is made twice');
CALL podium_tap.throws(
    'CALL podium.create_user_once(@other, ''Alice Chen'', ''grader'', @key, @admin)', 50020,
    CONCAT('idempotency_key_reused: Idempotency-Key stands for another call, which created user ',
           @alice), 'a key stands for one name');
CALL podium_tap.throws(
    'CALL podium.create_user_once(@name, ''Another'', ''grader'', @key, @admin)', 50020,
    'idempotency_key_reused: ', 'one full name');
CALL podium_tap.throws(
    'CALL podium.create_user_once(@name, ''Alice Chen'', NULL, @key, @admin)', 50020,
    'idempotency_key_reused: ', 'and one role');
CALL podium_tap.throws(
    'CALL podium.create_user_once(@name, ''Alice Chen'', ''grader'', ''another'', @admin)', 50101,
    'username_taken: ', 'under another key the name is taken');
CALL podium_tap.throws(
    'CALL podium.create_user_once(@name, ''Alice Chen'', ''grader'', NULL, @admin)', 50101,
    'username_taken: ', 'without one as well');
CALL podium_tap.throws(
    'CALL podium.create_user_once(@name, ''Alice Chen'', ''grader'', @key, NULL)', 50101,
    'username_taken: ', 'the keys of others are theirs');

CALL podium.update_user(@alice, '{"full_name": "Alice Novak"}', NULL);
CALL podium.create_user_once(@name, 'Alice Chen', 'grader', @key, @admin);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('user_id'), podium_tap.got('full_name')),
    CONCAT(@alice, ' Alice Novak'), 'who has another name since is still found, as they are');

SET @bob = podium_tap.name('bob');
CALL podium.create_user_once(@bob, 'Bob', NULL, @key, NULL);
CALL podium_tap.is(
    podium_tap.got('role'), 'candidate', 'no role: a candidate; no actor: the account');
CALL podium.create_user_once(@bob, 'Bob', 'candidate', @key, NULL);
CALL podium_tap.is(podium_tap.got('username'), @bob, 'which has keys of its own');
CALL podium_tap.throws(
    'CALL podium.create_user_once(podium_tap.name(''c''), ''C'', NULL, '''', NULL)', 50019,
    'idempotency_key_invalid: Idempotency-Key must have 1 to 64 printable ASCII characters',
    'an empty key is none');
CALL podium_tap.throws(
    'CALL podium.create_user_once(@other, ''C'', NULL, REPEAT(''k'', 65), NULL)', 50019,
    'idempotency_key_invalid: ', '65 characters are too many');
CALL podium_tap.throws(
    'CALL podium.create_user_once(podium_tap.name(''c''), ''C'', NULL, ''ключ'', NULL)', 50019,
    'idempotency_key_invalid: ', 'nor are others than of ASCII');

CALL podium_tap.finish();

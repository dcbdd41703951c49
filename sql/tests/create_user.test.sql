-- create_user: everybody who takes exams or runs them.
CALL podium_tap.plan(30);

SET @name = podium_tap.name('Alice');
CALL podium.create_user(@name, 'Alice Chen', 'moderator');
CALL podium_tap.is(podium_tap.got('username'), @name, 'the user comes back with the name');
CALL podium_tap.is(podium_tap.got('full_name'), 'Alice Chen', 'with the full name');
CALL podium_tap.is(podium_tap.got('role'), 'moderator', 'with the role');
CALL podium_tap.ok(podium_tap.got('user_id') > 0, 'with a number');
CALL podium_tap.ok(
    ABS(TIMESTAMPDIFF(SECOND, podium_tap.got('created_at'), UTC_TIMESTAMP())) <= 5,
    'with the time of now in UTC');

CALL podium_tap.throws(
    'CALL podium.create_user(@name, ''Another'', NULL)', 50101,
    'username_taken: the user name Alice-',
    'a name is taken once');
CALL podium_tap.throws(
    'CALL podium.create_user(UPPER(@name), ''Another'', NULL)', 50101, 'username_taken: ',
    'another case is the same name');
CALL podium.create_user(REPLACE(@name, 'Alice', 'Alicé'), 'Alicé Chen', NULL);
CALL podium_tap.is(podium_tap.got('role'), 'candidate',
    'an accent makes another name; no role: a candidate');

CALL podium.create_user(RPAD(podium_tap.name(''), 64, '𝄞'), REPEAT('ñ', 200), NULL);
CALL podium_tap.is(
    CHAR_LENGTH(podium_tap.got('username')), 64,
    '64 characters of a name, four bytes each, are kept');
CALL podium_tap.is(podium_tap.got('full_name'), REPEAT('ñ', 200), 'and 200 of a full name');

CALL podium_tap.throws(
    'CALL podium.create_user(REPEAT(''x'', 65), ''X'', NULL)', 50102,
    'username_invalid: username must have',
    '65 characters are too many');
CALL podium_tap.throws(
    'CALL podium.create_user('''', ''X'', NULL)', 50102, 'username_invalid',
    'an empty name is none');
CALL podium_tap.throws(
    'CALL podium.create_user(''   '', ''X'', NULL)', 50102, 'username_invalid',
    'neither are blanks');
CALL podium_tap.throws(
    'CALL podium.create_user(NULL, ''X'', NULL)', 50102, 'username_invalid', 'nor NULL');
CALL podium_tap.throws(
    'CALL podium.create_user(podium_tap.name(''x''), REPEAT(''x'', 201), NULL)', 50103,
    'full_name_invalid: full_name must have', '201 characters of a full name are too many');
CALL podium_tap.throws(
    'CALL podium.create_user(podium_tap.name(''x''), NULL, NULL)', 50103, 'full_name_invalid',
    'the full name is required');
CALL podium_tap.throws(
    'CALL podium.create_user(podium_tap.name(''x''), ''X'', ''root'')', 50104,
    'role_invalid: role must be candidate, viewer, grader, moderator or admin',
    'there are five roles');
CALL podium_tap.throws(
    'CALL podium.create_user(podium_tap.name(''x''), ''X'', ''càndidate'')', 50104, 'role_invalid',
    'a role with an accent is not one of them');

-- One identity: NFC(casefold(NFC(trimmed name))), and nothing else.
SET @name = podium_tap.name('José');
CALL podium.create_user(CONCAT(CONVERT(0xC2A0 USING utf8mb4), @name, CHAR(9)), ' José ', NULL);
CALL podium_tap.is(
    podium_tap.got('username'), @name, 'white space of any kind at the ends is gone');
CALL podium_tap.is(podium_tap.got('full_name'), 'José', 'of the full name as well');
CALL podium_tap.throws(
    'CALL podium.create_user(REPLACE(@name, ''é'', CONVERT(0x65CC81 USING utf8mb4)), ''X'', NULL)',
    50101, 'username_taken: the user name José-', 'an accent of its own is the same name');
CALL podium.create_user(podium_tap.name('さくら'), 'Sakura', NULL);
CALL podium.create_user(podium_tap.name('サクラ'), 'Sakura', NULL);
CALL podium_tap.is(
    LEFT(podium_tap.got('username'), 3), 'サクラ', 'hiragana and katakana are two names');
CALL podium_tap.throws(
    'CALL podium.create_user(CONCAT(podium_tap.name(''x''), CHAR(0)), ''X'', NULL)', 50102,
    'username_invalid: username holds U+0000, which it must not', 'no control characters');
CALL podium_tap.throws(
    'CALL podium.create_user(CONVERT(0xE385A4 USING utf8mb4), ''X'', NULL)', 50102,
    'username_invalid: username holds U+3164, which it must not', 'nothing that does not show');
CALL podium_tap.throws(
    'CALL podium.create_user(podium_tap.name(''x''), CONVERT(0xE280AE58 USING utf8mb4), NULL)',
    50103, 'full_name_invalid: full_name holds U+202E, which it must not',
    'no full name turns what follows');
CALL podium.create_user(podium_tap.name('x'), 'علی‌رضا', NULL);
CALL podium_tap.is(podium_tap.got('full_name'), 'علی‌رضا', 'joiners of Persian stay');

-- What a careless layer would take for its own syntax is kept as it is.
SET @hostile = 'delimiter it''s; "quoted" \\ back\\slash %s 😀 -- # /* {{x}}';
CALL podium.create_user(podium_tap.name('delimiter it''s 😀"\\'), @hostile, 'admin');
CALL podium_tap.is(podium_tap.got('full_name'), @hostile, 'hostile strings come back unchanged');
CALL podium_tap.is(
    LEFT(podium_tap.got('username'), 18), 'delimiter it''s 😀"\\', 'in names too');

SET @name = podium_tap.name('bob');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.create_user(@name, ''Bob'', NULL)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;
CALL podium.create_user(@name, 'Bob', NULL);
CALL podium_tap.is(podium_tap.got('username'), @name, 'so that the name is free again');

CALL podium_tap.finish();

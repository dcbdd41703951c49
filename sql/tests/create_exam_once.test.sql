-- create_exam_once: an exam with all its settings, once for each key.
CALL podium_tap.plan(24);

CALL podium_tap.join_podium('admin', 'admin', @admin);
CALL podium_tap.join_podium('another', 'admin', @another);
SET @key = podium_tap.name('key'), @exams = (SELECT COUNT(*) FROM podium.exams);
SET @body = '{"title": "Fïnals", "weights": {"coding": 33.34, "quiz": 33.33, "assessment": 33.33},
    "max_attempts": 2, "attempt_policy": "first", "starts_at": "2026-01-01T01:00+01:00",
    "ends_at": "2099-01-01 00:00:00", "duration_sec": 60, "submissions_by": "candidates",
    "board_access": "everyone", "board_names": "username"}';

CALL podium.create_exam_once(@body, @key, @admin);
SET @exam = CAST(podium_tap.got('exam_id') AS UNSIGNED);
SET @created = JSON_EXTRACT(@result, '$[0][0]');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('title'), podium_tap.got('weight_coding'),
              podium_tap.got('max_attempts'), podium_tap.got('attempt_policy'),
              podium_tap.got('starts_at'), podium_tap.got('ends_at'),
              podium_tap.got('duration_sec')),
    'Fïnals 33.34 2 first 2026-01-01 00:00:00 2099-01-01 00:00:00 60', 'all rules are kept');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('submissions_by'), podium_tap.got('board_access'),
              podium_tap.got('board_names')),
    'candidates everyone username', 'and who may do and see what');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('revision'), podium_tap.got('total_participants')), '0 0',
    'a new board has no history');
CALL podium.verify_audit(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'and a sound one');

CALL podium.create_exam_once(@body, @key, @admin);
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @created, 'again it is the same exam');
CALL podium.create_exam_once(
    JSON_MERGE_PATCH(JSON_OBJECT('board_names', 'username'), @body), @key, @admin);
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'however its values are arranged');
CALL podium_tap.is(
    (SELECT COUNT(*) FROM podium.exams), @exams + 1, 'and no other has been made');
CALL podium.update_exam(@exam, '{"title": "Renamed"}', NULL);
CALL podium.create_exam_once(@body, @key, @admin);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('exam_id'), podium_tap.got('title')), CONCAT(@exam, ' Renamed'),
    'later it is returned as it stands');

CALL podium_tap.throws(
    'CALL podium.create_exam_once(''{"title": "Other"}'', @key, @admin)', 50020,
    'idempotency_key_reused: Idempotency-Key stands for another call',
    'the key stands for one call');
CALL podium.create_exam_once(@body, @key, @another);
SET @second = CAST(podium_tap.got('exam_id') AS UNSIGNED);
CALL podium_tap.ok(@second > @exam, 'the key of another caller is another key');
CALL podium.create_exam_once(@body, @key, NULL);
SET @third = CAST(podium_tap.got('exam_id') AS UNSIGNED);
CALL podium_tap.ok(@third > @second, 'so is that of the account itself');
CALL podium.create_exam_once(@body, @key, NULL);
CALL podium_tap.is(podium_tap.got('exam_id'), @third, 'which may repeat itself as well');
CALL podium.create_exam_once(@body, UPPER(@key), @admin);
CALL podium_tap.ok(CAST(podium_tap.got('exam_id') AS UNSIGNED) > @third, 'case tells keys apart');
CALL podium.create_exam_once(@body, NULL, @admin);
SET @fourth = CAST(podium_tap.got('exam_id') AS UNSIGNED);
CALL podium.create_exam_once(@body, NULL, @admin);
CALL podium_tap.ok(
    CAST(podium_tap.got('exam_id') AS UNSIGNED) > @fourth, 'without a key each call makes one');

CALL podium.create_exam_once('{"title": "Plain"}', NULL, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('weight_quiz'), podium_tap.got('max_attempts'),
              podium_tap.got('submissions_by'), podium_tap.got('board_access'),
              podium_tap.got('board_names')),
    '30.00 1 graders signed_in full', 'the title alone is needed, and the defaults are safe');

SET @exams = (SELECT COUNT(*) FROM podium.exams), @key = podium_tap.name('key');
CALL podium_tap.throws(
    'CALL podium.create_exam_once(''{"title": "X", "board_access": "all"}'', @key, NULL)', 50211,
    'board_access_invalid', 'a wrong setting is refused');
CALL podium_tap.throws(
    'CALL podium.create_exam_once(''{"max_attempts": 2}'', @key, NULL)', 50202, 'title_invalid',
    'so is none of a title');
CALL podium_tap.throws(
    'CALL podium.create_exam_once(''[]'', @key, NULL)', 50209, 'changes_invalid',
    'and what is no object');
CALL podium_tap.throws(
    'CALL podium.create_exam_once(NULL, @key, NULL)', 50209, 'changes_invalid', 'such as NULL');
CALL podium_tap.throws(
    'CALL podium.create_exam_once(''{"title": "X"}'', '''', NULL)', 50019,
    'idempotency_key_invalid: Idempotency-Key must have 1 to 64', 'a key is not empty');
CALL podium_tap.throws(
    'CALL podium.create_exam_once(''{"title": "X"}'', REPEAT(''x'', 65), NULL)', 50019,
    'idempotency_key_invalid', 'nor too long');
CALL podium_tap.throws(
    'CALL podium.create_exam_once(''{"title": "X"}'', ''schlüssel'', NULL)', 50019,
    'idempotency_key_invalid', 'nor anything but printable ASCII');
CALL podium_tap.is((SELECT COUNT(*) FROM podium.exams), @exams, 'what is refused makes no exam');
CALL podium.create_exam_once('{"title": "X"}', @key, NULL);
CALL podium_tap.is(podium_tap.got('title'), 'X', 'and leaves its key free');

CALL podium_tap.finish();

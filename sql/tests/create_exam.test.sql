-- create_exam: weights, attempts, schedule, and an empty board.
CALL podium_tap.plan(37);

CALL podium.create_exam('Backend Challenge 2026', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got('title'), 'Backend Challenge 2026',
    'the exam comes back with its title');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('weight_coding'), podium_tap.got('weight_quiz'),
              podium_tap.got('weight_assessment')),
    '50.00 30.00 20.00', 'without weights it gets 50, 30 and 20');
CALL podium_tap.is(podium_tap.got('max_attempts'), '1', 'without attempts one');
CALL podium_tap.is(podium_tap.got('attempt_policy'), 'best',
    'without a policy the best one counts');
CALL podium_tap.is(podium_tap.got('starts_at'), NULL, 'it is open at once');
CALL podium_tap.is(podium_tap.got('ends_at'), NULL, 'it never closes');
CALL podium_tap.is(podium_tap.got('duration_sec'), NULL, 'an attempt takes as long as it takes');
CALL podium_tap.is(podium_tap.got('revision'), '0', 'its board has no revision yet');
CALL podium_tap.is(podium_tap.got('total_participants'), '0', 'and nobody on it');

CALL podium.create_exam(
    'All given', 33.34, 33.33, 33.33, 1000, 'latest', '2026-01-01 09:00:00.123456',
    '2026-01-01 09:00:00.123457',
    4194303);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('weight_coding'), podium_tap.got('weight_quiz'),
              podium_tap.got('weight_assessment')),
    '33.34 33.33 33.33', 'weights with decimals that sum to 100 are taken');
CALL podium_tap.is(podium_tap.got('max_attempts'), '1000', 'a thousand attempts are the most');
CALL podium_tap.is(podium_tap.got('attempt_policy'), 'latest', 'latest is a policy');
CALL podium_tap.is(podium_tap.got('starts_at'), '2026-01-01 09:00:00.123456',
    'it starts to the microsecond');
CALL podium_tap.is(podium_tap.got('ends_at'), '2026-01-01 09:00:00.123457',
    'and ends to the microsecond');
CALL podium_tap.is(podium_tap.got('duration_sec'), '4194303', '48 days are the longest attempt');
CALL podium.create_exam('One module', 0, 100, 0, 1, 'first', NULL, NULL, 1);
CALL podium_tap.is(podium_tap.got('weight_quiz'), '100.00',
    'one module may weigh all, with policy first');

CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', 50, 30, 19.99, NULL, NULL, NULL, NULL, NULL)', 50201,
    'weights_invalid: the weights sum to 99.99, not to 100', 'weights of 99.99 are refused');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', 50, 30, 20.01, NULL, NULL, NULL, NULL, NULL)', 50201,
    'weights_invalid: the weights sum to 100.01, not to 100', 'weights of 100.01 too');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', 50.004, 29.996, 20, NULL, NULL, NULL, NULL, NULL)', 50201,
    'weights_invalid: a weight has at most two decimals',
    'a third decimal is refused, not rounded');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', 110, -30, 20, NULL, NULL, NULL, NULL, NULL)', 50201,
    'weights_invalid: a weight must be 0 to 100', 'so is a negative weight');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', 50, NULL, 50, NULL, NULL, NULL, NULL, NULL)', 50201,
    'weights_invalid: give all three weights or none', 'two weights are not three');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', 1e14, 0, 0, NULL, NULL, NULL, NULL, NULL)', 50201,
    'weights_invalid: a weight must be 0 to 100', 'a weight of 1e14 is told the same');
CALL podium_tap.throws(
    'CALL podium.create_exam(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)', 50202,
    'title_invalid: title must have 1 to 200 characters', 'the title is required');
CALL podium_tap.throws(
    'CALL podium.create_exam(''  '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)', 50202,
    'title_invalid',
    'blanks are no title');
CALL podium_tap.throws(
    'CALL podium.create_exam(REPEAT(''x'', 201), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)',
    50202,
    'title_invalid', '201 characters are too many');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL)', 50203,
    'max_attempts_invalid: max_attempts must be 1 to 1000', 'no attempt is too few');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', NULL, NULL, NULL, 1001, NULL, NULL, NULL, NULL)', 50203,
    'max_attempts_invalid', '1001 are too many');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', NULL, NULL, NULL, NULL, ''worst'', NULL, NULL, NULL)', 50204,
    'attempt_policy_invalid: attempt_policy must be best, latest or first', 'worst is no policy');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', NULL, NULL, NULL, NULL, ''bést'', NULL, NULL, NULL)', 50204,
    'attempt_policy_invalid', 'neither is bést');
CALL podium_tap.throws(
    CONCAT('CALL podium.create_exam(''x'', NULL, NULL, NULL, NULL, NULL, ',
           '''2026-01-02'', ''2026-01-02'', NULL)'),
    50205,
    'schedule_invalid: ends_at must be after starts_at', 'an exam lasts longer than no time');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0)', 50206,
    'duration_invalid: duration_sec must be 1 to 4194303', 'so does an attempt');
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4194304)', 50206,
    'duration_invalid', 'and no longer than 48 days');

SET @hostile = 'delimiter it''s; "quoted" \\ back\\slash %s 😀 -- # /* {{x}}';
CALL podium.create_exam(@hostile, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got('title'), @hostile, 'hostile titles come back unchanged');
CALL podium.create_exam(REPEAT('😀', 200), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got('title'), REPEAT('😀', 200), '200 characters of four bytes too');

SET @exams = (SELECT COUNT(*) FROM podium.exams);
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.create_exam(''x'', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)', 1568,
    'Transaction',
    'inside an open transaction it refuses');
COMMIT;
CALL podium_tap.is((SELECT COUNT(*) FROM podium.exams), @exams, 'and touches nothing');
CALL podium_tap.is(
    (SELECT COUNT(*) FROM podium.exams AS e
     LEFT JOIN podium.leaderboards AS b ON b.exam_id = e.exam_id WHERE b.board_id IS NULL),
    0, 'no exam is without a board');

CALL podium_tap.finish();

-- submit_score: one module score, where a refusal is an error.
CALL podium_tap.plan(80);

CALL podium_tap.join_podium('staff', 'moderator', @staff);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @session);
CALL podium_tap.enter(@exam, 'bob', @bob, @bob_session);

-- The example: 85.5/100, 90/100 and 70/100 with the default weights.
CALL podium.submit_score(@session, 'coding', 85.5, 100, 2400, NULL, NULL, NULL, @alice);
CALL podium_tap.is(podium_tap.got('weighted_coding'), '42.7500',
    '85.5 of 100 in coding are 42.75 points');
CALL podium_tap.is(podium_tap.got('status'), '200', 'the answer is 200');
CALL podium_tap.is(podium_tap.got('code'), NULL, 'without a code');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('exam_id'), podium_tap.got('session_id'),
    podium_tap.got('user_id'),
              podium_tap.got('module_type'), podium_tap.got('replayed')),
    CONCAT_WS(' ', @exam, @session, @alice, 'coding', 0), 'it says what it is the answer to');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('version'), podium_tap.got('revision'), podium_tap.got('rank')),
    '1 1 1',
    'the first version of the session, the first revision and the first rank of the board');
CALL podium_tap.is(CHAR_LENGTH(podium_tap.got('submission_id')), 36,
    'who gives no submission id is given one');
CALL podium.submit_score(@session, 'quiz', 90, 100, 900, NULL, 1, NULL, @alice);
CALL podium_tap.is(podium_tap.got('weighted_quiz'), '27.0000', '90 of 100 in quiz are 27');
CALL podium.submit_score(@session, 'assessment', 70, 100, 900, NULL, 2, NULL, @alice);
CALL podium_tap.is(podium_tap.got('weighted_assessment'), '14.0000',
    '70 of 100 in assessment are 14');
CALL podium_tap.is(podium_tap.got('total_score'), '83.7500', 'together 83.75');
CALL podium_tap.is(podium_tap.got('total_time_sec'), '4200', 'in 4200 seconds');
CALL podium_tap.is(podium_tap.got('version'), '3', 'at version 3');

-- Last write wins, and the audit log keeps both.
CALL podium_tap.score(@session, 'quiz', 80, 1000);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('weighted_quiz'), podium_tap.got('total_score'),
    podium_tap.got('total_time_sec')),
    '24.0000 80.7500 4300',
    'a module submitted again replaces score and time, by fewer points too');
CALL podium_tap.is(
    (SELECT GROUP_CONCAT(a.new_weighted_score ORDER BY a.audit_id SEPARATOR ' ')
     FROM podium.score_audit_log AS a WHERE a.session_id = @session AND a.module_type = 'quiz'),
    '27.0000 24.0000', 'the audit log keeps both');
CALL podium_tap.is(
    (SELECT CONCAT_WS(' ', a.old_weighted_score, a.old_time_spent_sec, a.old_total_score,
    a.new_total_score)
     FROM podium.score_audit_log AS a WHERE a.session_id = @session AND a.version = 4),
    '27.0000 900 83.7500 80.7500', 'with what was replaced');
CALL podium_tap.is(
    (SELECT CONCAT_WS(' ', a.actor, COALESCE(a.actor_id, 'NULL'))
     FROM podium.score_audit_log AS a WHERE a.session_id = @session AND a.version = 4),
    CONCAT(USER(), ' NULL'), 'without an actor it was the MySQL account');
CALL podium_tap.is(
    (SELECT CONCAT_WS(' ', a.actor, a.actor_id)
     FROM podium.score_audit_log AS a WHERE a.session_id = @session AND a.version = 3),
    CONCAT('user:', @alice, ' ', @alice), 'with one it was he');

-- Ties: equal score and time share a rank, and the next follows without a gap.
CALL podium_tap.open_exam(@ties);
CALL podium_tap.enter(@ties, 'one', @one, @s1);
CALL podium_tap.enter(@ties, 'two', @two, @s2);
CALL podium_tap.enter(@ties, 'three', @three, @s3);
CALL podium_tap.enter(@ties, 'four', @four, @s4);
CALL podium_tap.score(@s1, 'coding', 80, 60);
CALL podium_tap.score(@s2, 'coding', 80, 60);
CALL podium_tap.is(podium_tap.got('rank'), '1', 'an equal score in equal time shares the rank');
CALL podium_tap.score(@s3, 'coding', 80, 61);
CALL podium_tap.is(podium_tap.got('rank'), '2', 'a second more is the next rank, without a gap');
CALL podium_tap.score(@s4, 'coding', 80.0001, 4000000);
CALL podium_tap.is(podium_tap.got('rank'), '1', 'more points lead in whatever time');
CALL podium_tap.score(@s4, 'coding', 79.9998, 0);
CALL podium_tap.is(podium_tap.got('rank'), '3', 'fewer points follow in whatever time');
CALL podium.get_leaderboard(@ties, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.column_of(2, 'rank'), '1 1 2 3', 'so stands the board');
CALL podium_tap.score(@s2, 'quiz', 10, 60);
CALL podium_tap.is(podium_tap.got('rank'), '1', 'who leaves a shared rank for a better one leads');
CALL podium.get_leaderboard(@ties, NULL, NULL, NULL);
CALL podium_tap.is(
    podium_tap.column_of(2, 'rank'), '1 2 3 4', 'and those behind him have a rank each');

-- Rounding: half up to four decimals.
CALL podium.create_exam('Halves', 100, 0, 0, NULL, NULL, NULL, NULL, NULL);
SET @halves = podium_tap.got('exam_id');
CALL podium_tap.enter(@halves, 'half', @half, @half_session);
CALL podium.submit_score(@half_session, 'coding', 0.0000005, 1, 0, NULL, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got('total_score'), '0.0001', '0.00005 points are rounded up');
CALL podium.submit_score(@half_session, 'coding', 0.00000049999999999999, 1, 0, NULL, NULL, NULL,
    NULL);
CALL podium_tap.is(podium_tap.got('total_score'), '0.0000', 'anything below it is rounded down');
CALL podium.submit_score(@half_session, 'coding', 1, 3, 0, NULL, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got('total_score'), '33.3333', 'a third ends in threes');
CALL podium.submit_score(@half_session, 'coding', 2, 3, 0, NULL, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got('total_score'), '66.6667', 'two thirds in a seven');
CALL podium.submit_score(@half_session, 'coding', 9999999999.99, 9999999999.99, 0, NULL, NULL,
    NULL, NULL);
CALL podium_tap.is(podium_tap.got('total_score'), '100.0000',
    'ten digits before the point are kept');
CALL podium.submit_score(
    @half_session, 'coding', 0.00000000000000000001, 0.00000000000000000001, 0, NULL, NULL, NULL,
    NULL);
CALL podium_tap.is(podium_tap.got('total_score'), '100.0000', 'twenty behind it too');
CALL podium.submit_score(@half_session, 'coding', 0, 100, 0, NULL, NULL, NULL, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('total_score'), podium_tap.got('rank')), '0.0000 1',
    'no points are a score too');
CALL podium.submit_score(@half_session, 'quiz', 5, 5, 4194303, NULL, NULL, NULL, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('weighted_quiz'), podium_tap.got('total_time_sec')),
    '0.0000 4194303',
    'a weight of nothing gives none; 48 days are the longest time');
CALL podium_tap.open_exam(@digits);
CALL podium_tap.enter(@digits, 'digits', @user, @digits_session);
CALL podium.submit_score(
    @digits_session, 'quiz', 3348483333.33333333333333333332, 9999999999.99999999999999999999, 0,
    NULL, NULL, NULL, NULL);
CALL podium_tap.is(
    podium_tap.got('weighted_quiz'), '10.0454',
    'what falls short of a half in its 32nd digit is no half');
SET @before = podium_tap.state_of(@halves);
CALL podium_tap.throws(
    'CALL podium.submit_score(@half_session, ''assessment'', 1, 1, 1, NULL, NULL, NULL, NULL)',
    50405,
    'time_spent_invalid', 'a session holds no more than that in all');
CALL podium_tap.is(podium_tap.state_of(@halves), @before, 'and stays as it was');
CALL podium.submit_score(@half_session, 'quiz', 5, 5, 4194302, NULL, NULL, NULL, NULL);
CALL podium.submit_score(@half_session, 'assessment', 1, 1, 1, NULL, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got('total_time_sec'), '4194303', 'replaced time makes room');

-- Replays: the same id and payload gets the first outcome, whatever has happened since.
CALL podium_tap.open_exam(@replays);
CALL podium_tap.enter(@replays, 'first', @first, @r1);
CALL podium_tap.enter(@replays, 'rival', @rival, @r2);
SET @id = podium_tap.name('submission');
CALL podium.submit_score(@r1, 'coding', 10, 100, 10, '{"b": [1, 2], "a": "x"}', 0, @id, @first);
SET @answer = JSON_REMOVE(JSON_EXTRACT(@result, '$[0][0]'), '$.replayed');
CALL podium_tap.score(@r2, 'coding', 20, 10);
CALL podium_tap.score(@r1, 'coding', 30, 10);
CALL podium.finish_session(@r1, NULL);
SET @before = podium_tap.state_of(@replays);
CALL podium.submit_score(@r1, 'coding', 10.00, 1e2, 10, '{"a": "x", "b": [1, 2]}', 0, @id, @first);
CALL podium_tap.is(podium_tap.got('replayed'), '1',
    'the same id, however its values are written, is a replay');
CALL podium_tap.is(
    JSON_REMOVE(JSON_EXTRACT(@result, '$[0][0]'), '$.replayed'), @answer,
    'and gets the first answer to the letter');
CALL podium.submit_score(@r1, 'coding', 10, 100, 10, '{"a": "x", "b": [1, 2]}', 99, @id, @staff);
CALL podium_tap.is(podium_tap.got('replayed'), '1',
    'actor and expected version are no part of the payload');
SET @array = JSON_ARRAY(JSON_OBJECT('session_id', @r1, 'module_type', 'coding', 'raw_score',
    10.0e0, 'max_score', 100,
                           'time_spent_sec', 10, 'details', CAST('{"a": "x", "b": [1, 2]}' AS JSON),
                           'submission_id', @id));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(podium_tap.got('replayed'), '1', 'submit_scores knows it too');
CALL podium_tap.throws(
    CONCAT('CALL podium.submit_score(@r1, ''coding'', 10.01, 100, 10, ',
           '''{"a": "x", "b": [1, 2]}'', NULL, @id, NULL)'),
    50401,
    'submission_id_reused: this submission id came with other values',
    'another score under the id is refused');
CALL podium_tap.throws(
    CONCAT('CALL podium.submit_score(@r1, ''coding'', 10, 100, 10, ',
           '''{"a": "y", "b": [1, 2]}'', NULL, @id, NULL)'),
    50401,
    'submission_id_reused', 'so are other details');
CALL podium_tap.throws(
    CONCAT('CALL podium.submit_score(@r1, ''coding'', 10, 100, 10, ',
           '''{"a": "x", "b": [2, 1]}'', NULL, @id, NULL)'),
    50401,
    'submission_id_reused', 'details in another order of an array');
CALL podium_tap.is(podium_tap.state_of(@replays), @before, 'none of these changed anything');
CALL podium.submit_score(@r2, 'coding', 10, 100, 10, '{"a": "x", "b": [1, 2]}', NULL, @id, NULL);
CALL podium_tap.is(podium_tap.got('replayed'), '0', 'to another session it is a new id');
CALL podium.submit_score(@r2, 'coding', 20, 100, 10, NULL, NULL, CONCAT(@id, ' '), NULL);
CALL podium_tap.is(podium_tap.got('replayed'), '0', 'an id with a blank behind it is another id');
CALL podium.submit_score(@r2, 'coding', 20, 100, 10, NULL, NULL, UPPER(@id), NULL);
CALL podium_tap.is(podium_tap.got('replayed'), '0', 'so is one in capitals');

-- Versions.
SET @before = podium_tap.state_of(@exam);
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, 3, NULL, NULL)', 50400, CONCAT(
        'version_conflict: session ', @session, ' is at version 4, not 3'),
    'a stale version is refused with the current one');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, 5, NULL, NULL)', 50400,
    'version_conflict',
    'so is one that lies ahead');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, -1, NULL, NULL)', 50407,
    'expected_version_invalid', 'and one that cannot be');

-- Whose session it is, and what it is of.
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, NULL, NULL, @bob)', 50300,
    CONCAT('session_not_found: session ', @session, ' does not exist'),
    'for a candidate there are no sessions but their own');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, NULL, NULL, 0)', 50105,
    'actor_not_found: user 0 does not exist', 'nobody acts who does not exist');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, NULL, NULL, -1)', 50105,
    'actor_not_found',
    'nor anybody with a negative number');
CALL podium_tap.throws(
    'CALL podium.submit_score(0, ''quiz'', 1, 1, 1, NULL, NULL, NULL, NULL)', 50300,
    'session_not_found: session 0 does not exist', 'the session must exist');
CALL podium_tap.throws(
    'CALL podium.submit_score(-1, ''quiz'', 1, 1, 1, NULL, NULL, NULL, NULL)', 50300,
    'session_not_found',
    'it is never negative');
CALL podium_tap.throws(
    'CALL podium.submit_score(NULL, ''quiz'', 1, 1, 1, NULL, NULL, NULL, NULL)', 50300,
    'session_not_found',
    'and must be given');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''essay'', 1, 1, 1, NULL, NULL, NULL, NULL)', 50402,
    'module_unknown: module_type must be coding, quiz or assessment', 'an essay is no module');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, REPEAT(''x'', 200), 1, 1, 1, NULL, NULL, NULL, NULL)',
    50402,
    'module_unknown', 'neither are two hundred letters');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''códing'', 1, 1, 1, NULL, NULL, NULL, NULL)', 50402,
    'module_unknown',
    'nor one with an accent');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, NULL, 1, 1, 1, NULL, NULL, NULL, NULL)', 50402,
    'module_unknown', 'nor NULL');

-- Values.
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 100.01, 100, 1, NULL, NULL, NULL, NULL)', 50403,
    'raw_score_invalid: raw_score must be a number from 0 to max_score',
    'nobody scores above the maximum');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', -0.01, 100, 1, NULL, NULL, NULL, NULL)', 50403,
    'raw_score_invalid', 'nor below nought');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', NULL, 100, 1, NULL, NULL, NULL, NULL)', 50403,
    'raw_score_invalid',
    'nor nothing');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 0, 0, 1, NULL, NULL, NULL, NULL)', 50404,
    'max_score_invalid: max_score must be a number above 0', 'the maximum is above nought');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 0, NULL, 1, NULL, NULL, NULL, NULL)', 50404,
    'max_score_invalid',
    'and given');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 10000000000, 1, NULL, NULL, NULL, NULL)',
    50404,
    'max_score_invalid', 'and below 10000000000');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, -1, NULL, NULL, NULL, NULL)', 50405,
    'time_spent_invalid: time_spent_sec must be a whole number from 0',
    'no time is negative');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 4194304, NULL, NULL, NULL, NULL)', 50405,
    'time_spent_invalid', 'or longer than 48 days');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, NULL, NULL, NULL, NULL, NULL)', 50405,
    'time_spent_invalid',
    'or left out');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, ''[1]'', NULL, NULL, NULL)', 50406,
    'details_invalid: details must be a JSON object', 'details are an object');
CALL podium_tap.throws(
    CONCAT('CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, ',
           'JSON_OBJECT(''x'', REPEAT(''x'', 65536)), NULL, NULL, NULL)'),
    50406, 'details_invalid', 'of 64 KB at most');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, NULL, '''', NULL)', 50408,
    'submission_id_invalid: submission_id must be 1 to 64 printable',
    'a submission id is not empty');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, NULL, REPEAT(''x'', 65), NULL)',
    50408,
    'submission_id_invalid', 'or longer than 64 characters');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, NULL, ''é'', NULL)', 50408,
    'submission_id_invalid', 'or outside ASCII');
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, NULL, ''a\nb'', NULL)', 50408,
    'submission_id_invalid', 'or of more than one line');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.submit_score(@session, ''quiz'', 1, 1, 1, NULL, NULL, NULL, NULL)', 1568,
    'Transaction',
    'inside an open transaction it refuses');
COMMIT;
CALL podium_tap.is(podium_tap.state_of(@exam), @before, 'what was refused left nothing behind');

-- Hostile details come back unchanged.
SET @hostile = JSON_OBJECT(
    'delimiter it''s', 'delimiter $$ "quoted" \\ back\\slash %s 😀 \n\t-- # /* {{x}}', 'large',
    REPEAT('ñ', 20000));
CALL podium.submit_score(@session, 'quiz', 80, 100, 1000, @hostile, NULL, NULL, NULL);
CALL podium_tap.ok(
    (SELECT m.details = CAST(@hostile AS JSON) FROM podium.module_scores AS m
     WHERE m.session_id = @session AND m.module_type = 'quiz'),
    'hostile details of 40 KB stand unchanged beside the score');
CALL podium_tap.ok(
    (SELECT a.details = CAST(@hostile AS JSON)
     FROM podium.score_audit_log AS a WHERE a.session_id = @session AND a.version = 5),
    'and in the audit log');

CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'check_leaderboard finds no difference');
CALL podium.verify_audit(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'verify_audit finds nothing');

CALL podium_tap.finish();

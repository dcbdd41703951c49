-- update_exam: settings of an exam, and what follows from them, in one commit.
CALL podium_tap.plan(51);

CALL podium_tap.join_podium('admin', 'admin', @admin);
CALL podium_tap.open_exam_with(2, 'best', @exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @first);
CALL podium_tap.score(@first, 'coding', 90, 100);
CALL podium.finish_session(@first, NULL);
CALL podium.start_session(@exam, @alice, NULL);
SET @second = podium_tap.got('session_id'), @started = podium_tap.got('started_at');
CALL podium_tap.score(@second, 'coding', 50, 100);

-- Who may do and see what
CALL podium.create_exam('Exam', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('submissions_by'), podium_tap.got('board_access'),
              podium_tap.got('board_names')),
    'graders signed_in full', 'a new exam has the safe settings');
CALL podium.update_exam(
    @exam,
    '{"submissions_by": "graders", "board_access": "participants", "board_names": "hidden"}',
    @admin);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('submissions_by'), podium_tap.got('board_access'),
              podium_tap.got('board_names'), podium_tap.got('revision')),
    'graders participants hidden 3', 'all three can be changed, in one revision');
CALL podium_tap.is(
    (SELECT CONCAT_WS(' ', r.reason, r.submissions, r.actor) FROM podium.leaderboard_revisions AS r
     INNER JOIN podium.leaderboards AS b ON b.board_id = r.board_id
     WHERE b.exam_id = @exam AND r.revision = 3),
    CONCAT('settings 0 user:', @admin), 'the history says who changed them');
CALL podium_tap.is(
    (SELECT r.details FROM podium.leaderboard_revisions AS r
     INNER JOIN podium.leaderboards AS b ON b.board_id = r.board_id
     WHERE b.exam_id = @exam AND r.revision = 3),
    CAST('{"new": {"board_names": "hidden", "board_access": "participants",
                   "submissions_by": "graders"},
           "old": {"board_names": "full", "board_access": "signed_in",
                   "submissions_by": "candidates"}}' AS JSON),
    'from what to what, and nothing that stayed');
CALL podium.update_exam(
    @exam,
    '{"board_names": "hidden", "board_access": "participants", "submissions_by": "graders"}',
    @admin);
CALL podium_tap.is(podium_tap.got('revision'), '3', 'the same again changes nothing');
CALL podium.update_exam(@exam, '{}', NULL);
CALL podium_tap.is(podium_tap.got('revision'), '3', 'neither does no change');

-- Title and attempts
CALL podium.update_exam(@exam, '{"title": "Fïnals", "max_attempts": 3}', NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('title'), podium_tap.got('max_attempts'),
              podium_tap.got('board_names')),
    'Fïnals 3 hidden', 'title and attempts change, the rest stays');
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got('exam_title'), 'Fïnals', 'the board has the new title');
CALL podium_tap.is(podium_tap.got('revision'), '4', 'of a new revision, for caches to see');

-- The policy chooses anew
CALL podium_tap.is(podium_tap.got_at(2, 1, 'total_score'), '45.0000', 'the best attempt counts');
CALL podium.update_exam(@exam, '{"attempt_policy": "latest"}', NULL);
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got_at(2, 1, 'total_score'), '25.0000',
    'under another policy another attempt counts');
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'check_leaderboard finds no difference');
CALL podium_tap.score(@first, 'quiz', 100, 1);
CALL podium.get_entry(@exam, @alice);
CALL podium_tap.is(podium_tap.got('session_id'), @second, 'and later submissions keep to it');

-- Weights, beside other things
CALL podium.update_exam(
    @exam,
    '{"weights": {"coding": 33.34, "quiz": 33.33, "assessment": 33.33}, "title": "T"}', NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('title'), podium_tap.got('weight_coding'),
              podium_tap.got('weight_quiz'), podium_tap.got('weight_assessment')),
    'T 33.34 33.33 33.33', 'weights change with the rest');
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got_at(2, 1, 'total_score'), '16.6700', 'and so does the board');
CALL podium.update_exam(@exam, '{"weights": {"coding": 50, "quiz": 16.67}}', NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('weight_coding'), podium_tap.got('weight_quiz'),
              podium_tap.got('weight_assessment')),
    '50.00 16.67 33.33', 'a module that is left out keeps its weight');
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'check_leaderboard finds no difference');

-- The schedule, whatever the zone of the session
SET time_zone = '-11:00';
CALL podium.update_exam(
    @exam,
    '{"starts_at": "2026-03-29T02:30:00+02:00", "ends_at": "2099-12-01 09:00", "duration_sec": 60}',
    NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('starts_at'), podium_tap.got('ends_at'),
              podium_tap.got('duration_sec')),
    '2026-03-29 00:30:00 2099-12-01 09:00:00 60', 'times are read with their offset, else as UTC');
SET time_zone = DEFAULT;
CALL podium.get_session(@second);
CALL podium_tap.is(
    podium_tap.got('deadline_at'), CAST(CAST(@started AS DATETIME(6)) + INTERVAL 1 MINUTE AS CHAR),
    'a duration gives the attempt in progress a deadline');
CALL podium.get_session(@first);
CALL podium_tap.is(podium_tap.got('deadline_at'), NULL, 'a finished one keeps what it had');
CALL podium.update_exam(@exam, '{"duration_sec": null}', NULL);
CALL podium.get_session(@second);
CALL podium_tap.is(podium_tap.got('deadline_at'), '2099-12-01 09:00:00',
    'null takes the duration away: the end is the deadline');
CALL podium.update_exam(@exam, '{"ends_at": "2099-12-01T10:00:00.25Z"}', NULL);
CALL podium.get_session(@second);
CALL podium_tap.is(podium_tap.got('deadline_at'), '2099-12-01 10:00:00.250000',
    'a moved end moves the deadline');
CALL podium_tap.is(
    (SELECT r.details FROM podium.leaderboard_revisions AS r
     INNER JOIN podium.leaderboards AS b
         ON b.board_id = r.board_id AND b.revision = r.revision
     WHERE b.exam_id = @exam),
    CAST('{"new": {"ends_at": "2099-12-01 10:00:00.250000"},
           "old": {"ends_at": "2099-12-01 09:00:00.000000"}}' AS JSON),
    'in a revision that names old and new');
CALL podium.update_exam(@exam, '{"starts_at": null, "ends_at": null}', NULL);
CALL podium.get_session(@second);
CALL podium_tap.is(podium_tap.got('deadline_at'), NULL, 'without an end there is none');

-- An expired attempt comes alive again
CALL podium.update_exam(@exam, '{"submissions_by": "candidates"}', NULL);
CALL podium.update_exam(@exam, '{"ends_at": "2026-01-01T00:00Z"}', NULL);
CALL podium_tap.throws(
    'CALL podium.submit_score(@second, ''quiz'', 1, 1, 1, NULL, NULL, NULL, @alice)', 50302,
    'deadline_passed', 'an end in the past closes the attempt');
CALL podium_tap.join_podium('carol', 'candidate', @carol);
CALL podium_tap.throws(
    'CALL podium.start_session(@exam, @carol, NULL)', 50208, 'exam_ended', 'and the exam');
CALL podium.update_exam(@exam, '{"ends_at": "2099-01-01T00:00Z"}', NULL);
CALL podium.submit_score(@second, 'quiz', 1, 1, 1, NULL, NULL, NULL, @alice);
CALL podium_tap.is(podium_tap.got('weighted_quiz'), '16.6700', 'a later one opens it again');
CALL podium.verify_audit(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'the chain holds');

-- Refusals
SET @before = podium_tap.state_of(@exam);
CALL podium_tap.throws(
    'CALL podium.update_exam(0, ''{}'', NULL)', 50200, 'exam_not_found: exam 0 does not exist',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, NULL, NULL)', 50209,
    'changes_invalid: the changes must be a JSON object', 'changes are an object, not NULL');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''["title"]'', NULL)', 50209, 'changes_invalid',
    'nor an array');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"titel": "x"}'', NULL)', 50209,
    'changes_invalid: titel is no setting of an exam', 'what is no setting is named');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"Title": "x"}'', NULL)', 50209,
    'changes_invalid: Title is no setting', 'case counts');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"title": 7}'', NULL)', 50209,
    'changes_invalid: title must be text', 'a number is no title');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"title": null}'', NULL)', 50209,
    'changes_invalid: title must be text', 'nor is null');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"title": " "}'', NULL)', 50202, 'title_invalid',
    'a title is more than a blank');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"max_attempts": 1.5}'', NULL)', 50209,
    'changes_invalid: max_attempts must be a whole number', 'attempts are whole');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"max_attempts": 1001}'', NULL)', 50203,
    'max_attempts_invalid', 'up to 1000');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"attempt_policy": "Best"}'', NULL)', 50204,
    'attempt_policy_invalid', 'the policy is one of three');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"starts_at": "2099-01-01T00:00Z"}'', NULL)', 50205,
    'schedule_invalid', 'a start is held against the end that stands');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"ends_at": "2027-02-29T00:00Z"}'', NULL)', 50015,
    'time_invalid: ends_at must be a time', 'a day must exist');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"ends_at": "tomorrow"}'', NULL)', 50015,
    'time_invalid: ends_at must be a time', 'and be written as one');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"duration_sec": 0}'', NULL)', 50206, 'duration_invalid',
    'a duration is above 0');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"weights": {"coding": 51}}'', NULL)', 50201,
    'weights_invalid: the weights sum to 101.00', 'weights sum to 100');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"weights": {"essay": 0}}'', NULL)', 50201,
    'weights_invalid: the modules are', 'of modules that exist');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"submissions_by": "all"}'', NULL)', 50210,
    'submissions_by_invalid', 'who submits is one of two');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"board_access": "Staff"}'', NULL)', 50211,
    'board_access_invalid', 'who reads one of four');
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{"title": "y", "board_names": "initials"}'', NULL)', 50212,
    'board_names_invalid', 'what names one of three');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.update_exam(@exam, ''{}'', NULL)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;
CALL podium_tap.is(podium_tap.state_of(@exam), @before, 'what was refused changed nothing');
CALL podium.get_exam(@exam);
CALL podium_tap.is(podium_tap.got('title'), 'T', 'not even the good half of a change');

CALL podium_tap.finish();

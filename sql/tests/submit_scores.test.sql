-- submit_scores: each item of an array gets the result it would have got alone, in order.
CALL podium_tap.plan(80);

CALL podium_tap.join_podium('staff', 'moderator', @staff);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @a);
CALL podium_tap.enter(@exam, 'bob', @bob, @b);

-- The three modules of the example in one array.
SET @array = JSON_ARRAY(
    podium_tap.item(@a, 'coding', 85.5, 2400), podium_tap.item(@a, 'quiz', 90, 900),
    podium_tap.item(@a, 'assessment', 70, 900));
CALL podium.submit_scores(@array, @alice);
CALL podium_tap.is(podium_tap.column_of(1, 'item_no'), '0 1 2',
    'an array is answered item by item, from 0');
CALL podium_tap.is(podium_tap.column_of(1, 'status'), '200 200 200', 'all are accepted');
CALL podium_tap.is(podium_tap.column_of(1, 'version'), '1 2 3', 'each is a version of its session');
CALL podium_tap.is(podium_tap.column_of(1, 'revision'), '1 1 1',
    'together they are one revision of the board');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('weighted_coding'), podium_tap.got('weighted_quiz'),
              podium_tap.got('weighted_assessment'), podium_tap.got('total_score')),
    '42.7500 27.0000 14.0000 83.7500', '42.75, 27 and 14 are 83.75');
CALL podium_tap.is(
    (SELECT GROUP_CONCAT(CONCAT(a.old_total_score, '>',
    a.new_total_score) ORDER BY a.item_no SEPARATOR ' ')
     FROM podium.score_audit_log AS a WHERE a.session_id = @a),
    '0.0000>42.7500 42.7500>69.7500 69.7500>83.7500',
    'the audit log tells what each of them did to the total');

-- One bad item costs its neighbours nothing.
SET @array = JSON_ARRAY(
    podium_tap.item(0, 'coding', 1, 1),
    podium_tap.item(@b, 'coding', 90, 100),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.raw_score', 101),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.max_score', 0),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.time_spent_sec', -1),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.module_type', 'essay'),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.details', CAST('[]' AS JSON)),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.expected_version', -1),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.submission_id', ''),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.actor_id', @alice),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.actor_id', 0),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.actor_role', 'root'),
    JSON_SET(podium_tap.item(@b, 'quiz', 1, 1), '$.expected_version', 7),
    podium_tap.item(@b, 'assessment', 50, 100));
CALL podium.submit_scores(@array, @staff);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'),
    'session_not_found NULL raw_score_invalid max_score_invalid time_spent_invalid module_unknown '
    'details_invalid expected_version_invalid submission_id_invalid session_not_found '
    'actor_not_found role_invalid version_conflict NULL',
    'each bad item is told what is wrong with it');
CALL podium_tap.is(
    podium_tap.column_of(1, 'status'), '404 200 422 422 422 422 422 422 422 404 404 422 409 200',
    'with its status');
CALL podium_tap.is(podium_tap.got_at(1, 13, 'current_version'), '1',
    'a conflict tells the current version');
CALL podium_tap.is(
    podium_tap.got_at(1, 13, 'message'),
    CONCAT('version_conflict: session ', @b, ' is at version 1, not 7'), 'in words too');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got_at(1, 14, 'version'), podium_tap.got_at(1, 14, 'total_score')),
    '2 55.0000',
    'the good ones are accepted');
CALL podium_tap.is(podium_tap.got_at(1, 1, 'rank'), NULL, 'a refused one has no rank');
CALL podium_tap.is(
    (SELECT COUNT(*) FROM podium.score_audit_log AS a WHERE a.session_id = @b), 2,
    'and leaves no audit row');

-- What is no submission at all is refused for itself.
SET @before = podium_tap.state_of(@exam);
CALL podium.submit_scores(
    '[null, 1, "x", true, [], {}, [{"session_id": 1}], 1e300]', NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'),
    CONCAT(REPEAT('submissions_invalid ', 5), 'module_unknown',
           REPEAT(' submissions_invalid', 2)), 'an item is an object');

-- Nothing but a whole number is a session: "1", 1.4 or true never become one.
SET @quiz = podium_tap.item(@a, 'quiz', 1, 1);
SET @array = JSON_ARRAY(
    JSON_SET(@quiz, '$.session_id', CAST(@a AS CHAR)), JSON_SET(@quiz, '$.session_id', @a + 0.4e0),
    JSON_SET(@quiz, '$.session_id', @a + 0.0e0), JSON_SET(@quiz, '$.session_id', JSON_ARRAY(@a)),
    JSON_SET(@quiz, '$.session_id', TRUE), JSON_SET(@quiz, '$.session_id', NULL),
    JSON_SET(@quiz, '$.session_id', -@a), JSON_SET(@quiz, '$.session_id', 1e30),
    JSON_SET(@quiz, '$.session_id', CAST('18446744073709551615' AS JSON)), JSON_REMOVE(@quiz,
    '$.session_id'));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'),
    TRIM(REPEAT('session_not_found ', 10)), 'a session is a whole number');
-- Who cannot be read is nobody; the item is not passed off as the account's own.
SET @array = JSON_ARRAY(
    JSON_SET(@quiz, '$.actor_id', 'x'), JSON_SET(@quiz, '$.actor_id', CAST(@alice AS CHAR)),
    JSON_SET(@quiz, '$.actor_id', @alice + 0.4e0), JSON_SET(@quiz, '$.actor_id', -1),
    JSON_SET(@quiz, '$.actor_id', 1e30), JSON_SET(@quiz, '$.actor_id', CAST('{}' AS JSON)));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), TRIM(REPEAT('actor_not_found ', 6)), 'so is an actor');
CALL podium_tap.ok(podium_tap.column_of(1, 'message') NOT LIKE '%NULL%', 'who is told so');
SET @array = JSON_ARRAY(
    JSON_SET(@quiz, '$.raw_score', '1'), JSON_SET(@quiz, '$.raw_score', TRUE),
    JSON_SET(@quiz, '$.raw_score', CAST('1e308' AS JSON)), JSON_SET(@quiz, '$.raw_score', -1e-20),
    JSON_REMOVE(@quiz, '$.raw_score'), JSON_SET(@quiz, '$.raw_score', JSON_ARRAY(1)));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), TRIM(REPEAT('raw_score_invalid ', 6)), 'a score is a number');
SET @array = JSON_ARRAY(
    JSON_SET(@quiz, '$.max_score', '100'), JSON_SET(@quiz, '$.max_score', TRUE),
    JSON_SET(@quiz, '$.max_score', 1e10), JSON_SET(@quiz, '$.max_score', -1),
    JSON_REMOVE(@quiz, '$.max_score'), JSON_SET(@quiz, '$.max_score', NULL));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), TRIM(REPEAT('max_score_invalid ', 6)), 'so is a maximum');
SET @array = JSON_ARRAY(
    JSON_SET(@quiz, '$.time_spent_sec', '1'), JSON_SET(@quiz, '$.time_spent_sec', 1.5),
    JSON_SET(@quiz, '$.time_spent_sec', 4194304), JSON_SET(@quiz, '$.time_spent_sec', 1e30),
    JSON_REMOVE(@quiz, '$.time_spent_sec'), JSON_SET(@quiz, '$.time_spent_sec', FALSE));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), TRIM(REPEAT('time_spent_invalid ', 6)),
    'a time is a whole number');
SET @array = JSON_ARRAY(
    JSON_SET(@quiz, '$.expected_version', '3'), JSON_SET(@quiz, '$.expected_version', 3.5),
    JSON_SET(@quiz, '$.expected_version', 1e30), JSON_SET(@quiz, '$.expected_version', TRUE));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), TRIM(REPEAT('expected_version_invalid ', 4)),
    'so is a version');
SET @array = JSON_ARRAY(
    JSON_SET(@quiz, '$.submission_id', 5), JSON_SET(@quiz, '$.submission_id', REPEAT('x', 65)),
    JSON_SET(@quiz, '$.submission_id', 'a\nb'), JSON_SET(@quiz, '$.submission_id', '😀'));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), TRIM(REPEAT('submission_id_invalid ', 4)),
    'a submission id is a short string');
SET @array = JSON_ARRAY(
    JSON_SET(@quiz, '$.module_type', 'QUIZ'), JSON_SET(@quiz, '$.module_type', 'quiz '),
    JSON_SET(@quiz, '$.module_type', 'quíz'), JSON_SET(@quiz, '$.module_type', JSON_ARRAY('quiz')),
    JSON_SET(@quiz, '$.module_type', REPEAT('quiz', 100)), JSON_SET(@quiz, '$.module_type', NULL));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), TRIM(REPEAT('module_unknown ', 6)),
    'a module is written as it is named');
CALL podium_tap.is(podium_tap.state_of(@exam), @before, 'none of all these left anything behind');
SET @array = JSON_ARRAY(JSON_MERGE_PATCH(@quiz, '{}'), JSON_SET(
    @quiz, '$.details', CAST('null' AS JSON), '$.expected_version', NULL, '$.submission_id', NULL,
    '$.actor_id', NULL, '$.actor_role', NULL, '$.unknown', 'field'));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'status'), '200 200',
    'what is optional may be null, and unknown fields are passed over');

-- Several items of one session stand in order.
CALL podium_tap.open_exam(@orders);
CALL podium_tap.enter(@orders, 'carol', @carol, @c);
CALL podium_tap.enter(@orders, 'dave', @dave, @d);
SET @array = JSON_ARRAY(
    podium_tap.item(@c, 'coding', 10, 5), podium_tap.item(@c, 'coding', 30, 7),
    podium_tap.item(@c, 'coding', 20, 6));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(podium_tap.column_of(1, 'version'), '1 2 3',
    'each item of one module is a version');
CALL podium_tap.is(podium_tap.column_of(1, 'total_score'), '10.0000 10.0000 10.0000',
    'the last one stands');
CALL podium_tap.is(
    (SELECT GROUP_CONCAT(CONCAT_WS('/', COALESCE(ROUND(a.old_raw_score), '-'),
    ROUND(a.new_raw_score))
                         ORDER BY a.item_no SEPARATOR ' ')
     FROM podium.score_audit_log AS a WHERE a.session_id = @c),
    '-/10 10/30 30/20', 'the audit log tells what each has replaced');
SET @array = JSON_ARRAY(
    JSON_SET(podium_tap.item(@c, 'quiz', 10, 5), '$.expected_version', 3),
    JSON_SET(podium_tap.item(@c, 'quiz', 20, 5), '$.expected_version', 3),
    JSON_SET(podium_tap.item(@c, 'quiz', 30, 5), '$.expected_version', 4),
    JSON_SET(podium_tap.item(@d, 'quiz', 30, 5), '$.expected_version', 0));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'status'), '200 409 200 200',
    'an expected version counts on the items before it');
CALL podium_tap.is(podium_tap.got_at(1, 2, 'current_version'), '4',
    'a conflict among them tells what it has met');
CALL podium_tap.is(podium_tap.column_of(1, 'version'), '4 NULL 5 1',
    'refused items are no versions');
CALL podium_tap.is(
    (SELECT CONCAT_WS(' ', weighted_quiz,
    total_time_sec) FROM podium.exam_sessions WHERE session_id = @c),
    '9.0000 11', 'and leave no score');

-- One submission id twice in one array.
SET @id = podium_tap.name('twice'), @other = podium_tap.name('other');
SET @array = JSON_ARRAY(
    JSON_SET(podium_tap.item(@c, 'assessment', 50, 5), '$.submission_id', @id),
    JSON_SET(podium_tap.item(@c, 'assessment', 50, 5), '$.submission_id', @id),
    JSON_SET(podium_tap.item(@c, 'assessment', 60, 5), '$.submission_id', @id),
    JSON_SET(podium_tap.item(@d, 'assessment', 50, 5), '$.submission_id', @id),
    JSON_SET(podium_tap.item(@d, 'assessment', 101, 5), '$.submission_id', @other),
    JSON_SET(podium_tap.item(@d, 'assessment', 100, 5), '$.submission_id', @other));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'status'), '200 200 409 200 422 200',
    'the first of a session that can be accepted is; others with its id are replays or refused');
CALL podium_tap.is(podium_tap.column_of(1, 'replayed'), '0 1 0 0 0 0',
    'the same payload is a replay');
CALL podium_tap.is(podium_tap.column_of(1, 'version'), '6 6 NULL 2 NULL 3',
    'with the answer of the first');
SET @array = JSON_ARRAY(
    JSON_SET(podium_tap.item(@c, 'assessment', 50.0, 5), '$.submission_id', @id),
    JSON_SET(podium_tap.item(@c, 'assessment', 51, 5), '$.submission_id', @id),
    podium_tap.item(@c, 'coding', 100, 5));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(podium_tap.column_of(1, 'status'), '200 409 200',
    'later arrays know the id too');
CALL podium_tap.is(podium_tap.column_of(1, 'replayed'), '1 0 0', 'a replay beside new ones');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('version'), podium_tap.got('total_score')), '6 29.0000',
    'gets the answer of the first time, not of now');

-- The time of a session is bounded, and a refused item does not hide that.
CALL podium_tap.open_exam(@times);
CALL podium_tap.enter(@times, 'erin', @erin, @e);
SET @array = JSON_ARRAY(
    podium_tap.item(@e, 'coding', 50, 3000000), podium_tap.item(@e, 'quiz', 50, 3000000),
    podium_tap.item(@e, 'quiz', 50, 1000000));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), 'NULL time_spent_invalid NULL',
    'the item that goes past it is refused');
SET @array = JSON_ARRAY(
    podium_tap.item(@e, 'quiz', 60, 3000000), podium_tap.item(@e, 'assessment', 60, -4000000));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), 'time_spent_invalid time_spent_invalid',
    'a negative time beside it makes no room');
CALL podium_tap.is(
    (SELECT total_time_sec FROM podium.exam_sessions WHERE session_id = @e), 4000000,
    'the session stays as it was');

-- Several exams in one array: each board is a revision further, with its own ranks.
CALL podium_tap.open_exam(@x);
CALL podium_tap.open_exam(@y);
CALL podium_tap.enter(@x, 'frank', @frank, @fx);
CALL podium.start_session(@y, @frank, NULL);
SET @fy = podium_tap.got('session_id');
CALL podium_tap.enter(@y, 'grace', @grace, @gy);
SET @array = JSON_ARRAY(
    podium_tap.item(@fy, 'coding', 50, 5), podium_tap.item(@fx, 'coding', 40, 5),
    podium_tap.item(@gy, 'coding', 60, 5), podium_tap.item(@fx, 'quiz', 40, 5));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'exam_id'), CONCAT_WS(' ', @y, @x, @y, @x),
    'an array may hold several exams');
CALL podium_tap.is(podium_tap.column_of(1, 'revision'), '1 1 1 1', 'each board gets one revision');
CALL podium_tap.is(podium_tap.column_of(1, 'rank'), '2 1 1 1',
    'and each candidate the rank on his own board');

-- Several attempts: one whole attempt counts.
CALL podium_tap.open_exam_with(3, 'best', @best);
CALL podium_tap.open_exam_with(3, 'latest', @latest);
CALL podium_tap.open_exam_with(3, 'first', @first);
CALL podium_tap.join_podium('heidi', 'candidate', @heidi);
CALL podium.start_session(@best, @heidi, NULL);
SET @best1 = podium_tap.got('session_id');
CALL podium.finish_session(@best1, NULL);
CALL podium.start_session(@best, @heidi, NULL);
SET @best2 = podium_tap.got('session_id');
SET @array = JSON_ARRAY(
    podium_tap.item(@best1, 'coding', 80, 100), podium_tap.item(@best2, 'quiz', 90, 5));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('total_score'), podium_tap.got('total_time_sec'),
              podium_tap.got('weighted_quiz')), '40.0000 100 0.0000',
    'best: the better attempt counts whole, never parts of two');
CALL podium_tap.is(
    podium_tap.column_of(1, 'session_id'), CONCAT_WS(' ', @best1, @best2),
    'though each item has its own session');
CALL podium_tap.score(@best2, 'coding', 80, 200);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('total_score'), podium_tap.got('total_time_sec')), '67.0000 205',
    'best: the other one once it is better');
CALL podium_tap.score(@best2, 'coding', 0, 200);
CALL podium_tap.is(podium_tap.got('total_score'), '40.0000',
    'best: and back when it is not any more');
CALL podium_tap.score(@best2, 'coding', 26, 5);
CALL podium_tap.is(
    podium_tap.got('total_time_sec'), '10', 'best: of equal scores the quicker attempt');
CALL podium.start_session(@latest, @heidi, NULL);
SET @latest1 = podium_tap.got('session_id');
CALL podium_tap.score(@latest1, 'coding', 80, 5);
CALL podium.finish_session(@latest1, NULL);
CALL podium.start_session(@latest, @heidi, NULL);
SET @latest2 = podium_tap.got('session_id');
CALL podium.get_entry(@latest, @heidi);
CALL podium_tap.is(podium_tap.got('attempt_no'), '1',
    'latest: an attempt without a score does not count yet');
CALL podium_tap.score(@latest2, 'coding', 10, 5);
CALL podium_tap.is(podium_tap.got('total_score'), '5.0000',
    'latest: the first score of the new one does, though worse');
CALL podium_tap.score(@latest1, 'coding', 100, 5);
CALL podium_tap.is(podium_tap.got('total_score'), '5.0000',
    'latest: late grading of the old one changes no entry');
CALL podium.start_session(@first, @heidi, NULL);
SET @first1 = podium_tap.got('session_id');
CALL podium.finish_session(@first1, NULL);
CALL podium.start_session(@first, @heidi, NULL);
SET @first2 = podium_tap.got('session_id');
CALL podium_tap.score(@first2, 'coding', 80, 5);
CALL podium_tap.is(podium_tap.got('total_score'), '40.0000', 'first: the first that has a score');
CALL podium_tap.score(@first1, 'coding', 10, 5);
CALL podium_tap.is(podium_tap.got('total_score'), '5.0000', 'first: an earlier one once it has');
CALL podium.get_leaderboard(@first, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.got('total_participants'), '1',
    'a candidate has one entry, whatever his attempts');

-- Deadlines, by the database's clock, which cannot be set: what is moved is the deadline.
CALL podium.create_exam_once(
    '{"title": "An hour", "duration_sec": 3600, "submissions_by": "candidates"}', NULL, NULL);
SET @hour = podium_tap.got('exam_id');
CALL podium_tap.enter(@hour, 'ivan', @ivan, @i);
SET @array = JSON_ARRAY(podium_tap.item(@i, 'coding', 50, 5));
CALL podium.submit_scores(@array, @ivan);
CALL podium_tap.is(podium_tap.got('status'), '200', 'a candidate submits until the deadline');
UPDATE podium.exam_sessions SET deadline_at = UTC_TIMESTAMP(6) WHERE session_id = @i;
SET @array = JSON_ARRAY(
    podium_tap.item(@i, 'coding', 60, 5),
    JSON_SET(podium_tap.item(@i, 'coding', 70, 5), '$.actor_id', @staff),
    JSON_SET(podium_tap.item(@i, 'coding', 80, 5), '$.actor_id', @ivan, '$.actor_role',
    'candidate'));
CALL podium.submit_scores(@array, @ivan);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'), 'deadline_passed NULL deadline_passed',
    'and not after it; staff do');
CALL podium.finish_session(@i, NULL);
SET @array = JSON_ARRAY(podium_tap.item(@i, 'coding', 50, 5));
CALL podium.submit_scores(@array, @ivan);
CALL podium_tap.is(podium_tap.got('code'), 'session_finished',
    'after the end of his session it is that he is told');

-- Sizes.
CALL podium.submit_scores('[]', NULL);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'an empty array has an empty answer');
CALL podium_tap.throws(
    'CALL podium.submit_scores(NULL, NULL)', 50409,
    'submissions_invalid: submissions must be a JSON array',
    'NULL is no array');
CALL podium_tap.throws(
    'CALL podium.submit_scores(''{}'', NULL)', 50409, 'submissions_invalid',
    'neither is an object');
CALL podium_tap.throws(
    'CALL podium.submit_scores(''null'', NULL)', 50409, 'submissions_invalid',
    'nor the null of JSON');
CALL podium_tap.throws(
    'CALL podium.submit_scores(''[{'', NULL)', 3140, 'Invalid JSON text',
    'what is no JSON is told by the server');
CALL podium_tap.open_exam(@large);
CALL podium_tap.enter(@large, 'judy', @judy, @j);
SET @array = CONCAT('[', REPEAT(CONCAT(podium_tap.item(@j, 'coding', 50, 5), ','), 999),
                    podium_tap.item(@j, 'coding', 60, 5), ']');
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.rows_in(1), podium_tap.got_at(1, 1000, 'version'),
    podium_tap.got('total_score')),
    '1000 1000 30.0000', 'a thousand items go in one array');
SET @item = JSON_SET(
    podium_tap.item(@j, 'coding', 60, 5), '$.submission_id', podium_tap.name('often'));
SET @array = CONCAT('[', REPEAT(CONCAT(@item, ','), 999), @item, ']');
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got_at(1, 1, 'replayed'), podium_tap.got_at(1, 2, 'replayed'),
              podium_tap.got_at(1, 1000, 'replayed'), podium_tap.got_at(1, 1000, 'version')),
    '0 1 1 1001', 'a thousand of one id are one submission and its replays');
SET @array = CONCAT('[', REPEAT(CONCAT(podium_tap.item(@j, 'coding', 50, 5), ','), 1000),
                    podium_tap.item(@j, 'coding', 60, 5), ']');
CALL podium_tap.throws(
    'CALL podium.submit_scores(@array, NULL)', 50012,
    'too_many_items: 1001 submissions, at most 1000',
    'a thousand and one do not');

-- The id of the request an item came with.
SET @id = podium_tap.name('asked');
SET @item = JSON_SET(podium_tap.item(@j, 'quiz', 50, 5), '$.submission_id', @id);
SET @array = JSON_ARRAY(JSON_SET(@item, '$.request_id', 'first.Request_1-a'),
                        podium_tap.item(@j, 'quiz', 60, 5));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    (SELECT GROUP_CONCAT(COALESCE(request_id, 'none') ORDER BY item_no) FROM podium.score_audit_log
     WHERE session_id = @j AND module_type = 'quiz'),
    'first.Request_1-a,none', 'each item keeps the id of its own request');
SET @array = JSON_ARRAY(JSON_SET(@item, '$.request_id', 'second'),
                        JSON_SET(@item, '$.request_id', CAST('null' AS JSON)));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(podium_tap.column_of(1, 'replayed'), '1 1',
    'which does not tell a replay from the first');
CALL podium_tap.is(
    (SELECT request_id FROM podium.score_audit_log WHERE submission_id = @id),
    'first.Request_1-a', 'whose id stays');
SET @array = JSON_ARRAY(
    JSON_SET(podium_tap.item(@j, 'quiz', 1, 1), '$.request_id', ''),
    JSON_SET(podium_tap.item(@j, 'quiz', 1, 1), '$.request_id', REPEAT('r', 65)),
    JSON_SET(podium_tap.item(@j, 'quiz', 1, 1), '$.request_id', 'two words'),
    JSON_SET(podium_tap.item(@j, 'quiz', 1, 1), '$.request_id', CONCAT('a', CHAR(10))),
    JSON_SET(podium_tap.item(@j, 'quiz', 1, 1), '$.request_id', 1),
    JSON_SET(podium_tap.item(@j, 'quiz', 1, 1), '$.request_id', REPEAT('r', 64)));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(podium_tap.column_of(1, 'code'),
    CONCAT(REPEAT('request_id_invalid ', 5), 'NULL'), 'and is checked like its neighbours');
CALL podium_tap.is(podium_tap.got('message'),
    'request_id_invalid: request_id must be 1 to 64 letters, digits, dots, dashes and underscores',
    'in words that help');

START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.submit_scores(''[]'', NULL)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;

SET @problems = 0;
CALL podium.check_leaderboard(@exam);
SET @problems = @problems + podium_tap.rows_in(1);
CALL podium.check_leaderboard(@orders);
SET @problems = @problems + podium_tap.rows_in(1);
CALL podium.check_leaderboard(@best);
SET @problems = @problems + podium_tap.rows_in(1);
CALL podium.check_leaderboard(@latest);
SET @problems = @problems + podium_tap.rows_in(1);
CALL podium.check_leaderboard(@first);
SET @problems = @problems + podium_tap.rows_in(1);
CALL podium.check_leaderboard(@large);
SET @problems = @problems + podium_tap.rows_in(1);
CALL podium_tap.is(@problems, 0, 'check_leaderboard finds no difference on any of these boards');
CALL podium.verify_audit(@large);
CALL podium_tap.is(podium_tap.rows_in(1), 0,
    'verify_audit finds nothing, in a revision of a thousand rows either');

-- Who submits, and where.
CALL podium_tap.join_podium('viewer', 'viewer', @viewer);
CALL podium_tap.join_podium('grader', 'grader', @grader);
CALL podium_tap.open_exam(@own);
CALL podium_tap.open_exam(@closed);
CALL podium_tap.enter(@own, 'dan', @dan, @dans);
CALL podium_tap.enter(@closed, 'eve', @eve, @eves);
CALL podium.submit_score(@eves, 'coding', 1, 2, 3, NULL, NULL, 'before', @eve);
CALL podium.update_exam(@closed, '{"submissions_by": "graders"}', NULL);
SET @array = JSON_ARRAY(
    JSON_SET(podium_tap.item(@dans, 'quiz', 1, 1), '$.actor_id', @dan),
    JSON_SET(podium_tap.item(@eves, 'quiz', 1, 1), '$.actor_id', @eve),
    JSON_SET(podium_tap.item(@eves, 'quiz', 1, 1), '$.actor_id', @viewer),
    JSON_SET(podium_tap.item(0, 'quiz', 1, 1), '$.actor_id', @viewer),
    JSON_SET(podium_tap.item(@eves, 'quiz', 1, 1), '$.actor_id', @dan),
    JSON_SET(podium_tap.item(0, 'quiz', 1, 1), '$.actor_id', @dan),
    JSON_SET(podium_tap.item(@eves, 'quiz', 1, 1), '$.actor_id', @grader),
    JSON_SET(podium_tap.item(@eves, 'quiz', 1, 1), '$.actor_id', @grader,
             '$.actor_exam_ids', JSON_ARRAY(@own)),
    JSON_SET(podium_tap.item(@dans, 'quiz', 2, 1), '$.actor_id', @grader,
             '$.actor_exam_ids', JSON_ARRAY(@own)),
    JSON_SET(podium_tap.item(@eves, 'quiz', 1, 1), '$.actor_id', 999999999,
             '$.actor_role', 'candidate'));
CALL podium.submit_scores(@array, NULL);
CALL podium_tap.is(
    podium_tap.column_of(1, 'code'),
    'NULL forbidden forbidden forbidden session_not_found session_not_found NULL session_not_found '
    'NULL session_not_found', 'candidates where the exam says so, graders everywhere they may');
CALL podium_tap.is(
    podium_tap.got_at(1, 2, 'message'),
    CONCAT('forbidden: exam ', @closed, ' takes scores from graders only'),
    'whoever may not is told why');
CALL podium_tap.is(
    REPLACE(podium_tap.got_at(1, 5, 'message'), @eves, 0), podium_tap.got_at(1, 6, 'message'),
    'of a session of somebody else the same as of none');
CALL podium_tap.is(
    CONCAT_WS(' ', COALESCE(podium_tap.got_at(1, 5, 'exam_id'), '-'),
              COALESCE(podium_tap.got_at(1, 5, 'user_id'), '-')), '- -',
    'and nothing of whose it is');
CALL podium.submit_score(@eves, 'coding', 1, 2, 3, NULL, NULL, 'before', @eve);
CALL podium_tap.is(podium_tap.got('replayed'), '1',
    'what was accepted before is replayed to its candidate');
CALL podium_tap.throws(
    'CALL podium.submit_score(@eves, ''coding'', 2, 2, 3, NULL, NULL, NULL, @eve)', 50006,
    'forbidden: exam ', 'and nothing new is taken');

CALL podium_tap.finish();

-- get_audit_trail: every accepted submission, in commit order.
CALL podium_tap.plan(22);

CALL podium_tap.join_podium('staff', 'admin', @staff);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.open_exam(@other);
CALL podium_tap.enter(@exam, 'alice', @alice, @a);
CALL podium_tap.enter(@exam, 'bob', @bob, @b);
CALL podium_tap.enter(@other, 'carol', @carol, @c);
CALL podium.get_audit_trail(@exam, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'a new exam has no history');

SET @id = podium_tap.name('submission');
CALL podium.submit_score(@a, 'coding', 85.5, 100, 2400, '{"passed": 17}', NULL, @id, @alice);
CALL podium_tap.score(@c, 'coding', 1, 1);
SET @array = JSON_ARRAY(
    podium_tap.item(@b, 'quiz', 90, 900), podium_tap.item(@c, 'quiz', 1, 1),
    JSON_SET(podium_tap.item(@a, 'coding', 100, 1000), '$.request_id', 'asked-1'),
    podium_tap.item(@b, 'quiz', 101, 1));
CALL podium.submit_scores(@array, @staff);

CALL podium.get_audit_trail(@exam, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.column_of(1, 'session_id'), CONCAT_WS(' ', @a, @b, @a),
    'accepted submissions of the exam');
CALL podium_tap.is(podium_tap.column_of(1, 'revision'), '1 2 2', 'come in commit order');
CALL podium_tap.ok(
    podium_tap.got_at(1, 1, 'audit_id') < podium_tap.got_at(1, 2, 'audit_id')
    AND podium_tap.got_at(1, 2, 'audit_id') < podium_tap.got_at(1, 3, 'audit_id'),
    'which is that of audit_id');
CALL podium_tap.is(
    podium_tap.column_of(1, 'actor'), CONCAT('user:', @alice, ' user:', @staff, ' user:', @staff),
    'with who submitted');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('submission_id'), podium_tap.got('exam_id'),
    podium_tap.got('user_id'),
              podium_tap.got('module_type'), podium_tap.got('actor_id'), podium_tap.got('version'),
              podium_tap.got('new_weighted_score'), podium_tap.got('new_time_spent_sec'),
              podium_tap.got('rank'),
              podium_tap.got('details')),
    CONCAT_WS(' ', @id, @exam, @alice, 'coding', @alice, '1 42.7500 2400 1 {"passed": 17}'),
    'and all that it was');
CALL podium_tap.is(podium_tap.got('old_raw_score'), NULL, 'a first score has replaced none');
CALL podium_tap.is(podium_tap.column_of(1, 'request_id'), 'NULL NULL asked-1',
    'the request it came with is told, where it came with one');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got_at(1, 3, 'old_weighted_score'), podium_tap.got_at(1, 3,
    'new_weighted_score'),
              podium_tap.got_at(1, 3, 'old_total_score'), podium_tap.got_at(1, 3,
              'new_total_score')),
    '42.7500 50.0000 42.7500 50.0000', 'a second tells what it has replaced');
SET @first = podium_tap.got_at(1, 1, 'audit_id'), @second = podium_tap.got_at(1, 2, 'audit_id'),
    @third = podium_tap.got_at(1, 3, 'audit_id');

CALL podium.get_audit_trail(@exam, NULL, NULL, 1);
CALL podium_tap.is(podium_tap.column_of(1, 'audit_id'), @first, 'page by page');
CALL podium.get_audit_trail(@exam, NULL, @first, 1);
CALL podium_tap.is(podium_tap.column_of(1, 'audit_id'), @second,
    'going on behind the last one seen');
CALL podium.get_audit_trail(@exam, NULL, @second, 1000);
CALL podium_tap.is(podium_tap.column_of(1, 'audit_id'), @third, 'amid a revision too');
CALL podium.get_audit_trail(@exam, NULL, @third, 10);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'until there is no more');
CALL podium.get_audit_trail(@exam, @a, NULL, 10);
CALL podium_tap.is(podium_tap.column_of(1, 'audit_id'), CONCAT_WS(' ', @first, @third),
    'of one session alone');
CALL podium.get_audit_trail(@exam, @a, @first, 10);
CALL podium_tap.is(podium_tap.column_of(1, 'audit_id'), @third, 'page by page as well');
CALL podium.get_audit_trail(@other, NULL, NULL, 10);
CALL podium_tap.is(podium_tap.column_of(1, 'session_id'), CONCAT_WS(' ', @c, @c),
    'each exam has its own history');

CALL podium_tap.throws(
    'CALL podium.get_audit_trail(0, NULL, NULL, 10)', 50200,
    'exam_not_found: exam 0 does not exist',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.get_audit_trail(NULL, NULL, NULL, 10)', 50200,
    'exam_not_found: exam NULL does not exist', 'and be given');
CALL podium_tap.throws(
    'CALL podium.get_audit_trail(@exam, 0, NULL, 10)', 50300,
    'session_not_found: session 0 does not exist in exam',
    'so must a session that is named');
CALL podium_tap.throws(
    'CALL podium.get_audit_trail(@exam, @c, NULL, 10)', 50300,
    CONCAT('session_not_found: session ', @c),
    'in that exam, not in another');
CALL podium_tap.throws(
    'CALL podium.get_audit_trail(@exam, NULL, NULL, 0)', 50504,
    'limit_invalid: limit must be 1 to 1000',
    'a page holds something');
CALL podium_tap.throws(
    'CALL podium.get_audit_trail(@exam, NULL, NULL, 1001)', 50504, 'limit_invalid',
    'and no more than a thousand');

CALL podium_tap.finish();

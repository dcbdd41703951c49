-- verify_audit: walks the hash chain. What it says after tampering needs the triggers dropped:
--               tests/test_sql.py.
CALL podium_tap.plan(13);

CALL podium_tap.join_podium('admin', 'admin', @admin);
CALL podium_tap.open_exam(@exam);
CALL podium.verify_audit(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'no history is sound');

CALL podium_tap.enter(@exam, 'alice', @alice, @a);
CALL podium_tap.enter(@exam, 'bob', @bob, @b);
CALL podium_tap.score(@a, 'coding', 80, 100);
CALL podium.submit_score(@b, 'coding', 70, 100, 5, '{"b": {"z": [1, 2.50, "é😀"]}, "a": null}',
    NULL, NULL, @bob);
CALL podium.update_exam_weights(@exam, 33.34, 33.33, 33.33, @admin);
CALL podium.recalculate_leaderboard(@exam, NULL);
SET @array = JSON_ARRAY(
    podium_tap.item(@a, 'quiz', 1, 1), podium_tap.item(@b, 'quiz', 2, 1), podium_tap.item(@a,
    'quiz', 3, 1));
CALL podium.submit_scores(@array, @admin);
CALL podium.verify_audit(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0,
    'nor is anything wrong with what the procedures wrote');
CALL podium_tap.is(
    JSON_REMOVE(JSON_EXTRACT(@result, '$[1][0]'), '$.head_hash'), JSON_OBJECT(
        'verdict', 'all is well', 'revisions', '5', 'submissions', '5', 'sessions', '2'),
    'a row says so, with what was checked');
CALL podium_tap.is(
    JSON_UNQUOTE(JSON_EXTRACT(@result, '$[1][0].head_hash')),
    (SELECT HEX(head_hash) FROM podium.leaderboards WHERE exam_id = @exam),
    'and the head of the chain');
CALL podium_tap.is(
    (SELECT GROUP_CONCAT(CONCAT(r.revision, r.reason,
    r.submissions) ORDER BY r.revision SEPARATOR ' ')
     FROM podium.leaderboard_revisions AS r
     INNER JOIN podium.leaderboards AS b ON b.board_id = r.board_id WHERE b.exam_id = @exam),
    '1submissions1 2submissions1 3weights0 4recalculation0 5submissions3',
    'revisions have no gaps');

UPDATE podium.exam_sessions SET version = version + 1 WHERE session_id = @a;
CALL podium.verify_audit(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('revision'), podium_tap.got('problem')),
    CONCAT('5 session ', @a, ' is at version 4 after 3 audit rows'),
    'a version without a submission is found');
UPDATE podium.exam_sessions SET version = version - 1 WHERE session_id = @a;

UPDATE podium.leaderboards SET revision = 6 WHERE exam_id = @exam;
CALL podium.verify_audit(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('revision'), podium_tap.got('problem')),
    '6 the board does not stand at the end of its history', 'so is a board ahead of its history');
UPDATE podium.leaderboards SET revision = 5, head_hash = REVERSE(head_hash) WHERE exam_id = @exam;
CALL podium.verify_audit(@exam);
CALL podium_tap.is(podium_tap.got('revision'), '5',
    'and a head that is not that of the last revision');
UPDATE podium.leaderboards SET head_hash = REVERSE(head_hash) WHERE exam_id = @exam;

UPDATE podium.module_scores SET raw_score = 99 WHERE session_id = @b AND module_type = 'coding';
CALL podium.verify_audit(@exam);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('revision'), podium_tap.got('problem')),
    CONCAT('5 the coding score of session ', @b, ' is not the one that was submitted last'),
    'a raw score that no submission wrote is found');
UPDATE podium.module_scores SET raw_score = 70 WHERE session_id = @b AND module_type = 'coding';
CALL podium.verify_audit(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'put right, all is sound again');

CALL podium_tap.throws(
    'CALL podium.verify_audit(0)', 50200, 'exam_not_found: exam 0 does not exist',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.verify_audit(NULL)', 50200, 'exam_not_found: exam NULL does not exist',
    'and be given');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.verify_audit(@exam)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;

CALL podium_tap.finish();

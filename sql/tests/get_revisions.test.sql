-- get_revisions: where a board stands, and the changes that led there.
CALL podium_tap.plan(25);

CALL podium_tap.join_podium('staff', 'admin', @staff);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.open_exam(@other);
CALL podium_tap.enter(@exam, 'alice', @alice, @a);
CALL podium_tap.enter(@exam, 'bob', @bob, @b);
CALL podium_tap.enter(@other, 'carol', @carol, @c);

CALL podium.get_revisions(@exam, NULL, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('exam_id'), podium_tap.got('revision'),
    podium_tap.got('total_participants')),
    CONCAT(@exam, ' 0 0'), 'a new board stands at 0');
CALL podium_tap.is(podium_tap.rows_in(2), 0, 'and nothing led there');
SET @made = podium_tap.got('epoch');
CALL podium_tap.is(podium_tap.got('after_epoch'), NULL, 'who has seen nothing knows no epoch');
CALL podium.get_revisions(@exam, 0, NULL);
CALL podium_tap.is(
    podium_tap.got('after_epoch'), @made, 'revision 0 has the epoch of the new board');

CALL podium_tap.score(@a, 'coding', 85, 100);
CALL podium_tap.score(@c, 'coding', 1, 1);
SET @array = JSON_ARRAY(
    podium_tap.item(@a, 'quiz', 90, 900), podium_tap.item(@b, 'quiz', 80, 900));
CALL podium.submit_scores(@array, @staff);
CALL podium.update_exam_weights(@exam, 40, 40, 20, @staff);
CALL podium.recalculate_leaderboard(@exam, @staff);

CALL podium.get_revisions(@exam, NULL, NULL);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('revision'), podium_tap.got('total_participants')), '4 2',
    'it stands where the last change has left it');
CALL podium_tap.is(podium_tap.column_of(2, 'revision'), '1 2 3 4', 'changes come in commit order');
CALL podium_tap.is(
    podium_tap.column_of(2, 'reason'), 'submissions submissions weights recalculation',
    'with what they were');
CALL podium_tap.is(
    podium_tap.column_of(2, 'submissions'), '1 2 0 0', 'and how many submissions they hold');
SET @changed = podium_tap.got_at(1, 1, 'changed_at'), @first = podium_tap.got_at(2, 1,
    'committed_at');
CALL podium_tap.is(
    podium_tap.got_at(2, 4, 'committed_at'), @changed, 'the board has changed with the last one');
CALL podium_tap.ok(@first < @changed, 'which is later than the first');

SET @newest = podium_tap.got('epoch');
CALL podium_tap.is(
    podium_tap.got_at(2, 4, 'epoch'), @newest, 'the board has the epoch of the last one');
SET @second = podium_tap.got_at(2, 2, 'epoch');
CALL podium_tap.ok(@second <> @newest AND @newest <> @made, 'and each change one of its own');

CALL podium.get_revisions(@exam, NULL, 1);
CALL podium_tap.is(podium_tap.column_of(2, 'revision'), '1', 'page by page');
CALL podium.get_revisions(@exam, 0, 1);
CALL podium_tap.is(podium_tap.got('after_epoch'), @made, 'the epoch of revision 0 stays');
CALL podium.get_revisions(@exam, 1, 2);
CALL podium_tap.is(podium_tap.column_of(2, 'revision'), '2 3',
    'going on behind the last one seen');
CALL podium.get_revisions(@exam, 2, 2);
CALL podium_tap.is(podium_tap.got('after_epoch'), @second, 'whose epoch is told');
CALL podium.get_revisions(@exam, 4, 1000);
CALL podium_tap.is(podium_tap.rows_in(2), 0, 'until there is no more');
CALL podium.get_revisions(@exam, 9223372036854775807, 1000);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('revision'), podium_tap.rows_in(2)), '4 0',
    'who is ahead of the board is told where it stands');
CALL podium_tap.is(podium_tap.got('after_epoch'), NULL, 'and that there is no such revision');
CALL podium.get_revisions(@exam, -1, 1000);
CALL podium_tap.is(podium_tap.rows_in(2), 4, 'nothing comes before the first');
CALL podium.get_revisions(@other, NULL, NULL);
CALL podium_tap.is(podium_tap.column_of(2, 'revision'), '1', 'each board has its own changes');

CALL podium_tap.throws(
    'CALL podium.get_revisions(0, NULL, 10)', 50200, 'exam_not_found: exam 0 does not exist',
    'the exam must exist');
CALL podium_tap.throws(
    'CALL podium.get_revisions(NULL, NULL, 10)', 50200, 'exam_not_found: exam NULL does not exist',
    'and be given');
CALL podium_tap.throws(
    'CALL podium.get_revisions(@exam, NULL, 0)', 50504, 'limit_invalid: limit must be 1 to 1000',
    'a page holds something');
CALL podium_tap.throws(
    'CALL podium.get_revisions(@exam, NULL, 1001)', 50504, 'limit_invalid',
    'and no more than a thousand');

CALL podium_tap.finish();

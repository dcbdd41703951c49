-- list_exams: all exams, page by page.
CALL podium_tap.plan(10);

CALL podium_tap.open_exam(@first);
CALL podium_tap.open_exam(@second);
CALL podium_tap.open_exam(@third);
CALL podium.get_exam(@first);
SET @exam = JSON_EXTRACT(@result, '$[0][0]');

CALL podium.list_exams(@first - 1, 2);
CALL podium_tap.is(podium_tap.column_of(1, 'exam_id'), CONCAT_WS(' ', @first, @second),
    'exams come by their number');
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @exam, 'each as get_exam reads it');
CALL podium.list_exams(@second, NULL);
CALL podium_tap.is(podium_tap.column_of(1, 'exam_id'), @third,
    'the next page goes on behind the last one seen');
CALL podium.list_exams(@third, 10);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'behind the last there is none');
CALL podium.list_exams(NULL, 1);
CALL podium_tap.is(
    podium_tap.got('exam_id'), (SELECT MIN(exam_id) FROM podium.exams),
    'from the first where nothing is given');
CALL podium.list_exams(-1, 1000);
CALL podium_tap.ok(podium_tap.rows_in(1) >= 3, 'a thousand are the most of one page');

CALL podium_tap.throws(
    'CALL podium.list_exams(NULL, 0)', 50504, 'limit_invalid: limit must be 1 to 1000',
    'a page holds something');
CALL podium_tap.throws(
    'CALL podium.list_exams(NULL, 1001)', 50504, 'limit_invalid', 'and no more than a thousand');
CALL podium_tap.throws(
    'CALL podium.list_exams(NULL, -1)', 50504, 'limit_invalid', 'and never less than nothing');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.list_exams(@first - 1, 1)', 1568, 'Transaction',
    'inside an open transaction, which might lock what it reads, it refuses');
COMMIT;

CALL podium_tap.finish();

-- view_exams: the exams that somebody may see.
CALL podium_tap.plan(10);

CALL podium_tap.join_podium('viewer', 'viewer', @viewer);
CALL podium_tap.join_podium('stranger', 'candidate', @stranger);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @alices);
CALL podium_tap.enter(@exam, 'bob', @bob, @bobs);
CALL podium_tap.score(@alices, 'coding', 90, 100);
CALL podium_tap.score(@bobs, 'coding', 80, 100);



CALL podium_tap.open_exam(@second);
CALL podium.update_exam(@exam, '{"board_access": "participants"}', NULL);
CALL podium.view_exams(@exam - 1, 2, NULL, @viewer, 'viewer');
CALL podium_tap.is(
    podium_tap.column_of(1, 'exam_id'), @second, 'a viewer those whose boards they read');
CALL podium.view_exams(@exam - 1, 2, NULL, @stranger, 'candidate');
CALL podium_tap.is(
    podium_tap.column_of(1, 'exam_id'), CONCAT(@exam, ' ', @second), 'a candidate all');
CALL podium_tap.is(
    podium_tap.column_of(1, 'total_participants'), 'NULL 0', 'without what the board tells');
CALL podium.view_exams(@exam - 1, 2, NULL, @alice, 'candidate');
CALL podium_tap.is(
    podium_tap.column_of(1, 'total_participants'), '2 0', 'unless they may read it');
CALL podium.view_exams(@exam - 1, 2, NULL, @viewer, 'grader');
CALL podium_tap.is(
    podium_tap.column_of(1, 'exam_id'), CONCAT(@exam, ' ', @second), 'a grader all');
CALL podium.view_exams(@exam - 1, 2, JSON_ARRAY(@second), @viewer, 'grader');
CALL podium_tap.is(
    podium_tap.column_of(1, 'exam_id'), @second, 'whoever is confined none but those');
CALL podium.view_exams(@exam - 1, 2, '[]', @viewer, 'grader');
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'and to none, none');
CALL podium.view_exams(@exam - 1, 2, NULL, NULL, 'nobody');
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'without a token those of everyone');
CALL podium.update_exam(@second, '{"board_access": "everyone"}', NULL);
CALL podium.view_exams(@exam - 1, 2, NULL, NULL, 'nobody');
CALL podium_tap.is(podium_tap.column_of(1, 'exam_id'), @second, 'and those alone');
CALL podium_tap.throws(
    'CALL podium.view_exams(NULL, 1001, NULL, NULL, NULL)', 50504, 'limit_invalid',
    'a page has up to 1000 rows');

CALL podium_tap.finish();

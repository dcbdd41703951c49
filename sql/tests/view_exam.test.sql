-- view_exam: get_exam as somebody may see it.
CALL podium_tap.plan(23);

CALL podium_tap.join_podium('viewer', 'viewer', @viewer);
CALL podium_tap.join_podium('stranger', 'candidate', @stranger);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @alices);
CALL podium_tap.enter(@exam, 'bob', @bob, @bobs);
CALL podium_tap.score(@alices, 'coding', 90, 100);
CALL podium_tap.score(@bobs, 'coding', 80, 100);

CALL podium.update_exam(@exam, '{"board_access": "everyone"}', NULL);
CALL podium.view_exam(@exam, NULL, 'nobody');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: nobody reads');
CALL podium.view_exam(@exam, @viewer, 'viewer');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: viewer reads');
CALL podium.view_exam(@exam, @stranger, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: stranger reads');
CALL podium.view_exam(@exam, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: alice reads');
CALL podium.view_exam(@exam, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "signed_in"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_exam(@exam, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'signed_in: not nobody');
CALL podium.view_exam(@exam, @viewer, 'viewer');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: viewer reads');
CALL podium.view_exam(@exam, @stranger, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: stranger reads');
CALL podium.view_exam(@exam, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: alice reads');
CALL podium.view_exam(@exam, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "participants"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_exam(@exam, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not nobody');
CALL podium_tap.throws(
    'CALL podium.view_exam(@exam, @viewer, ''viewer'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not viewer');
CALL podium.view_exam(@exam, @stranger, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'participants: stranger reads');
CALL podium.view_exam(@exam, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'participants: alice reads');
CALL podium.view_exam(@exam, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'participants: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "staff"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_exam(@exam, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not nobody');
CALL podium_tap.throws(
    'CALL podium.view_exam(@exam, @viewer, ''viewer'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not viewer');
CALL podium.view_exam(@exam, @stranger, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'staff: stranger reads');
CALL podium.view_exam(@exam, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'staff: alice reads');
CALL podium.view_exam(@exam, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'staff: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "signed_in"}', NULL);

CALL podium.get_exam(@exam);
SET @whole = JSON_EXTRACT(@result, '$[0][0]');
CALL podium.view_exam(@exam, @viewer, 'viewer');
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @whole, 'whoever reads the board sees all');
CALL podium.update_exam(@exam, '{"board_access": "staff"}', NULL);
CALL podium.view_exam(@exam, @alice, 'candidate');
CALL podium_tap.is(
    CONCAT_WS(' ', COALESCE(podium_tap.got('revision'), '-'),
              COALESCE(podium_tap.got('total_participants'), '-'),
              COALESCE(podium_tap.got('changed_at'), '-'), podium_tap.got('board_access')),
    '- - - staff', 'a candidate who may not sees the exam, and nothing of its board');
CALL podium_tap.throws(
    'CALL podium.view_exam(0, @alice, ''candidate'')', 50200,
    'exam_not_found: exam 0 does not exist', 'the exam must exist');

CALL podium_tap.finish();

-- view_entry: get_entry as somebody may see it.
CALL podium_tap.plan(26);

CALL podium_tap.join_podium('viewer', 'viewer', @viewer);
CALL podium_tap.join_podium('stranger', 'candidate', @stranger);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @alices);
CALL podium_tap.enter(@exam, 'bob', @bob, @bobs);
CALL podium_tap.score(@alices, 'coding', 90, 100);
CALL podium_tap.score(@bobs, 'coding', 80, 100);

CALL podium.update_exam(@exam, '{"board_access": "everyone"}', NULL);
CALL podium.view_entry(@exam, @bob, NULL, 'nobody');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: nobody reads');
CALL podium.view_entry(@exam, @bob, @viewer, 'viewer');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: viewer reads');
CALL podium.view_entry(@exam, @bob, @stranger, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: stranger reads');
CALL podium.view_entry(@exam, @bob, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: alice reads');
CALL podium.view_entry(@exam, @bob, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "signed_in"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_entry(@exam, @bob, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'signed_in: not nobody');
CALL podium.view_entry(@exam, @bob, @viewer, 'viewer');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: viewer reads');
CALL podium.view_entry(@exam, @bob, @stranger, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: stranger reads');
CALL podium.view_entry(@exam, @bob, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: alice reads');
CALL podium.view_entry(@exam, @bob, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "participants"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_entry(@exam, @bob, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not nobody');
CALL podium_tap.throws(
    'CALL podium.view_entry(@exam, @bob, @viewer, ''viewer'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not viewer');
CALL podium_tap.throws(
    'CALL podium.view_entry(@exam, @bob, @stranger, ''candidate'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not stranger');
CALL podium.view_entry(@exam, @bob, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'participants: alice reads');
CALL podium.view_entry(@exam, @bob, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'participants: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "staff"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_entry(@exam, @bob, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not nobody');
CALL podium_tap.throws(
    'CALL podium.view_entry(@exam, @bob, @viewer, ''viewer'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not viewer');
CALL podium_tap.throws(
    'CALL podium.view_entry(@exam, @bob, @stranger, ''candidate'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not stranger');
CALL podium_tap.throws(
    'CALL podium.view_entry(@exam, @bob, @alice, ''candidate'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not alice');
CALL podium.view_entry(@exam, @bob, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'staff: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "signed_in"}', NULL);

CALL podium.get_entry(@exam, @alice);
SET @whole = JSON_EXTRACT(@result, '$[0][0]');
CALL podium.view_entry(@exam, @alice, @alice, 'candidate');
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @whole, 'one sees all of their own entry');
CALL podium.view_entry(@exam, @alice, @viewer, 'grader');
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @whole, 'so do graders');
CALL podium.view_entry(@exam, @alice, @bob, 'candidate');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('full_name'), podium_tap.got('total_score')), 'alice 45.0000',
    'others see what a board shows');
CALL podium_tap.is(
    COALESCE(podium_tap.got('weighted_coding'), podium_tap.got('weighted_quiz'),
             podium_tap.got('weighted_assessment'), podium_tap.got('session_id'),
             podium_tap.got('attempt_no')), NULL, 'no modules, no session, no attempt');
CALL podium.update_exam(@exam, '{"board_names": "hidden"}', NULL);
CALL podium.view_entry(@exam, @alice, @bob, 'candidate');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('username'), podium_tap.got('full_name')),
    CONCAT('candidate-', @alice, ' Candidate ', @alice), 'hidden: as the board shows them');
CALL podium.view_entry(@exam, @alice, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('full_name'), 'alice', 'though not to oneself');

CALL podium_tap.finish();

-- view_around: get_around as somebody may see it.
CALL podium_tap.plan(24);

CALL podium_tap.join_podium('viewer', 'viewer', @viewer);
CALL podium_tap.join_podium('stranger', 'candidate', @stranger);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @alices);
CALL podium_tap.enter(@exam, 'bob', @bob, @bobs);
CALL podium_tap.score(@alices, 'coding', 90, 100);
CALL podium_tap.score(@bobs, 'coding', 80, 100);

CALL podium.update_exam(@exam, '{"board_access": "everyone"}', NULL);
CALL podium.view_around(@exam, @bob, 1, NULL, 'nobody');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: nobody reads');
CALL podium.view_around(@exam, @bob, 1, @viewer, 'viewer');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: viewer reads');
CALL podium.view_around(@exam, @bob, 1, @stranger, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: stranger reads');
CALL podium.view_around(@exam, @bob, 1, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: alice reads');
CALL podium.view_around(@exam, @bob, 1, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "signed_in"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_around(@exam, @bob, 1, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'signed_in: not nobody');
CALL podium.view_around(@exam, @bob, 1, @viewer, 'viewer');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: viewer reads');
CALL podium.view_around(@exam, @bob, 1, @stranger, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: stranger reads');
CALL podium.view_around(@exam, @bob, 1, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: alice reads');
CALL podium.view_around(@exam, @bob, 1, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "participants"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_around(@exam, @bob, 1, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not nobody');
CALL podium_tap.throws(
    'CALL podium.view_around(@exam, @bob, 1, @viewer, ''viewer'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not viewer');
CALL podium_tap.throws(
    'CALL podium.view_around(@exam, @bob, 1, @stranger, ''candidate'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not stranger');
CALL podium.view_around(@exam, @bob, 1, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'participants: alice reads');
CALL podium.view_around(@exam, @bob, 1, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'participants: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "staff"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_around(@exam, @bob, 1, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not nobody');
CALL podium_tap.throws(
    'CALL podium.view_around(@exam, @bob, 1, @viewer, ''viewer'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not viewer');
CALL podium_tap.throws(
    'CALL podium.view_around(@exam, @bob, 1, @stranger, ''candidate'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not stranger');
CALL podium_tap.throws(
    'CALL podium.view_around(@exam, @bob, 1, @alice, ''candidate'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not alice');
CALL podium.view_around(@exam, @bob, 1, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'staff: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "signed_in"}', NULL);

CALL podium.update_exam(@exam, '{"board_names": "hidden"}', NULL);
CALL podium.view_around(@exam, @bob, 1, @alice, 'candidate');
CALL podium_tap.is(
    podium_tap.column_of(2, 'full_name'), CONCAT('alice Candidate ', @bob),
    'hidden: a pseudonym of all but oneself');
CALL podium.view_around(@exam, @bob, 1, @viewer, 'viewer');
CALL podium_tap.is(
    podium_tap.column_of(2, 'username'), CONCAT('candidate-', @alice, ' candidate-', @bob),
    'the same as on a page');
CALL podium.view_around(@exam, @bob, 1, @viewer, 'grader');
CALL podium_tap.is(podium_tap.column_of(2, 'full_name'), 'alice bob', 'graders see who it is');
CALL podium.update_exam(@exam, '{"board_names": "username"}', NULL);
CALL podium.view_around(@exam, @bob, 1, @viewer, 'viewer');
CALL podium_tap.is(
    podium_tap.column_of(2, 'full_name'), podium_tap.column_of(2, 'username'),
    'username: it stands in place of the full name');

CALL podium_tap.finish();

-- view_leaderboard: get_leaderboard as somebody may see it.
CALL podium_tap.plan(33);

CALL podium_tap.join_podium('viewer', 'viewer', @viewer);
CALL podium_tap.join_podium('stranger', 'candidate', @stranger);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'alice', @alice, @alices);
CALL podium_tap.enter(@exam, 'bob', @bob, @bobs);
CALL podium_tap.score(@alices, 'coding', 90, 100);
CALL podium_tap.score(@bobs, 'coding', 80, 100);

CALL podium.update_exam(@exam, '{"board_access": "everyone"}', NULL);
CALL podium.view_leaderboard(@exam, 1, 10, NULL, NULL, 'nobody');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: nobody reads');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @viewer, 'viewer');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: viewer reads');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @stranger, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: stranger reads');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: alice reads');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'everyone: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "signed_in"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_leaderboard(@exam, 1, 10, NULL, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'signed_in: not nobody');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @viewer, 'viewer');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: viewer reads');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @stranger, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: stranger reads');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: alice reads');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'signed_in: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "participants"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_leaderboard(@exam, 1, 10, NULL, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not nobody');
CALL podium_tap.throws(
    'CALL podium.view_leaderboard(@exam, 1, 10, NULL, @viewer, ''viewer'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not viewer');
CALL podium_tap.throws(
    'CALL podium.view_leaderboard(@exam, 1, 10, NULL, @stranger, ''candidate'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'participants: not stranger');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @alice, 'candidate');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'participants: alice reads');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'participants: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "staff"}', NULL);
CALL podium_tap.throws(
    'CALL podium.view_leaderboard(@exam, 1, 10, NULL, NULL, ''nobody'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not nobody');
CALL podium_tap.throws(
    'CALL podium.view_leaderboard(@exam, 1, 10, NULL, @viewer, ''viewer'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not viewer');
CALL podium_tap.throws(
    'CALL podium.view_leaderboard(@exam, 1, 10, NULL, @stranger, ''candidate'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not stranger');
CALL podium_tap.throws(
    'CALL podium.view_leaderboard(@exam, 1, 10, NULL, @alice, ''candidate'')', 50200,
    CONCAT('exam_not_found: exam ', @exam, ' does not exist'), 'staff: not alice');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @viewer, 'grader');
CALL podium_tap.is(podium_tap.got('exam_id'), @exam, 'staff: grader reads');
CALL podium.update_exam(@exam, '{"board_access": "signed_in"}', NULL);

SET @shown = CONCAT(
    (SELECT username FROM podium.users WHERE user_id = @alice), ' ',
    (SELECT username FROM podium.users WHERE user_id = @bob));
CALL podium.view_leaderboard(@exam, 1, 10, @alice, @alice, 'candidate');
CALL podium_tap.is(podium_tap.column_of(2, 'full_name'), 'alice bob', 'full: both names of all');
CALL podium_tap.is(podium_tap.column_of(2, 'username'), @shown, 'the user names too');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('board_access'), podium_tap.got('names')), 'signed_in full',
    'the head says how the board is shown');
CALL podium.update_exam(@exam, '{"board_names": "username"}', NULL);
CALL podium.view_leaderboard(@exam, 1, 10, @alice, @alice, 'candidate');
CALL podium_tap.is(
    podium_tap.column_of(2, 'full_name'), CONCAT('alice ', SUBSTRING_INDEX(@shown, ' ', -1)),
    'username: of others it stands in place of the full name');
CALL podium.update_exam(@exam, '{"board_names": "hidden"}', NULL);
CALL podium.view_leaderboard(@exam, 1, 10, @alice, @alice, 'candidate');
CALL podium_tap.is(
    podium_tap.column_of(2, 'full_name'), CONCAT('alice Candidate ', @bob),
    'hidden: a pseudonym of all but oneself');
CALL podium_tap.is(
    podium_tap.column_of(2, 'username'),
    CONCAT(SUBSTRING_INDEX(@shown, ' ', 1), ' candidate-', @bob), 'in place of both');
CALL podium_tap.is(podium_tap.column_of(3, 'full_name'), 'alice', 'and the own entry');
CALL podium.view_leaderboard(@exam, 1, 10, @bob, @alice, 'candidate');
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.column_of(2, 'full_name'), podium_tap.column_of(3, 'full_name')),
    CONCAT('Candidate ', @alice, ' Candidate ', @bob, ' Candidate ', @bob),
    'asking for somebody else shows nobody');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @viewer, 'viewer');
CALL podium_tap.is(
    podium_tap.column_of(2, 'full_name'), CONCAT('Candidate ', @alice, ' Candidate ', @bob),
    'viewers see nobody');
CALL podium.view_leaderboard(@exam, 1, 10, NULL, @viewer, 'grader');
CALL podium_tap.is(podium_tap.column_of(2, 'full_name'), 'alice bob', 'graders all');
CALL podium.view_leaderboard(@exam, 1, 10, @bob, NULL, NULL);
CALL podium_tap.is(podium_tap.column_of(3, 'full_name'), 'bob', 'so does the account itself');
CALL podium.get_leaderboard(@exam, 1, 10, @bob);
CALL podium_tap.is(podium_tap.column_of(2, 'full_name'), 'alice bob', 'by get_leaderboard as well');
CALL podium_tap.throws(
    'CALL podium.view_leaderboard(@exam, 1, 10, NULL, @alice, ''root'')', 50200, 'exam_not_found',
    'a role that does not exist reads nothing');

CALL podium_tap.finish();

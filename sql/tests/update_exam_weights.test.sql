-- update_exam_weights: new weights and the board they give, in one commit.
CALL podium_tap.plan(17);

CALL podium_tap.join_podium('admin', 'admin', @admin);
CALL podium_tap.open_exam(@exam);
CALL podium_tap.enter(@exam, 'coder', @coder, @coder_session);
CALL podium_tap.enter(@exam, 'quizzer', @quizzer, @quizzer_session);
CALL podium_tap.score(@coder_session, 'coding', 90, 100);
CALL podium_tap.score(@quizzer_session, 'quiz', 90, 100);
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
CALL podium_tap.is(
    podium_tap.column_of(2, 'user_id'), CONCAT(@coder, ' ', @quizzer),
    'where coding weighs most the coder leads');

CALL podium.update_exam_weights(@exam, 19.99, 60.01, 20, @admin);
CALL podium_tap.is(
    CONCAT_WS(' ', podium_tap.got('weight_coding'), podium_tap.got('weight_quiz'),
              podium_tap.got('weight_assessment')),
    '19.99 60.01 20.00', 'the exam comes back with the new weights');
CALL podium_tap.is(podium_tap.got('revision'), '3', 'and a new revision');
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
CALL podium_tap.is(podium_tap.column_of(2, 'user_id'), CONCAT(@quizzer, ' ', @coder),
    'now the quizzer leads');
CALL podium_tap.is(
    podium_tap.column_of(2, 'total_score'), '54.0090 17.9910',
    'with the points of the new weights');
CALL podium.check_leaderboard(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'check_leaderboard finds no difference');

CALL podium_tap.is(
    (SELECT CONCAT_WS(' ', r.reason, r.submissions, r.actor) FROM podium.leaderboard_revisions AS r
     INNER JOIN podium.leaderboards AS b ON b.board_id = r.board_id
     WHERE b.exam_id = @exam AND r.revision = 3),
    CONCAT('weights 0 user:', @admin), 'the history says who changed them');
CALL podium_tap.is(
    (SELECT JSON_EXTRACT(r.details, '$.old.quiz',
    '$.new.quiz') FROM podium.leaderboard_revisions AS r
     INNER JOIN podium.leaderboards AS b ON b.board_id = r.board_id
     WHERE b.exam_id = @exam AND r.revision = 3),
    '[30.0, 60.01]', 'from what to what');
CALL podium.verify_audit(@exam);
CALL podium_tap.is(podium_tap.rows_in(1), 0, 'and the chain holds');

CALL podium_tap.score(@coder_session, 'quiz', 100, 1);
CALL podium_tap.is(podium_tap.got('weighted_quiz'), '60.0100',
    'a later submission counts with the new weights');

SET @before = podium_tap.state_of(@exam);
CALL podium_tap.throws(
    'CALL podium.update_exam_weights(@exam, 50, 30, 19.99, NULL)', 50201,
    'weights_invalid: the weights sum to 99.99, not to 100', '99.99 is refused');
CALL podium_tap.throws(
    'CALL podium.update_exam_weights(@exam, NULL, NULL, NULL, NULL)', 50201,
    'weights_invalid: give all three weights or none', 'a change names all three');
CALL podium_tap.throws(
    'CALL podium.update_exam_weights(0, 50, 30, 20, NULL)', 50200,
    'exam_not_found: exam 0 does not exist',
    'an exam that does not exist has none');
CALL podium_tap.throws(
    'CALL podium.update_exam_weights(NULL, 50, 30, 20, NULL)', 50200,
    'exam_not_found: exam NULL does not exist',
    'neither has NULL');
START TRANSACTION;
SELECT COUNT(*) FROM podium.users WHERE user_id = 1;
CALL podium_tap.throws(
    'CALL podium.update_exam_weights(@exam, 50, 30, 20, NULL)', 1568, 'Transaction',
    'inside an open transaction it refuses');
COMMIT;
CALL podium_tap.is(podium_tap.state_of(@exam), @before, 'what was refused changed nothing');

CALL podium.update_exam_weights(@exam, 0, 0, 100, NULL);
CALL podium.get_leaderboard(@exam, NULL, NULL, NULL);
CALL podium_tap.is(
    podium_tap.column_of(2, 'total_score'), '0.0000 0.0000',
    'a weight of nothing leaves the candidates on the board without points');

CALL podium_tap.finish();

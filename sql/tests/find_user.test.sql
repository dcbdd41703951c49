-- find_user: by the identity that create_user decides on.
CALL podium_tap.plan(6);

SET @name = podium_tap.name('Straße');
CALL podium.create_user(@name, 'Alice Chen', 'grader');
SET @created = JSON_EXTRACT(@result, '$[0][0]');
CALL podium.find_user(@name);
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @created,
    'who is found reads as create_user returned it');
CALL podium.find_user(CONCAT(CONVERT(0xE38080 USING utf8mb4), UPPER(@name), CHAR(10)));
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @created,
    'white space at the ends and case do not matter');
CALL podium.find_user(REPLACE(@name, 'ß', 'SS'));
CALL podium_tap.is(JSON_EXTRACT(@result, '$[0][0]'), @created, 'nor does how a case folds');
CALL podium.find_user(REPLACE(@name, 'a', 'á'));
CALL podium_tap.is(podium_tap.rows_in(1), '0', 'an accent does');
CALL podium.find_user(NULL);
CALL podium_tap.is(podium_tap.rows_in(1), '0', 'nobody has no name');
CALL podium.find_user(REPEAT('x', 100000));
CALL podium_tap.is(podium_tap.rows_in(1), '0', 'nor one that is longer than any');

CALL podium_tap.finish();

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._nfc;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._nfc(
    p_text TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
)
    RETURNS TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
    COMMENT 'Brings a text to normalisation form C, as MySQL cannot'
    DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A letter and its accents are written in one way, whatever typed them: é as one
    --              character or as two. UAX #15, over the tables unicode_characters and
    --              unicode_compositions.
    -- Parameters:  p_text  up to 1024 characters; NULL: the answer is NULL
    -- Result:      the text in NFC
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _nfc(CONCAT('Ame', CONVERT(0xCC81 USING utf8mb4), 'lie'));
    --              Amélie
    DECLARE v_ordered, v_composed TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_letter, v_joined VARCHAR(1) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;
    DECLARE v_place, v_starter, v_class, v_last_class INT DEFAULT 0;

    IF p_text IS NULL OR LENGTH(p_text) = CHAR_LENGTH(p_text) THEN
        RETURN p_text;
    END IF;

    -- Most texts are in NFC: nothing in them may have to change, and no mark stands before one that
    -- belongs in front of it.
    IF NOT EXISTS (
        SELECT 1
        FROM (
            SELECT
                u.nfc_safe,
                u.combining_class,
                LAG(u.combining_class) OVER (ORDER BY t.place) AS class_before
            FROM JSON_TABLE(
                CONCAT('[', REPEAT('0,', CHAR_LENGTH(p_text) - 1), '0]'),
                '$[*]' COLUMNS (place FOR ORDINALITY)
            ) AS t
            LEFT JOIN unicode_characters AS u ON u.letter = SUBSTRING(p_text, t.place, 1)
        ) AS c
        WHERE NOT c.nfc_safe OR (c.combining_class > 0 AND c.combining_class < c.class_before)
    ) THEN
        RETURN p_text;
    END IF;

    SELECT /*+ SET_VAR(group_concat_max_len = 65535) */
        GROUP_CONCAT(
            COALESCE(u.decomposition, SUBSTRING(p_text, t.place, 1))
            ORDER BY t.place SEPARATOR '')
    INTO v_ordered
    FROM JSON_TABLE(
        CONCAT('[', REPEAT('0,', CHAR_LENGTH(p_text) - 1), '0]'),
        '$[*]' COLUMNS (place FOR ORDINALITY)
    ) AS t
    LEFT JOIN unicode_characters AS u ON u.letter = SUBSTRING(p_text, t.place, 1);

    -- The marks behind a letter stand in the order of their classes.
    SELECT /*+ SET_VAR(group_concat_max_len = 65535) */
        GROUP_CONCAT(c.letter ORDER BY c.starter, c.combining_class, c.place SEPARATOR '')
    INTO v_ordered
    FROM (
        SELECT
            t.place,
            SUBSTRING(v_ordered, t.place, 1) AS letter,
            COALESCE(u.combining_class, 0) AS combining_class,
            SUM(COALESCE(u.combining_class, 0) = 0) OVER (ORDER BY t.place) AS starter
        FROM JSON_TABLE(
            CONCAT('[', REPEAT('0,', CHAR_LENGTH(v_ordered) - 1), '0]'),
            '$[*]' COLUMNS (place FOR ORDINALITY)
        ) AS t
        LEFT JOIN unicode_characters AS u ON u.letter = SUBSTRING(v_ordered, t.place, 1)
    ) AS c;

    -- A loop, because what a character is joined with depends on all those joined before it. It
    -- joins the last starter unless a mark of no lower class stands between them.
    SET v_composed = '';
    WHILE v_place < CHAR_LENGTH(v_ordered) DO
        SET v_place = v_place + 1,
            v_letter = SUBSTRING(v_ordered, v_place, 1),
            v_joined = NULL,
            v_class = COALESCE(
                (SELECT combining_class FROM unicode_characters WHERE letter = v_letter), 0);
        IF v_starter > 0 AND (v_last_class < v_class OR v_starter = CHAR_LENGTH(v_composed)) THEN
            SET v_joined = _compose(SUBSTRING(v_composed, v_starter, 1), v_letter);
        END IF;
        IF v_joined IS NOT NULL THEN
            SET v_composed = INSERT(v_composed, v_starter, 1, v_joined);
        ELSE
            SET v_composed = CONCAT(v_composed, v_letter),
                v_last_class = v_class,
                v_starter = IF(v_class = 0, CHAR_LENGTH(v_composed), v_starter);
        END IF;
    END WHILE;

    RETURN v_composed;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._compose;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._compose(
    p_starter VARCHAR(1) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_letter  VARCHAR(1) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
)
    RETURNS VARCHAR(1) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
    COMMENT 'Joins two characters that normalisation form C writes as one'
    DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One step of _nfc. The 11,172 syllables of Hangul are worked out, the others are
    --              rows of unicode_compositions.
    -- Parameters:  p_starter  a letter
    --              p_letter   the mark, vowel or consonant behind it
    -- Result:      the character that both are; NULL: they stay two
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _compose('e', CONVERT(0xCC81 USING utf8mb4));
    --              é
    DECLARE v_starter INT DEFAULT CONV(HEX(CONVERT(p_starter USING utf32)), 16, 10);
    DECLARE v_letter INT DEFAULT CONV(HEX(CONVERT(p_letter USING utf32)), 16, 10);
    DECLARE v_syllable INT;

    -- From U+1100 19 first consonants, from U+1161 21 vowels, behind U+11A7 27 last consonants.
    IF v_starter BETWEEN 4352 AND 4370 AND v_letter BETWEEN 4449 AND 4469 THEN
        SET v_syllable = 44032 + ((v_starter - 4352) * 21 + v_letter - 4449) * 28;
    ELSEIF v_starter BETWEEN 44032 AND 55203 AND (v_starter - 44032) % 28 = 0
        AND v_letter BETWEEN 4520 AND 4546 THEN
        SET v_syllable = v_starter + v_letter - 4519;
    END IF;
    IF v_syllable IS NOT NULL THEN
        RETURN CONVERT(CHAR(v_syllable USING utf32) USING utf8mb4);
    END IF;

    RETURN (SELECT composed FROM unicode_compositions WHERE pair = CONCAT(p_starter, p_letter));
END$$

DELIMITER ;

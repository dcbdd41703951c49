SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._username_key;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._username_key(
    p_username LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
)
    RETURNS TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
    COMMENT 'The identity of a user name: two names are one where their keys are'
    DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one place that decides whether two user names are the same. The key is
    --              NFC(casefold(NFC(trimmed name))): white space of Unicode at both ends, the way
    --              an accent is encoded, and case tell no two names apart; all else does. The
    --              folding is the full one of Unicode (ß is ss, ς is σ), one for all languages.
    -- Parameters:  p_username  as it was typed, or as it is kept; NULL: the answer is NULL
    -- Result:      the key, for users.username_key and to compare with it
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _username_key(' Straße ');
    --              strasse
    DECLARE v_name TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
        DEFAULT _username(p_username);
    DECLARE v_folded TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

    -- Of ASCII LOWER says the same, sooner.
    IF v_name IS NULL OR LENGTH(v_name) = CHAR_LENGTH(v_name) THEN
        RETURN LOWER(v_name);
    END IF;

    SELECT /*+ SET_VAR(group_concat_max_len = 65535) */
        GROUP_CONCAT(
            COALESCE(u.folding, SUBSTRING(v_name, t.place, 1)) ORDER BY t.place SEPARATOR '')
    INTO v_folded
    FROM JSON_TABLE(
        CONCAT('[', REPEAT('0,', CHAR_LENGTH(v_name) - 1), '0]'),
        '$[*]' COLUMNS (place FOR ORDINALITY)
    ) AS t
    LEFT JOIN unicode_characters AS u ON u.letter = SUBSTRING(v_name, t.place, 1);

    -- Some fold into a letter and a mark that are one again: ǰ.
    RETURN IF(v_folded = v_name, v_name, _nfc(v_folded));
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._name_refusal;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._name_refusal(
    p_field VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
    p_name  LONGTEXT    CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
)
    RETURNS VARCHAR(128)
    COMMENT 'What keeps a text from being a user name, a full name or a title'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A user name shows each of its characters, so that no two names that differ in
    --              something invisible pass for one. A full name and a title take what any script
    --              is written with, and refuse what only deceives: control characters, what turns
    --              the direction of the text around it, tags, and what is no character. The
    --              character is named by its number and never printed: it could act on a terminal.
    -- Parameters:  p_field  username, full_name or title
    --              p_name   a user name as _username makes it, a full name as _trimmed does; NULL
    --                       is refused
    -- Result:      the reason; NULL: nothing is wrong with it
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _name_refusal('username', CONCAT('bo', CHAR(0), 'b'));
    --              username holds U+0000, which it must not
    DECLARE v_longest INT DEFAULT IF(p_field = 'username', 64, 200);
    DECLARE v_found VARCHAR(2) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

    IF COALESCE(_trimmed(p_name), '') = '' OR CHAR_LENGTH(p_name) > v_longest THEN
        RETURN CONCAT(p_field, ' must have 1 to ', v_longest, ' characters');
    END IF;

    -- Letters, digits and punctuation of common scripts alone: soon told, and nothing more to ask.
    IF REGEXP_LIKE(
        p_name,
        CONCAT(
            '^[ -~\\x{A1}-\\x{AC}\\x{AE}-\\x{2FF}\\x{400}-\\x{482}\\x{48A}-\\x{52F}',
            '\\x{5D0}-\\x{5EA}\\x{620}-\\x{64A}\\x{904}-\\x{939}\\x{3041}-\\x{3096}',
            '\\x{30A1}-\\x{30FC}\\x{4E00}-\\x{9FFF}\\x{AC00}-\\x{D7A3}]+\\z')
    ) THEN
        RETURN NULL;
    END IF;

    IF p_field = 'username' THEN
        -- Not assigned up to the Unicode of unicode_characters: nobody knows yet how it folds.
        SET v_found = REGEXP_SUBSTR(
            p_name,
            CONCAT(
                '[[\\p{C}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\x{2800}\\x{FFFC}',
                '\\x{FFFD}\\x{1D159}[^\\p{Age=17.0}]]',
                '--[\\x{200C}\\x{200D}\\p{Variation_Selector}]]'));
        -- Joiners and variation selectors where they change what is seen: behind a virama (and
        -- before that of Bengali's ya-phala), between letters of Arabic that would join, within an
        -- emoji, behind a character of Han or Mongolian.
        SET v_found = COALESCE(v_found, REGEXP_SUBSTR(
            p_name,
            CONCAT(
                '(?!(?<=\\p{ccc=9})[\\x{200C}\\x{200D}]',
                '|(?<=\\x{9B0})\\x{200D}(?=\\x{9CD})',
                '|(?<=[\\p{Joining_Type=L}\\p{Joining_Type=D}]\\p{Mn}{0,8})\\x{200C}',
                '(?=\\p{Mn}*[\\p{Joining_Type=R}\\p{Joining_Type=D}])',
                '|(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\x{FE0F}])\\x{200D}',
                '(?=\\p{Extended_Pictographic})',
                '|(?<=\\p{Extended_Pictographic})[\\x{FE0E}\\x{FE0F}]',
                '|(?<=[0-9#*])\\x{FE0F}(?=\\x{20E3})',
                '|(?<=\\p{Script=Han})[\\x{FE00}-\\x{FE02}\\x{E0100}-\\x{E01EF}]',
                '|(?<=\\p{Script=Mongolian})[\\x{180B}-\\x{180D}\\x{180F}]',
                ')[\\x{200C}\\x{200D}\\p{Variation_Selector}]')));
        IF v_found IS NULL AND REGEXP_LIKE(p_name, '^\\p{M}') THEN
            RETURN CONCAT(
                'username begins with ', _code_point(LEFT(p_name, 1)),
                ', which belongs to a letter before it');
        END IF;
    ELSE
        SET v_found = REGEXP_SUBSTR(
            p_name,
            CONCAT(
                '[\\p{Cc}\\p{Zl}\\p{Zp}\\p{NChar}\\x{202A}-\\x{202E}\\x{2061}-\\x{2064}',
                '\\x{2066}-\\x{206F}\\x{FEFF}\\x{FFF9}-\\x{FFFC}\\x{1D173}-\\x{1D17A}',
                '\\x{E0000}-\\x{E00FF}\\x{E01F0}-\\x{E0FFF}]'));
        IF v_found IS NULL AND NOT REGEXP_LIKE(
            p_name, '[[\\p{L}\\p{N}\\p{P}\\p{S}\\p{Cn}\\p{Co}]--[\\p{DI}\\x{2800}]]'
        ) THEN
            RETURN CONCAT(p_field, ' has no character that can be seen');
        END IF;
    END IF;

    RETURN CONCAT(p_field, ' holds ', _code_point(v_found), ', which it must not');
END$$

DELIMITER ;

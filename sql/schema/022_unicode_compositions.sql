SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- Pairs that NFC writes as one character; those of Hangul are worked out in _nfc. Filled by
-- sql/seed/unicode_characters.sql.
CREATE TABLE IF NOT EXISTS podium.unicode_compositions (
    pair     VARCHAR(2) COLLATE utf8mb4_0900_bin NOT NULL,
    composed VARCHAR(1) COLLATE utf8mb4_0900_bin NOT NULL,
    -- _nfc: a letter and the mark behind it
    PRIMARY KEY (pair)
) ENGINE = InnoDB COMMENT = 'Pairs of characters that NFC composes';

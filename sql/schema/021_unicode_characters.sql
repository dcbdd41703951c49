SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- What Unicode says of each character that normalisation or case folding may change; of all others
-- there is nothing to say. Filled by sql/seed/unicode_characters.sql, read by _nfc and
-- _username_key: the identity of a user name hangs on no version of a server or of Python.
CREATE TABLE IF NOT EXISTS podium.unicode_characters (
    letter          VARCHAR(1)       COLLATE utf8mb4_0900_bin NOT NULL,
    combining_class TINYINT UNSIGNED NOT NULL,      -- 0: not moved among its neighbours
    nfc_safe        BOOLEAN          NOT NULL,      -- wherever it stands, NFC leaves it alone
    decomposition   VARCHAR(4)       COLLATE utf8mb4_0900_bin NULL, -- NFD; NULL: itself
    folding         VARCHAR(3)       COLLATE utf8mb4_0900_bin NULL, -- without case; NULL: itself
    -- _nfc, _username_key: the characters of a name
    PRIMARY KEY (letter)
) ENGINE = InnoDB COMMENT = 'Characters that NFC or case folding may change';

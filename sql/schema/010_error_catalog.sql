SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- Every refusal Podium knows; its code begins every message. Filled by sql/seed/error_catalog.sql,
-- raised by _raise, read by the gateway.
CREATE TABLE IF NOT EXISTS podium.error_catalog (
    code        VARCHAR(40)       CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    errno       SMALLINT UNSIGNED NOT NULL,         -- MYSQL_ERRNO beside SQLSTATE 45000
    http_status SMALLINT UNSIGNED NOT NULL,
    title       VARCHAR(100)      NOT NULL,         -- one for all occurrences, RFC 9457
    pointer     VARCHAR(40)       NULL,             -- JSON pointer to the field at fault
    PRIMARY KEY (code),
    CONSTRAINT uq_error_catalog_errno UNIQUE (errno),
    CONSTRAINT ck_error_catalog_errno CHECK (errno BETWEEN 50000 AND 51999),
    CONSTRAINT ck_error_catalog_http_status CHECK (http_status BETWEEN 400 AND 599)
) ENGINE = InnoDB COMMENT = 'Stable error codes with their number, HTTP status and title';

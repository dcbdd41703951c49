SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The loader's ledger: which file of sql/ this database holds, in which version.
CREATE TABLE IF NOT EXISTS podium.schema_files (
    path       VARCHAR(190) NOT NULL,               -- below sql/: procedures/submit_scores.sql
    checksum   CHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- SHA-256 in hex
    release_no VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- of sql/RELEASE, 1.4.0
    applied_at DATETIME(6)  NOT NULL,
    PRIMARY KEY (path)
) ENGINE = InnoDB COMMENT = 'Files of sql/ this database was built from';

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The database itself. Everything in it names it in full, so that no file depends on a USE.
CREATE DATABASE IF NOT EXISTS podium
    DEFAULT CHARACTER SET utf8mb4
    DEFAULT COLLATE utf8mb4_0900_ai_ci;
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The definer of every routine, trigger and view. Locked: nobody logs in as it. What it and the
-- roles may do stands in sql/grants.sql, which is loaded last.
CREATE USER IF NOT EXISTS podium_owner@localhost
    -- No password has this hash. The server's own locked accounts carry it too.
    IDENTIFIED WITH caching_sha2_password
        AS '$A$005$THISISACOMBINATIONOFINVALIDSALTANDPASSWORDTHATMUSTNEVERBRBEUSED'
    ACCOUNT LOCK;

-- podium_gateway: what a login of the HTTP gateway is given. podium_dba: people who CALL and read.
CREATE ROLE IF NOT EXISTS podium_gateway, podium_dba;
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The loader's ledger: which file of sql/ this database holds, in which version.
CREATE TABLE IF NOT EXISTS podium.schema_files (
    path       VARCHAR(190) NOT NULL,               -- below sql/: procedures/submit_scores.sql
    checksum   CHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- SHA-256 in hex
    release_no VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- of sql/RELEASE, 1.4.0
    applied_at DATETIME(6)  NOT NULL,
    PRIMARY KEY (path)
) ENGINE = InnoDB COMMENT = 'Files of sql/ this database was built from';
CREATE TEMPORARY TABLE podium.release_guard (
    others INT NOT NULL PRIMARY KEY,
    CONSTRAINT `a database of another release: flask --app gateway db upgrade` CHECK (others = 0)
);
INSERT INTO podium.release_guard (others)
SELECT COUNT(*) FROM podium.schema_files WHERE release_no <> '0.1.0';
DROP TEMPORARY TABLE podium.release_guard;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/000_database.sql', 'c8ed84fbf0cecd89197a6ee07832fd1decd425171d9951637d22da621677f7db', '0.1.0', UTC_TIMESTAMP(6));
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/001_accounts.sql', '363006afca77daa0c83b6eadfdc4128cbe7989db2a1641c60f20a4363061103c', '0.1.0', UTC_TIMESTAMP(6));
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/002_schema_files.sql', '7ee152c89ff8184ce6bc2be18b194cb8122c04cd74be688a937e64fe33c5a755', '0.1.0', UTC_TIMESTAMP(6));
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
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/010_error_catalog.sql', 'b077d0d147eebc620c087bcb2e4bb2d68d09e7c3d9bb094c81da0a69418f2f25', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS podium.users (
    user_id    BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    username   VARCHAR(64)     COLLATE utf8mb4_0900_as_ci NOT NULL, -- Alice is alice, not Alicé
    full_name  VARCHAR(200)    NOT NULL,
    role       ENUM (
                   'candidate',     -- takes exams, submits for his own sessions
                   'moderator',     -- submits for anybody, reads the audit trail
                   'admin'          -- creates users and exams, changes weights, recalculates
               ) NOT NULL,
    created_at DATETIME(6)     NOT NULL,
    PRIMARY KEY (user_id),
    -- create_user: a name is taken once
    CONSTRAINT uq_users_username UNIQUE (username),
    CONSTRAINT ck_users_username CHECK (TRIM(username) <> ''),
    CONSTRAINT ck_users_full_name CHECK (TRIM(full_name) <> '')
) ENGINE = InnoDB COMMENT = 'People: candidates, moderators, admins';
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/020_users.sql', '0a23be1cd61c9ee89cac3193294b0dd33761de534fffe6da585e630e508f8116', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS podium.exams (
    exam_id           BIGINT UNSIGNED   NOT NULL AUTO_INCREMENT,
    title             VARCHAR(200)      NOT NULL,
    weight_coding     DECIMAL(5, 2)     NOT NULL,   -- points out of 100
    weight_quiz       DECIMAL(5, 2)     NOT NULL,
    weight_assessment DECIMAL(5, 2)     NOT NULL,
    max_attempts      SMALLINT UNSIGNED NOT NULL,   -- sessions one candidate may start
    attempt_policy    ENUM (
                          'best',       -- the attempt with the highest standing counts
                          'latest',     -- the last one that has a score
                          'first'       -- the first one that has a score
                      ) NOT NULL,
    starts_at         DATETIME(6)       NULL,       -- NULL: open since ever
    ends_at           DATETIME(6)       NULL,       -- NULL: never closes
    duration_sec      INT UNSIGNED      NULL,       -- of one attempt; NULL: unlimited
    created_at        DATETIME(6)       NOT NULL,
    PRIMARY KEY (exam_id),
    CONSTRAINT ck_exams_title CHECK (TRIM(title) <> ''),
    CONSTRAINT ck_exams_weight_coding CHECK (weight_coding BETWEEN 0 AND 100),
    CONSTRAINT ck_exams_weight_quiz CHECK (weight_quiz BETWEEN 0 AND 100),
    CONSTRAINT ck_exams_weight_assessment CHECK (weight_assessment BETWEEN 0 AND 100),
    CONSTRAINT ck_exams_weights CHECK (weight_coding + weight_quiz + weight_assessment = 100),
    CONSTRAINT ck_exams_max_attempts CHECK (max_attempts BETWEEN 1 AND 1000),
    CONSTRAINT ck_exams_ends_at CHECK (ends_at > starts_at),
    CONSTRAINT ck_exams_duration_sec CHECK (duration_sec > 0)
) ENGINE = InnoDB COMMENT = 'Examinations: weights, attempts, schedule';
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/030_exams.sql', '7c05e53ee66a2fb49c31c853d6ce696d275a7ad47881b6255e346d302f32b589', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- One row per candidate per attempt, with the totals of its modules. The totals are kept here
-- because a submission may then compute the new ones from the row it has locked anyway.
CREATE TABLE IF NOT EXISTS podium.exam_sessions (
    session_id          BIGINT UNSIGNED   NOT NULL AUTO_INCREMENT,
    exam_id             BIGINT UNSIGNED   NOT NULL,
    user_id             BIGINT UNSIGNED   NOT NULL,
    attempt_no          SMALLINT UNSIGNED NOT NULL,
    status              ENUM (
                            'in_progress',  -- from start_session on
                            'finished'      -- by finish_session, for good
                        ) NOT NULL,
    version             INT UNSIGNED      NOT NULL DEFAULT 0,   -- submissions accepted so far
    weighted_coding     DECIMAL(7, 4)     NULL,                 -- NULL: not scored yet
    weighted_quiz       DECIMAL(7, 4)     NULL,
    weighted_assessment DECIMAL(7, 4)     NULL,
    total_score         DECIMAL(7, 4)     AS (
                            COALESCE(weighted_coding, 0) + COALESCE(weighted_quiz, 0)
                            + COALESCE(weighted_assessment, 0)
                        ) STORED NOT NULL,
    total_time_sec      INT               NOT NULL DEFAULT 0,
    -- Sorts like (total_score DESC, total_time_sec ASC) in one number, the greater the better: the
    -- score in ten-thousandths above 22 bits that hold the complement of the time. NULL: nothing
    -- scored yet.
    standing_key        BIGINT            AS (
                            IF(version = 0, NULL,
                               CAST(total_score * 10000 AS SIGNED) * 4194304
                               + 4194303 - total_time_sec)
                        ) STORED,
    started_at          DATETIME(6)       NOT NULL,
    deadline_at         DATETIME(6)       NULL,     -- started_at + duration, ends_at at the latest
    finished_at         DATETIME(6)       NULL,
    PRIMARY KEY (session_id),
    -- start_session: the candidate's attempts; submit_scores: which of them counts
    CONSTRAINT uq_exam_sessions_exam_user_attempt UNIQUE (exam_id, user_id, attempt_no),
    CONSTRAINT fk_exam_sessions_exam FOREIGN KEY (exam_id) REFERENCES podium.exams (exam_id),
    CONSTRAINT fk_exam_sessions_user FOREIGN KEY (user_id) REFERENCES podium.users (user_id),
    CONSTRAINT ck_exam_sessions_total_time_sec CHECK (total_time_sec BETWEEN 0 AND 4194303),
    CONSTRAINT ck_exam_sessions_finished_at
        CHECK ((status = 'finished') = (finished_at IS NOT NULL))
) ENGINE = InnoDB COMMENT = 'Attempts of candidates at exams, with version and totals';
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/040_exam_sessions.sql', '37a24731b588f16a23179a2e8594e3150ed301c0ff82e05a06670aa6be7d0ece', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The scores that count now, one row per scored module of a session. What was replaced is in the
-- audit log. Everything on the boards can be computed again from this table, exams and
-- exam_sessions.
CREATE TABLE IF NOT EXISTS podium.module_scores (
    session_id     BIGINT UNSIGNED NOT NULL,
    module_type    ENUM ('coding', 'quiz', 'assessment') NOT NULL,
    raw_score      DECIMAL(30, 20) NOT NULL,
    max_score      DECIMAL(30, 20) NOT NULL,
    weighted_score DECIMAL(7, 4)   NOT NULL,        -- ROUND(raw_score * weight / max_score, 4)
    time_spent_sec INT             NOT NULL,
    details        JSON            NULL,            -- the submitter's own, not interpreted
    submitted_at   DATETIME(6)     NOT NULL,
    PRIMARY KEY (session_id, module_type),
    CONSTRAINT fk_module_scores_session FOREIGN KEY (session_id)
        REFERENCES podium.exam_sessions (session_id),
    CONSTRAINT ck_module_scores_max_score CHECK (max_score > 0),
    CONSTRAINT ck_module_scores_raw_score CHECK (raw_score BETWEEN 0 AND max_score),
    CONSTRAINT ck_module_scores_time_spent_sec CHECK (time_spent_sec >= 0)
) ENGINE = InnoDB COMMENT = 'Current score of each module of each session';
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/050_module_scores.sql', 'a99bdc9dc74921a2dbbad00b775800473c8b7a242e0754a2276daea3b4209165', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- One row per board. Its row lock orders all writes of that board: whoever changes anything keyed
-- by a board holds this row FOR UPDATE first.
CREATE TABLE IF NOT EXISTS podium.leaderboards (
    board_id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    exam_id            BIGINT UNSIGNED NOT NULL,
    revision           BIGINT UNSIGNED NOT NULL DEFAULT 0,      -- committed changes so far
    total_participants INT UNSIGNED    NOT NULL DEFAULT 0,      -- entries of the board
    head_hash          BINARY(32)      NOT NULL,                -- hash of the newest revision
    changed_at         DATETIME(6)     NOT NULL,                -- of the newest revision
    PRIMARY KEY (board_id),
    -- every call that names an exam
    CONSTRAINT uq_leaderboards_exam UNIQUE (exam_id),
    CONSTRAINT fk_leaderboards_exam FOREIGN KEY (exam_id) REFERENCES podium.exams (exam_id)
) ENGINE = InnoDB COMMENT = 'Boards: revision, size and head of the hash chain';
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/060_leaderboards.sql', '55c23f0e92fa9ffef5d905e21092b56397a2287fa2dec56505f222cb2fe1cbf8', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- One row per candidate on a board: the attempt that counts, with its totals. The rank is not
-- stored, since one submission moves many; it is read from the counters.
CREATE TABLE IF NOT EXISTS podium.leaderboard_snapshot (
    board_id       BIGINT UNSIGNED NOT NULL,
    user_id        BIGINT UNSIGNED NOT NULL,
    session_id     BIGINT UNSIGNED NOT NULL,
    total_score    DECIMAL(7, 4)   NOT NULL,
    total_time_sec INT             NOT NULL,
    standing_key   BIGINT          NOT NULL,        -- of exam_sessions
    PRIMARY KEY (board_id, user_id),
    -- get_leaderboard, get_around: pages in board order
    INDEX ix_leaderboard_snapshot_standing_key (board_id, standing_key DESC, user_id),
    CONSTRAINT fk_leaderboard_snapshot_board FOREIGN KEY (board_id)
        REFERENCES podium.leaderboards (board_id),
    CONSTRAINT fk_leaderboard_snapshot_user FOREIGN KEY (user_id) REFERENCES podium.users (user_id),
    CONSTRAINT fk_leaderboard_snapshot_session FOREIGN KEY (session_id)
        REFERENCES podium.exam_sessions (session_id)
) ENGINE = InnoDB COMMENT = 'Entries of the boards';
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/061_leaderboard_snapshot.sql', '05d821e0f48abf761fb09914d8315ef4bd455afdc4fc972608ee18b709590eec', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The levels of the rank counters, filled by sql/seed/leaderboard_levels.sql. Two keys lie in the
-- same range of a level where key >> shift is the same; that range is divided into those of the
-- level below, which are child_shift wide. A range is known by its lowest possible key,
-- key >> shift << shift.
CREATE TABLE IF NOT EXISTS podium.leaderboard_levels (
    level       TINYINT UNSIGNED  NOT NULL,     -- the highest holds one range, the board
    shift       TINYINT UNSIGNED  NOT NULL,
    child_shift TINYINT UNSIGNED  NOT NULL,     -- 0: divided into single standings
    capacity    SMALLINT UNSIGNED NOT NULL,     -- a range with more standings is divided
    PRIMARY KEY (level),
    -- There is nothing to divide single standings into.
    CONSTRAINT ck_leaderboard_levels_capacity CHECK (child_shift > 0 OR capacity >= 1 << shift)
) ENGINE = InnoDB COMMENT = 'Widths of the ranges that the rank counters count';
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/062_leaderboard_levels.sql', '00495b0a190f9385082f2dc94ecdbbf16f130db2a14f19325cfe98465e1ab995', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- How many distinct standings, and how many entries, lie in each range of keys: a tree that grows
-- where the board is crowded. A range lists its standings, a row each, until there are more than
-- its level allows. From then on it is divided, and has a row for each range of the level below
-- that somebody has been in. A row counts one part of one range: (level, parent) names the range,
-- bucket is the lowest key of the part. A rank is one more than the standings of the parts with a
-- greater bucket, summed over the ranges that the key lies in. A divided range stays divided, and a
-- range that all have left keeps its row, until the board is recalculated; a standing that all have
-- left goes. parent is stored, not computed: only equality on a stored column is executed as a
-- look-up.
CREATE TABLE IF NOT EXISTS podium.leaderboard_counters (
    board_id  BIGINT UNSIGNED  NOT NULL,
    level     TINYINT UNSIGNED NOT NULL,
    parent    BIGINT           NOT NULL,
    bucket    BIGINT           NOT NULL,
    standings INT              NOT NULL,
    entries   INT              NOT NULL,
    divided   BOOLEAN          NULL,            -- NULL: a single standing
    -- _rank, _write_submissions, _find_place: the parts of one range, best last
    PRIMARY KEY (board_id, level, parent, bucket),
    -- No foreign keys: they would be looked up for each new row, a twentieth of an array's time,
    -- and check_leaderboard compares all rows with what follows from the entries.
    CONSTRAINT ck_leaderboard_counters_standings CHECK (standings BETWEEN 0 AND entries),
    CONSTRAINT ck_leaderboard_counters_divided CHECK (divided IN (FALSE, TRUE))
) ENGINE = InnoDB COMMENT = 'Distinct standings and entries per range of standing keys';
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/063_leaderboard_counters.sql', 'e0a3deb2843401d8a047081e58528f8bf8971e3871c993d49741309aedda3be3', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- One row per committed change of a board, in commit order and without gaps. Its hash covers the
-- revision before it and its own audit rows, so that no row of the history can change unnoticed.
-- Append-only.
CREATE TABLE IF NOT EXISTS podium.leaderboard_revisions (
    board_id      BIGINT UNSIGNED NOT NULL,
    revision      BIGINT UNSIGNED NOT NULL,
    reason        ENUM (
                      'submissions',    -- submit_score, submit_scores
                      'weights',        -- update_exam_weights
                      'recalculation'   -- recalculate_leaderboard
                  ) NOT NULL,
    submissions   INT UNSIGNED    NOT NULL,         -- audit rows of this revision
    actor         VARCHAR(300)    NULL,             -- NULL of submissions: see their audit rows
    details       JSON            NULL,             -- of weights: the old and the new ones
    previous_hash BINARY(32)      NOT NULL,
    hash          BINARY(32)      NOT NULL,
    committed_at  DATETIME(6)     NOT NULL,         -- never earlier than the revision before
    PRIMARY KEY (board_id, revision),
    CONSTRAINT fk_leaderboard_revisions_board FOREIGN KEY (board_id)
        REFERENCES podium.leaderboards (board_id)
) ENGINE = InnoDB COMMENT = 'Feed and hash chain of the changes of each board';
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/064_leaderboard_revisions.sql', '1c8bf77df18797a6f1e2ec1b93c4811b4edeff34a155a2aec860eb48903f4891', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- One row per accepted submission, for ever. Triggers refuse UPDATE and DELETE; the digest feeds
-- the hash chain of leaderboard_revisions and is computed from the row whenever it is read.
CREATE TABLE IF NOT EXISTS podium.score_audit_log (
    audit_id                  BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, -- per board in commit order
    board_id                  BIGINT UNSIGNED NOT NULL,
    revision                  BIGINT UNSIGNED NOT NULL,
    item_no                   INT UNSIGNED    NOT NULL,     -- place in the array it came in
    submission_id             VARCHAR(64)     COLLATE utf8mb4_0900_bin NOT NULL, -- NO PAD
    payload_hash              BINARY(32)      NOT NULL,     -- of what was submitted, for replays
    session_id                BIGINT UNSIGNED NOT NULL,
    user_id                   BIGINT UNSIGNED NOT NULL,     -- whose session
    module_type               ENUM ('coding', 'quiz', 'assessment') NOT NULL,
    actor_id                  BIGINT UNSIGNED NULL,         -- NULL: the MySQL account itself
    actor                     VARCHAR(300)    NOT NULL,     -- user:7, or root@localhost
    request_id                VARCHAR(64)     COLLATE utf8mb4_0900_bin NULL, -- of the HTTP request
    version                   INT UNSIGNED    NOT NULL,     -- of the session, after it
    old_raw_score             DECIMAL(30, 20) NULL,         -- NULL: the module's first score
    old_max_score             DECIMAL(30, 20) NULL,
    old_weighted_score        DECIMAL(7, 4)   NULL,
    old_time_spent_sec        INT             NULL,
    new_raw_score             DECIMAL(30, 20) NOT NULL,
    new_max_score             DECIMAL(30, 20) NOT NULL,
    new_weighted_score        DECIMAL(7, 4)   NOT NULL,
    new_time_spent_sec        INT             NOT NULL,
    details                   JSON            NULL,
    old_total_score           DECIMAL(7, 4)   NOT NULL,     -- of the session
    new_total_score           DECIMAL(7, 4)   NOT NULL,
    -- The candidate's entry on the board at this revision: what the submitter was answered.
    entry_rank                INT UNSIGNED    NOT NULL,
    entry_total_score         DECIMAL(7, 4)   NOT NULL,
    entry_weighted_coding     DECIMAL(7, 4)   NOT NULL,
    entry_weighted_quiz       DECIMAL(7, 4)   NOT NULL,
    entry_weighted_assessment DECIMAL(7, 4)   NOT NULL,
    entry_total_time_sec      INT             NOT NULL,
    created_at                DATETIME(6)     NOT NULL,
    digest                    BINARY(32)      AS (
                                  UNHEX(SHA2(JSON_ARRAY(
                                      board_id, revision, item_no, submission_id, HEX(payload_hash),
                                      session_id, user_id, module_type, actor_id, actor, request_id,
                                      version, old_raw_score, old_max_score, old_weighted_score,
                                      old_time_spent_sec, new_raw_score, new_max_score,
                                      new_weighted_score, new_time_spent_sec, details,
                                      old_total_score, new_total_score,
                                      entry_rank, entry_total_score, entry_weighted_coding,
                                      entry_weighted_quiz, entry_weighted_assessment,
                                      entry_total_time_sec, created_at), 256))
                              ) VIRTUAL,
    PRIMARY KEY (audit_id),
    -- submit_scores: has this submission been accepted before?
    CONSTRAINT uq_score_audit_log_submission_id UNIQUE (submission_id),
    -- get_audit_trail of an exam; verify_audit
    CONSTRAINT uq_score_audit_log_board_revision_item UNIQUE (board_id, revision, item_no),
    -- get_audit_trail of a session
    INDEX ix_score_audit_log_session (session_id, audit_id),
    CONSTRAINT fk_score_audit_log_board FOREIGN KEY (board_id)
        REFERENCES podium.leaderboards (board_id),
    CONSTRAINT fk_score_audit_log_session FOREIGN KEY (session_id)
        REFERENCES podium.exam_sessions (session_id)
) ENGINE = InnoDB COMMENT = 'Append-only history of accepted submissions';
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/070_score_audit_log.sql', '4b873dbf6d981010c534ed66e7f438fe834dfa7e53152df2c96a50d1e6c568d9', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- Every board for people who read with SQL. The rank is the window function itself; a condition on
-- exam_id, its partition column, is pushed down into the view.
CREATE OR REPLACE
    DEFINER = podium_owner@localhost
    SQL SECURITY DEFINER
    VIEW podium.leaderboard AS
SELECT
    b.exam_id,
    DENSE_RANK() OVER (
        PARTITION BY b.exam_id
        ORDER BY s.total_score DESC, s.total_time_sec ASC
    ) AS `rank`,
    s.user_id,
    u.username,
    u.full_name,
    s.total_score,
    s.total_time_sec,
    s.session_id,
    b.revision
FROM podium.leaderboards AS b
INNER JOIN podium.leaderboard_snapshot AS s ON s.board_id = b.board_id
INNER JOIN podium.users AS u ON u.user_id = s.user_id;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('schema/080_leaderboard.sql', '344aab3da2b5b3edc73ea7dbe00fca0c8ba414d9869a03d285f979aa28302d07', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The catalog is replaced whole: what is not listed here no longer exists.
START TRANSACTION;

DELETE FROM podium.error_catalog;

INSERT INTO podium.error_catalog (code, errno, http_status, title, pointer)
VALUES
    -- 500xx: any call
    ('invalid_value', 50000, 422, 'A value breaks a rule', NULL),
    ('malformed_json', 50001, 400, 'The body is not valid JSON', NULL),
    ('unsupported_media_type', 50002, 415, 'The body must be application/json', NULL),
    ('payload_too_large', 50003, 413, 'The body is too large', NULL),
    ('token_missing', 50004, 401, 'A bearer token is required', NULL),
    ('token_invalid', 50005, 401, 'The bearer token is not valid', NULL),
    ('forbidden', 50006, 403, 'The role does not allow this', NULL),
    ('route_not_found', 50007, 404, 'No such address', NULL),
    ('method_not_allowed', 50008, 405, 'The address does not take this method', NULL),
    ('rate_limited', 50009, 429, 'Too many requests', NULL),
    ('database_unavailable', 50010, 503, 'The database cannot be had in time', NULL),
    ('internal_error', 50011, 500, 'Something went wrong inside Podium', NULL),
    ('too_many_items', 50012, 422, 'Too many submissions in one array', '/submissions'),
    ('malformed_request', 50013, 400, 'The request is not valid', NULL),
    ('too_many_streams', 50014, 503, 'No more streams can be opened here', NULL),
    -- 501xx: users
    ('user_not_found', 50100, 404, 'No such user', '/user_id'),
    ('username_taken', 50101, 409, 'The user name is taken', '/username'),
    ('username_invalid', 50102, 422, 'The user name is not valid', '/username'),
    ('full_name_invalid', 50103, 422, 'The full name is not valid', '/full_name'),
    ('role_invalid', 50104, 422, 'The role is not known', '/role'),
    ('actor_not_found', 50105, 404, 'The acting user does not exist', NULL),
    ('candidates_invalid', 50106, 422, 'The candidates are not an array of objects',
     '/candidates'),
    -- 502xx: exams
    ('exam_not_found', 50200, 404, 'No such exam', '/exam_id'),
    ('weights_invalid', 50201, 422, 'The weights are not valid', '/weights'),
    ('title_invalid', 50202, 422, 'The title is not valid', '/title'),
    ('max_attempts_invalid', 50203, 422, 'The number of attempts is not valid', '/max_attempts'),
    ('attempt_policy_invalid', 50204, 422, 'The attempt policy is not known', '/attempt_policy'),
    ('schedule_invalid', 50205, 422, 'The exam ends before it starts', '/ends_at'),
    ('duration_invalid', 50206, 422, 'The duration is not valid', '/duration_sec'),
    ('exam_not_open', 50207, 409, 'The exam has not started', '/exam_id'),
    ('exam_ended', 50208, 409, 'The exam has ended', '/exam_id'),
    -- 503xx: sessions
    ('session_not_found', 50300, 404, 'No such session', '/session_id'),
    ('session_finished', 50301, 409, 'The session is finished', '/session_id'),
    ('deadline_passed', 50302, 409, 'The deadline of the session has passed', '/session_id'),
    ('attempts_exhausted', 50303, 409, 'No attempt is left', '/exam_id'),
    ('not_own_session', 50304, 403, 'The session belongs to somebody else', '/session_id'),
    -- 504xx: scores
    ('version_conflict', 50400, 409, 'The session has changed since', '/expected_version'),
    ('submission_id_reused', 50401, 409, 'The submission id stands for another submission',
     '/submission_id'),
    ('module_unknown', 50402, 422, 'The module does not exist', '/module_type'),
    ('raw_score_invalid', 50403, 422, 'The raw score is not valid', '/raw_score'),
    ('max_score_invalid', 50404, 422, 'The maximum score is not valid', '/max_score'),
    ('time_spent_invalid', 50405, 422, 'The time spent is not valid', '/time_spent_sec'),
    ('details_invalid', 50406, 422, 'The details are not valid', '/details'),
    ('expected_version_invalid', 50407, 422, 'The expected version is not valid',
     '/expected_version'),
    ('submission_id_invalid', 50408, 422, 'The submission id is not valid', '/submission_id'),
    ('submissions_invalid', 50409, 422, 'The submissions are not an array of objects',
     '/submissions'),
    ('request_id_invalid', 50410, 422, 'The request id is not valid', '/request_id'),
    -- 505xx: boards
    ('entry_not_found', 50500, 404, 'The user is not on the board', '/user_id'),
    ('page_invalid', 50501, 422, 'The page number is not valid', '/page'),
    ('per_page_invalid', 50502, 422, 'The page size is not valid', '/per_page'),
    ('window_invalid', 50503, 422, 'The window is not valid', '/window'),
    ('limit_invalid', 50504, 422, 'The limit is not valid', '/limit'),
    -- 506xx: history
    ('audit_append_only', 50600, 409, 'The audit log is append-only', NULL);

COMMIT;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('seed/error_catalog.sql', 'd5b69e8f1a1ab82f65f4d13cc92fa8f2beb05f3a881cd4d10f6c57641490d841', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The time is the low 22 bits of a standing_key, the score the 20 above them; no key reaches 2^42.
-- A rank reads at most 16 rows on each level of the score, at most 64 on each of the time, and the
-- standings of one range that is not divided. A submission writes a row a level, down to that
-- range: narrower levels read less and write more. The lowest range has no more keys than it may
-- list. A change here calls for recalculate_leaderboard of every exam; rows are therefore never
-- changed, only added where missing.
INSERT INTO podium.leaderboard_levels (level, shift, child_shift, capacity)
VALUES
    (1, 5, 0, 32),
    (2, 11, 5, 48),
    (3, 17, 11, 48),
    (4, 22, 17, 48),
    (5, 26, 22, 48),
    (6, 30, 26, 48),
    (7, 34, 30, 48),
    (8, 38, 34, 48),
    (9, 42, 38, 48),
    (10, 63, 42, 1)
ON DUPLICATE KEY UPDATE level = leaderboard_levels.level;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('seed/leaderboard_levels.sql', '890649650572ce34f6ebda73d8dacdab637904ba3fa76684653eb8c72747143a', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._advance_board;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._advance_board(
    p_board_id BIGINT UNSIGNED,
    p_reason   VARCHAR(20),
    p_actor_id BIGINT,
    p_details  JSON
)
    COMMENT 'Closes a revision that no submission made'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A rebuilt board is a new revision too: whoever follows revisions sees it.
    -- Parameters:  p_board_id  of leaderboards
    --              p_reason    of leaderboard_revisions
    --              p_actor_id  acting user; NULL: the MySQL account itself
    --              p_details   what was changed; NULL: nothing but the board
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE, the board locked
    -- Locks:       the new revision
    -- Example:     CALL _advance_board(1, 'recalculation', NULL, NULL);
    INSERT INTO leaderboard_revisions (
        board_id, revision, reason, submissions, actor, details, previous_hash, hash, committed_at
    )
    SELECT
        n.board_id, n.revision, p_reason, 0, n.actor, p_details, n.previous_hash,
        _revision_hash(
            n.previous_hash, n.revision, p_reason, 0, n.actor, p_details, n.committed_at, NULL),
        n.committed_at
    FROM (
        SELECT
            board_id,
            revision + 1 AS revision,
            COALESCE(CONCAT('user:', p_actor_id), USER()) AS actor,
            head_hash AS previous_hash,
            GREATEST(UTC_TIMESTAMP(6), changed_at) AS committed_at
        FROM leaderboards
        WHERE board_id = p_board_id
    ) AS n;

    UPDATE leaderboards AS b
    STRAIGHT_JOIN leaderboard_revisions AS r
        ON r.board_id = b.board_id AND r.revision = b.revision + 1
    SET b.revision = r.revision,
        b.head_hash = r.hash,
        b.changed_at = r.committed_at,
        b.total_participants = (
            SELECT COUNT(*) FROM leaderboard_snapshot AS s WHERE s.board_id = p_board_id
        )
    WHERE b.board_id = p_board_id;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_advance_board.sql', '16d2e53d029ec1117423f912019879d1fffc30531db24bce19ea3b68002a88f1', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._decide_in_order;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._decide_in_order()
    COMMENT 'Decides items whose fate hangs on the items before them'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     In one array an expected_version may count on submissions before it, and a
    --              submission id may come twice. The items are walked in order, as if each had come
    --              alone.
    -- Parameters:  none; reads tmp_items
    -- Result sets: none; sets code in tmp_items: NULL accepted, 'replay' the same as an item before
    --              it, or why it is refused; and base_version of the refused, to what they have met
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE, the boards locked
    -- Locks:       none; temporary tables only
    -- Example:     CALL _decide_in_order();
    DECLARE v_verdicts JSON;

    -- The state of the walk, one JSON object: what accepted items have left behind, by session (v:
    -- number of items accepted, t: total time), by module (m: time) and by submission id (s:
    -- payload).
    WITH RECURSIVE
    items AS (
        SELECT
            ROW_NUMBER() OVER (ORDER BY i.item_no) AS place,
            i.item_no,
            i.code,
            i.expected_version,
            i.base_version,
            i.base_time_sec,
            i.time_spent_sec,
            COALESCE(i.old_time_spent_sec, 0) AS old_time_spent_sec,
            HEX(i.payload_hash) AS payload,
            CONCAT('$.v', i.session_id) AS version_path,
            CONCAT('$.t', i.session_id) AS time_path,
            CONCAT('$.m', i.session_id, i.module_type) AS module_path,
            CONCAT('$.s', HEX(i.submission_id)) AS id_path
        FROM tmp_items AS i
    ),
    walk AS (
        SELECT
            CAST(0 AS UNSIGNED) AS place,
            CAST(NULL AS UNSIGNED) AS item_no,
            CAST(NULL AS CHAR(40)) AS code,
            CAST(NULL AS SIGNED) AS met_version,
            CAST('{}' AS JSON) AS state
        UNION ALL
        SELECT
            i.place,
            i.item_no,
            v.code,
            i.base_version + v.version,
            IF(v.code IS NOT NULL, w.state, JSON_SET(
                w.state,
                i.version_path, v.version + 1,
                i.time_path, v.total_time_sec,
                i.module_path, i.time_spent_sec,
                i.id_path, i.payload
            ))
        FROM walk AS w
        INNER JOIN items AS i ON i.place = w.place + 1
        INNER JOIN LATERAL (
            SELECT
                d.version,
                d.total_time_sec,
                CASE
                    -- First, as for ids in the log: a repeat is one even after the session's end.
                    WHEN d.payload = i.payload THEN 'replay'
                    WHEN d.payload IS NOT NULL THEN 'submission_id_reused'
                    WHEN i.code IS NOT NULL THEN i.code
                    WHEN i.expected_version <> i.base_version + d.version THEN 'version_conflict'
                    WHEN d.total_time_sec > 4194303 THEN 'time_spent_invalid'
                END AS code
            FROM (
                SELECT
                    COALESCE(CAST(JSON_EXTRACT(w.state, i.version_path) AS SIGNED), 0) AS version,
                    COALESCE(CAST(JSON_EXTRACT(w.state, i.time_path) AS SIGNED), i.base_time_sec)
                        - COALESCE(CAST(JSON_EXTRACT(w.state, i.module_path) AS SIGNED),
                                   i.old_time_spent_sec)
                        + i.time_spent_sec AS total_time_sec,
                    JSON_UNQUOTE(JSON_EXTRACT(w.state, i.id_path)) AS payload
            ) AS d
        ) AS v ON TRUE
    )
    SELECT /*+ SET_VAR(cte_max_recursion_depth = 1001) */
        JSON_OBJECTAGG(w.item_no, JSON_OBJECT('code', w.code, 'version', w.met_version))
    INTO v_verdicts
    FROM walk AS w
    WHERE w.place > 0;

    -- Through a variable, since a temporary table cannot be read in the statement that updates it.
    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ tmp_items
    SET code = NULLIF(
            JSON_UNQUOTE(JSON_EXTRACT(v_verdicts, CONCAT('$."', item_no, '".code'))), 'null'),
        base_version = IF(
            code IS NULL,
            base_version,
            JSON_EXTRACT(v_verdicts, CONCAT('$."', item_no, '".version'))
        );
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_decide_in_order.sql', '5786192f2dff9bc1b3eee085e98b8a43fcd6fb0a8368f5cbda78e71166f2aff0', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._find_attempts;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._find_attempts(
    p_exam_id      BIGINT,
    p_max_attempts INT,
    p_closed       VARCHAR(40)
)
    COMMENT 'Finds the attempt in progress of each candidate read, or the one to start'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The rules of start_session for all candidates in one statement.
    -- Parameters:  p_exam_id       of create_exam
    --              p_max_attempts  of the exam
    --              p_closed        exam_not_open or exam_ended; NULL: attempts may start
    -- Result sets: none; leaves a row per item of tmp_candidates in tmp_attempts
    -- Errors:      none
    -- Transaction: the caller's, READ COMMITTED: the users just created are seen, nothing is locked
    -- Locks:       none
    -- Example:     CALL _find_attempts(1, 1, NULL);
    CREATE TEMPORARY TABLE IF NOT EXISTS tmp_attempts (
        item_no      INT UNSIGNED    NOT NULL,
        user_id      BIGINT UNSIGNED NULL,
        user_created BOOLEAN         NOT NULL,
        attempt_no   INT UNSIGNED    NOT NULL,  -- the one in progress, or to start
        starts       BOOLEAN         NOT NULL,  -- by this item
        code         VARCHAR(40)     CHARACTER SET ascii COLLATE ascii_bin NULL,
        PRIMARY KEY (item_no)
    ) ENGINE = InnoDB;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_attempts;

    INSERT INTO tmp_attempts (item_no, user_id, user_created, attempt_no, starts, code)
    SELECT
        i.item_no, i.user_id, i.user_created, i.attempt_no,
        i.code IS NULL AND NOT i.in_progress AND i.repeat_no = 1,
        i.code
    FROM (
        SELECT
            t.item_no,
            t.repeat_no,
            u.user_id,
            t.user_id IS NULL AND u.user_id IS NOT NULL AND t.repeat_no = 1 AS user_created,
            COALESCE(s.status = 'in_progress', FALSE) AS in_progress,
            COALESCE(s.attempt_no + (s.status <> 'in_progress'), 1) AS attempt_no,
            CASE
                WHEN t.code IS NOT NULL THEN t.code
                WHEN s.status = 'in_progress' THEN NULL
                WHEN p_closed IS NOT NULL THEN p_closed
                WHEN s.attempt_no >= p_max_attempts THEN 'attempts_exhausted'
            END AS code
        FROM tmp_candidates AS t
        LEFT JOIN users AS u FORCE INDEX (uq_users_username)
            ON u.username = IF(t.code IS NULL, t.username, NULL)
        LEFT JOIN LATERAL (
            SELECT attempt_no, status
            FROM exam_sessions
            WHERE exam_id = p_exam_id AND user_id = u.user_id
            ORDER BY attempt_no DESC
            LIMIT 1
        ) AS s ON TRUE
    ) AS i;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_find_attempts.sql', '66b21b3a816148d1d528038d0a1cf54f8fe203d0872b19f7a6ff13ab0e9774ea', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._find_board;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._find_board(
    p_exam_id      BIGINT,
    OUT o_board_id BIGINT UNSIGNED
)
    COMMENT 'Finds the board of an exam'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     An exam and its board are created together and last; every call that names an
    --              exam begins here.
    -- Parameters:  p_exam_id   of create_exam
    --              o_board_id  of leaderboards
    -- Result sets: none
    -- Errors:      exam_not_found
    -- Transaction: the caller's
    -- Locks:       none, or shared on the board inside a SERIALIZABLE transaction
    -- Example:     CALL _find_board(1, @board_id);
    -- Not SET: outside of a SELECT InnoDB reads the newest rows and locks them, in any isolation.
    SELECT (SELECT board_id FROM leaderboards WHERE exam_id = p_exam_id) INTO o_board_id;

    IF o_board_id IS NULL THEN
        CALL _raise('exam_not_found',
                    CONCAT('exam ', COALESCE(p_exam_id, 'NULL'), ' does not exist'));
    END IF;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_find_board.sql', '2c72ccbea5fce61f50e9ef449885b90e73850983c0f6fb1db203bafa5a0cae7b', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._find_place;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._find_place(
    p_board_id         BIGINT UNSIGNED,
    p_offset           BIGINT,
    OUT o_standing_key BIGINT,
    OUT o_skip         BIGINT
)
    COMMENT 'Finds the standing at a place of the board order'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Deep pages at the cost of the first: the entries before them are counted by the
    --              counters, not read.
    -- Parameters:  p_board_id      of leaderboards
    --              p_offset        entries before the place, from 0
    --              o_standing_key  the standing that holds the place; NULL: past the end
    --              o_skip          entries with that standing that lie before the place
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's
    -- Locks:       none in a consistent read
    -- Example:     CALL _find_place(1, 50, @standing_key, @skip);
    DECLARE v_level INT;
    DECLARE v_parent BIGINT;
    DECLARE v_bucket BIGINT;
    DECLARE v_divided BOOLEAN;
    DECLARE v_before BIGINT;

    SET o_skip = p_offset;
    SELECT MAX(level) INTO v_level FROM leaderboard_levels;     -- Not SET: see _find_board.

    -- A loop, since the range that is looked into is the one chosen on the level above: as many
    -- rounds as there are levels at most, whatever the offset.
    descent: REPEAT
        SET v_parent = COALESCE(v_bucket, 0), v_bucket = NULL;

        SELECT c.bucket, c.divided, c.before_it
        INTO v_bucket, v_divided, v_before
        FROM (
            SELECT
                bucket,
                divided,
                entries,
                SUM(entries) OVER (ORDER BY bucket DESC ROWS UNBOUNDED PRECEDING) - entries
                    AS before_it
            FROM leaderboard_counters
            WHERE board_id = p_board_id AND level = v_level AND parent = v_parent
        ) AS c
        WHERE c.before_it <= o_skip AND c.before_it + c.entries > o_skip;

        IF v_bucket IS NULL THEN
            LEAVE descent;
        END IF;
        SET o_skip = o_skip - v_before, v_level = v_level - 1;
    UNTIL v_divided IS NULL END REPEAT;

    SET o_standing_key = v_bucket;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_find_place.sql', 'dd6c4317a3bc7ea82dafc95b4fd51df65dc8dc24834490bb84b6cdb17b83a019', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._lock_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._lock_submissions()
    COMMENT 'Locks boards and sessions of tmp_submissions and decides each item'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Everything that can change between two submissions is read here, under the
    --              board's lock: weights, status, deadline, version, the scores to be replaced.
    -- Parameters:  none; reads tmp_submissions
    -- Result sets: none; leaves the items not refused so far in tmp_items, the code set where one
    --              is refused
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE
    -- Locks:       the boards in ascending order, each followed by its sessions, FOR UPDATE; then,
    --              shared, the exams and the module scores to be replaced. Every look-up is by a
    --              whole unique key that exists, so that records are locked and never gaps: two
    --              boards do not meet.
    -- Example:     CALL _lock_submissions();
    INSERT INTO tmp_items (
        place, item_no, board_id, exam_id, session_id, user_id, module_type, raw_score, max_score,
        weighted_score, time_spent_sec, expected_version, submission_id, payload_hash,
        base_version, base_total_score, base_time_sec,
        old_raw_score, old_max_score, old_weighted_score, old_time_spent_sec,
        max_attempts, attempt_policy, depends, code
    )
    SELECT
        t.place, t.item_no, b.board_id, e.exam_id, s.session_id, s.user_id, t.module_type,
        t.raw_score, t.max_score,
        _weighted_score(
            t.module_type, t.raw_score, t.max_score,
            e.weight_coding, e.weight_quiz, e.weight_assessment),
        t.time_spent_sec, t.expected_version, t.submission_id, t.payload_hash,
        s.version, s.total_score, s.total_time_sec,
        m.raw_score, m.max_score, m.weighted_score, m.time_spent_sec,
        e.max_attempts, e.attempt_policy,
        t.id_items > 1
            OR (t.session_items > 1
                AND (t.expected_version IS NOT NULL
                     OR s.total_time_sec + t.session_time_sec > 4194303)),
        CASE
            WHEN t.actor_id = s.user_id AND s.status = 'finished' THEN 'session_finished'
            WHEN t.actor_id = s.user_id AND UTC_TIMESTAMP(6) > s.deadline_at THEN 'deadline_passed'
            WHEN t.session_items > 1 OR t.id_items > 1 THEN NULL
            WHEN t.expected_version <> s.version THEN 'version_conflict'
            WHEN s.total_time_sec - COALESCE(m.time_spent_sec, 0) + t.time_spent_sec > 4194303
                THEN 'time_spent_invalid'
        END
    FROM tmp_submissions AS t FORCE INDEX (PRIMARY)
    STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = t.board_id
    STRAIGHT_JOIN exams AS e FORCE INDEX (PRIMARY) ON e.exam_id = b.exam_id
    STRAIGHT_JOIN exam_sessions AS s FORCE INDEX (PRIMARY) ON s.session_id = t.session_id
    -- No key, no look-up: a search for a score that is not there would lock the gap it is missing
    -- from.
    LEFT JOIN module_scores AS m FORCE INDEX (PRIMARY)
        ON m.session_id = CASE
            WHEN t.module_type = 'coding' AND s.weighted_coding IS NOT NULL THEN s.session_id
            WHEN t.module_type = 'quiz' AND s.weighted_quiz IS NOT NULL THEN s.session_id
            WHEN t.module_type = 'assessment' AND s.weighted_assessment IS NOT NULL
                THEN s.session_id
        END
        AND m.module_type = t.module_type
    WHERE t.code IS NULL AND NOT t.replayed
    ORDER BY t.place        -- the boards ascend
    FOR UPDATE OF b, s;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_lock_submissions.sql', 'bdbb09ecdd0e4d4c9e2876f3031f53d2fb4b025e38d207c905e28d5e722c81d4', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._open_workspace;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._open_workspace(
    p_items INT
)
    COMMENT 'Empties the temporary tables of a submission, creating them where need be'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A set-based submission works on temporary tables. They are held in memory: of
    --              rows deleted from InnoDB something stays for a while, and slows who reads the
    --              table next. They live as long as the connection, since creating them takes a
    --              tenth of a submission; but a table in memory keeps the places of deleted rows,
    --              so that after a large array they are created anew.
    -- Parameters:  p_items  in the array they are for
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _open_workspace(1);
    DECLARE c_large INT DEFAULT 200;
    DECLARE v_max_heap_table_size BIGINT UNSIGNED DEFAULT @@max_heap_table_size;
    DECLARE v_engine VARCHAR(64) DEFAULT @@default_tmp_storage_engine;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET max_heap_table_size = v_max_heap_table_size, default_tmp_storage_engine = v_engine;
        RESIGNAL;
    END;

    -- As _settle_session does; tmp_submissions then draws the id.
    SET timestamp = DEFAULT;
    IF @@insert_id <> 0 THEN
        SET insert_id = 1;
    END IF;

    -- A connection that is reset loses the variable and the tables together. The name carries the
    -- shape of the tables: a release that changes one changes the names, so that old connections
    -- get new tables. Its value is the number of items that they were used for last.
    IF COALESCE(@podium_workspace_4 > c_large, TRUE) THEN
        -- A thousand items take 2 MB. Where the engine is disabled, as in a group of servers that
        -- replicate each other, the server takes InnoDB, unless sql_mode forbids it. This sql_mode
        -- is the routine's own; the other two are the caller's.
        SET max_heap_table_size = 16777216, default_tmp_storage_engine = InnoDB;
        SET sql_mode = 'STRICT_ALL_TABLES';
        DROP TEMPORARY TABLE IF EXISTS
            tmp_submissions, tmp_details, tmp_items, tmp_entries, tmp_standings, tmp_parts;

        -- What came in: one row per item of the array, values read and judged for themselves.
        CREATE TEMPORARY TABLE tmp_submissions (
            place            INT UNSIGNED    NOT NULL,      -- from 1, by board_id and item_no
            board_id         BIGINT UNSIGNED NOT NULL,      -- 0: the item names no board
            item_no          INT UNSIGNED    NOT NULL,      -- from 0
            session_id       BIGINT          NULL,          -- as it came, negative ones included
            user_id          BIGINT UNSIGNED NULL,
            module_type      VARCHAR(20)     NULL,
            raw_score        DECIMAL(30, 20) NULL,
            max_score        DECIMAL(30, 20) NULL,
            time_spent_sec   INT             NULL,
            expected_version BIGINT          NULL,
            submission_id    VARCHAR(64)     COLLATE utf8mb4_0900_bin NULL,
            payload_hash     BINARY(32)      NULL,
            actor_id         BIGINT          NULL,
            request_id       VARCHAR(64)     COLLATE utf8mb4_0900_bin NULL,
            code             VARCHAR(40)     CHARACTER SET ascii COLLATE ascii_bin NULL,
            replayed         BOOLEAN         NOT NULL,
            current_version  INT UNSIGNED    NULL,          -- of the session, for a conflict
            id_items         INT UNSIGNED    NOT NULL,      -- items with this submission_id
            session_items    INT UNSIGNED    NOT NULL,      -- items for this session
            session_time_sec BIGINT          NULL,          -- their times, summed
            -- Draws the id that the caller may have set, in place of the audit log.
            drawn_id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
            PRIMARY KEY USING BTREE (place),
            UNIQUE (drawn_id)
        ) ENGINE = MEMORY;

        -- The details of those that have any: a table in memory holds no JSON.
        CREATE TEMPORARY TABLE tmp_details (
            place   INT UNSIGNED NOT NULL,                  -- of tmp_submissions
            details JSON         NOT NULL,
            PRIMARY KEY (place)
        ) ENGINE = InnoDB;

        -- What is left of it under the lock, beside the state of its session before the array.
        CREATE TEMPORARY TABLE tmp_items (
            place              INT UNSIGNED      NOT NULL,  -- of tmp_submissions
            item_no            INT UNSIGNED      NOT NULL,
            board_id           BIGINT UNSIGNED   NOT NULL,
            exam_id            BIGINT UNSIGNED   NOT NULL,
            session_id         BIGINT UNSIGNED   NOT NULL,
            user_id            BIGINT UNSIGNED   NOT NULL,
            module_type        VARCHAR(20)       NOT NULL,
            raw_score          DECIMAL(30, 20)   NOT NULL,
            max_score          DECIMAL(30, 20)   NOT NULL,
            weighted_score     DECIMAL(7, 4)     NOT NULL,
            time_spent_sec     INT               NOT NULL,
            expected_version   BIGINT            NULL,
            submission_id      VARCHAR(64)       COLLATE utf8mb4_0900_bin NOT NULL,
            payload_hash       BINARY(32)        NOT NULL,
            base_version       INT UNSIGNED      NOT NULL,
            base_total_score   DECIMAL(7, 4)     NOT NULL,
            base_time_sec      INT               NOT NULL,
            old_raw_score      DECIMAL(30, 20)   NULL,
            old_max_score      DECIMAL(30, 20)   NULL,
            old_weighted_score DECIMAL(7, 4)     NULL,
            old_time_spent_sec INT               NULL,
            max_attempts       SMALLINT UNSIGNED NOT NULL,
            attempt_policy     VARCHAR(20)       NOT NULL,
            depends            BOOLEAN           NOT NULL,  -- on what happens to items before it
            code               VARCHAR(40)       CHARACTER SET ascii COLLATE ascii_bin NULL,
            PRIMARY KEY (place)
        ) ENGINE = MEMORY;

        -- What it does to the boards: one row per candidate whose entry is written.
        CREATE TEMPORARY TABLE tmp_entries (
            entry_no            INT UNSIGNED    NOT NULL,   -- from 1, by board_id and user_id
            board_id            BIGINT UNSIGNED NOT NULL,
            user_id             BIGINT UNSIGNED NOT NULL,
            session_id          BIGINT UNSIGNED NOT NULL,   -- the attempt that counts now
            total_score         DECIMAL(7, 4)   NOT NULL,
            total_time_sec      INT             NOT NULL,
            weighted_coding     DECIMAL(7, 4)   NOT NULL,
            weighted_quiz       DECIMAL(7, 4)   NOT NULL,
            weighted_assessment DECIMAL(7, 4)   NOT NULL,
            old_key             BIGINT          NULL,       -- NULL: was not on the board
            new_key             BIGINT          NOT NULL,
            entry_rank          INT UNSIGNED    NULL,
            PRIMARY KEY (entry_no)
        ) ENGINE = MEMORY;

        -- The standings that somebody leaves or takes, where they are listed, and how many hold
        -- them before and after.
        CREATE TEMPORARY TABLE tmp_standings (
            board_id     BIGINT UNSIGNED  NOT NULL,
            standing_key BIGINT           NOT NULL,
            level        TINYINT UNSIGNED NOT NULL,         -- with parent the range that lists it
            parent       BIGINT           NOT NULL,
            old_entries  INT              NOT NULL,
            new_entries  INT              NOT NULL,
            PRIMARY KEY (board_id, standing_key)
        ) ENGINE = MEMORY;

        -- Rows of leaderboard_counters that a range is about to be divided into.
        CREATE TEMPORARY TABLE tmp_parts (
            board_id    BIGINT UNSIGNED  NOT NULL,
            level       TINYINT UNSIGNED NOT NULL,
            parent      BIGINT           NOT NULL,
            bucket      BIGINT           NOT NULL,
            child_shift TINYINT UNSIGNED NOT NULL,          -- of the level
            standings   INT              NOT NULL,
            entries     INT              NOT NULL,
            PRIMARY KEY (board_id, level, parent, bucket)
        ) ENGINE = MEMORY;

        SET max_heap_table_size = v_max_heap_table_size, default_tmp_storage_engine = v_engine;
    END IF;
    SET @podium_workspace_4 = p_items;

    -- The hint is for clients with --safe-updates, which want a key in every WHERE.
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_submissions;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_details;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_items;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_entries;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_standings;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_parts;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_open_workspace.sql', '12edd77227d56f7ecc644d28f4403a6b0c7205abcc65fbbbbda30db168ee882d', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._raise;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._raise(
    p_code   VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin,
    p_detail TEXT
)
    COMMENT 'Fails with an error of the catalog'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The only place that signals. SQLSTATE 45000, the errno of the catalog, and a
    --              message that begins with the code.
    -- Parameters:  p_code    of error_catalog
    --              p_detail  what was wrong and what to do, for people; cut to what a message holds
    -- Result sets: none
    -- Errors:      p_code; an unknown code fails with 1644, which no caller expects, so that a test
    --              sees it
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _raise('exam_not_found', 'exam 7 does not exist');
    --              ERROR 50200 (45000): exam_not_found: exam 7 does not exist
    DECLARE v_errno INT DEFAULT 1644;
    -- Past 128 characters the server would replace the error with one about its length.
    DECLARE v_message VARCHAR(128) DEFAULT LEFT(CONCAT(p_code, ': ', COALESCE(p_detail, '')), 128);

    SELECT errno INTO v_errno
    FROM error_catalog
    WHERE code = p_code;

    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = v_errno, MESSAGE_TEXT = v_message;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_raise.sql', '4051860cd702a1a096840ae586d89a9283f14e3e5baa7ab06bf37196672bed4e', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._rank;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._rank(
    p_board_id     BIGINT UNSIGNED,
    p_standing_key BIGINT
)
    RETURNS INT UNSIGNED
    COMMENT 'Dense rank of a standing on a board'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One more than the number of distinct better standings, from the counters.
    -- Parameters:  p_board_id      of leaderboards
    --              p_standing_key  of leaderboard_snapshot
    -- Result:      rank from 1; NULL for a NULL key
    -- Errors:      none
    -- Locks:       none in a consistent read
    -- Example:     SELECT _rank(1, 3512758272303);
    RETURN IF(p_standing_key IS NULL, NULL, 1 + (
        SELECT COALESCE(SUM(c.standings), 0)
        FROM leaderboard_levels AS l
        STRAIGHT_JOIN leaderboard_counters AS c
            ON c.board_id = p_board_id
            AND c.level = l.level
            AND c.parent = p_standing_key >> l.shift << l.shift
            AND c.bucket > p_standing_key
    ));
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_rank.sql', '307824fac90c7f3ae8707cb6e39f877584f7a8d8d3aeb852521d7ca27442a5e9', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._read_candidates;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._read_candidates(
    p_candidates JSON,
    p_actor_id   BIGINT
)
    COMMENT 'Reads an array of candidates and judges each for itself'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Values, and who is known already, for all items in one statement.
    -- Parameters:  p_candidates  array of objects, see register_candidates
    --              p_actor_id    acting user; NULL: the MySQL account itself
    -- Result sets: none; leaves a row per item in tmp_candidates, its code set where it is refused
    -- Errors:      candidates_invalid, too_many_items
    -- Transaction: the caller's, READ COMMITTED: a plain consistent read, since INSERT ... SELECT
    --              would lock what it reads in any stricter level
    -- Locks:       none
    -- Example:     CALL _read_candidates('[{"username": "alice", "full_name": "Alice"}]', NULL);
    IF COALESCE(JSON_TYPE(p_candidates), 'NULL') <> 'ARRAY' THEN
        CALL _raise('candidates_invalid', 'candidates must be a JSON array of objects');
    END IF;
    IF JSON_LENGTH(p_candidates) > 1000 THEN
        CALL _raise('too_many_items',
                    CONCAT(JSON_LENGTH(p_candidates),
                           ' candidates, at most 1000 go in one array'));
    END IF;

    CREATE TEMPORARY TABLE IF NOT EXISTS tmp_candidates (
        item_no   INT UNSIGNED    NOT NULL,     -- from 0
        username  VARCHAR(64)     COLLATE utf8mb4_0900_as_ci NULL,
        full_name VARCHAR(200)    NULL,
        repeat_no INT UNSIGNED    NOT NULL,     -- from 1, among the sound items of this username
        user_id   BIGINT UNSIGNED NULL,         -- NULL: nobody is called so yet
        code      VARCHAR(40)     CHARACTER SET ascii COLLATE ascii_bin NULL,
        PRIMARY KEY (item_no)
    ) ENGINE = InnoDB;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_candidates;

    INSERT INTO tmp_candidates (item_no, username, full_name, repeat_no, user_id, code)
    SELECT
        i.item_no,
        i.username,
        i.full_name,
        ROW_NUMBER() OVER (PARTITION BY i.code IS NULL, i.username ORDER BY i.item_no),
        u.user_id,
        CASE
            WHEN i.code IS NOT NULL THEN i.code
            WHEN a.username <> i.username THEN 'not_own_session'
        END
    FROM (
        SELECT
            j.item_no - 1 AS item_no,
            j.username,
            j.full_name,
            CASE
                WHEN COALESCE(JSON_TYPE(j.item), 'NULL') <> 'OBJECT' THEN 'candidates_invalid'
                -- Text and nothing else: JSON_TABLE would make a name of true or 7. What is longer
                -- than its column is NULL here.
                WHEN COALESCE(TRIM(j.username), '') = ''
                    OR COALESCE(JSON_TYPE(j.username_json), 'NULL') <> 'STRING'
                    THEN 'username_invalid'
                WHEN COALESCE(TRIM(j.full_name), '') = ''
                    OR COALESCE(JSON_TYPE(j.full_name_json), 'NULL') <> 'STRING'
                    THEN 'full_name_invalid'
            END AS code
        FROM JSON_TABLE(
            p_candidates, '$[*]'
            COLUMNS (
                item_no        FOR ORDINALITY,
                item           JSON         PATH '$',
                username       VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_ci
                                            PATH '$.username',
                username_json  JSON         PATH '$.username',
                full_name      VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci
                                            PATH '$.full_name',
                full_name_json JSON         PATH '$.full_name'
            )
        ) AS j
    ) AS i
    LEFT JOIN users AS u FORCE INDEX (uq_users_username) ON u.username = i.username
    LEFT JOIN users AS a FORCE INDEX (PRIMARY)
        ON a.user_id = p_actor_id AND a.role = 'candidate';
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_read_candidates.sql', '7d232275d3d5f4548c3b0643e97657a07aa87ef13573e1a0092d8109712d1292', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._read_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._read_submissions(
    p_submissions JSON,
    p_actor_id    BIGINT
)
    COMMENT 'Reads an array of submissions and judges what no lock is needed for'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Values, existence, ownership and replays, for all items in one statement. What
    --              it reads of a session never changes: its exam and its user. What may change is
    --              read under the lock.
    -- Parameters:  p_submissions  array of objects, see submit_scores
    --              p_actor_id     acting user of items that name none; NULL: the MySQL account
    --                             itself
    -- Result sets: none; leaves a row per item in tmp_submissions, its code set where it is refused
    -- Errors:      submissions_invalid, too_many_items
    -- Transaction: the caller's, READ COMMITTED: a plain consistent read, since INSERT ... SELECT
    --              would lock what it reads in any stricter level
    -- Locks:       none
    -- Example:     CALL _read_submissions('[{"session_id": 1, "module_type": "quiz"}]', NULL);
    IF COALESCE(JSON_TYPE(p_submissions), 'NULL') <> 'ARRAY' THEN
        CALL _raise('submissions_invalid', 'submissions must be a JSON array of objects');
    END IF;
    IF JSON_LENGTH(p_submissions) > 1000 THEN
        CALL _raise('too_many_items',
                    CONCAT(JSON_LENGTH(p_submissions),
                           ' submissions, at most 1000 go in one array'));
    END IF;

    INSERT INTO tmp_submissions (
        place, board_id, item_no, session_id, user_id, module_type, raw_score, max_score,
        time_spent_sec, expected_version, submission_id, payload_hash, actor_id, request_id,
        code, replayed,
        id_items, session_items, session_time_sec
    )
    SELECT
        ROW_NUMBER() OVER (ORDER BY b.board_id, i.item_no),
        COALESCE(b.board_id, 0),
        i.item_no,
        i.session_id,
        s.user_id,
        i.module_type,
        i.raw_score,
        i.max_score,
        i.time_spent_sec,
        i.expected_version,
        COALESCE(i.submission_id, UUID()),
        i.payload_hash,
        i.actor_id,
        i.request_id,
        CASE
            WHEN i.code IS NOT NULL THEN i.code
            WHEN s.session_id IS NULL THEN 'session_not_found'
            WHEN i.actor_id IS NOT NULL AND i.actor_role IS NULL AND a.user_id IS NULL
                THEN 'actor_not_found'
            WHEN COALESCE(i.actor_role, a.role) = 'candidate' AND i.actor_id <> s.user_id
                THEN 'not_own_session'
            WHEN r.payload_hash <> i.payload_hash THEN 'submission_id_reused'
        END,
        COALESCE(r.payload_hash = i.payload_hash AND i.code IS NULL, FALSE),
        IF(i.submission_id IS NULL, 1, COUNT(*) OVER (PARTITION BY i.submission_id)),
        COUNT(*) OVER (PARTITION BY i.session_id),
        -- Of sound items only: a negative time would hide how long the others are.
        SUM(IF(i.code IS NULL, i.time_spent_sec, 0)) OVER (PARTITION BY i.session_id)
    FROM (
        SELECT
            j.item_no - 1 AS item_no,
            -- Nothing but a whole number: JSON_TABLE would make a session of true, "1" or 1.4.
            IF(JSON_TYPE(j.session_json) IN ('INTEGER', 'UNSIGNED INTEGER'), j.session_id, NULL)
                AS session_id,
            j.module_type,
            j.raw_score,
            j.max_score,
            j.time_spent_sec,
            j.expected_version,
            j.submission_id,
            -- Canonical: the same values give the same hash, however they were written.
            UNHEX(SHA2(JSON_ARRAY(
                j.session_id, j.module_type, j.raw_score, j.max_score, j.time_spent_sec,
                IF(JSON_TYPE(j.details) = 'NULL', NULL, j.details)
            ), 256)) AS payload_hash,
            COALESCE(j.actor_id, p_actor_id) AS actor_id,
            j.actor_role,
            j.request_id,
            CASE
                WHEN COALESCE(JSON_TYPE(j.item), 'NULL') <> 'OBJECT' THEN 'submissions_invalid'
                WHEN COALESCE(j.module_type, '') NOT IN ('coding', 'quiz', 'assessment')
                    THEN 'module_unknown'
                WHEN j.max_score IS NULL OR j.max_score <= 0
                    OR JSON_TYPE(j.max_json)
                        NOT IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')
                    THEN 'max_score_invalid'
                WHEN j.raw_score IS NULL OR j.raw_score NOT BETWEEN 0 AND j.max_score
                    OR JSON_TYPE(j.raw_json)
                        NOT IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')
                    THEN 'raw_score_invalid'
                WHEN j.time_spent_sec IS NULL OR j.time_spent_sec NOT BETWEEN 0 AND 4194303
                    OR JSON_TYPE(j.time_json) NOT IN ('INTEGER', 'UNSIGNED INTEGER')
                    THEN 'time_spent_invalid'
                WHEN JSON_TYPE(j.details) NOT IN ('NULL', 'OBJECT') OR LENGTH(j.details) > 65535
                    THEN 'details_invalid'
                WHEN JSON_TYPE(j.version_json) <> 'NULL'
                    AND (JSON_TYPE(j.version_json) NOT IN ('INTEGER', 'UNSIGNED INTEGER')
                         OR j.expected_version IS NULL OR j.expected_version < 0)
                    THEN 'expected_version_invalid'
                WHEN JSON_TYPE(j.id_json) <> 'NULL'
                    AND (JSON_TYPE(j.id_json) <> 'STRING' OR j.submission_id IS NULL
                         OR NOT REGEXP_LIKE(j.submission_id, '\\A[ -~]{1,64}\\z'))
                    THEN 'submission_id_invalid'
                -- Who cannot be read is nobody, not the account itself.
                WHEN JSON_TYPE(j.actor_json) <> 'NULL'
                    AND (JSON_TYPE(j.actor_json) NOT IN ('INTEGER', 'UNSIGNED INTEGER')
                         OR j.actor_id IS NULL)
                    THEN 'actor_not_found'
                WHEN JSON_TYPE(j.role_json) <> 'NULL'
                    AND COALESCE(j.actor_role, '') NOT IN ('candidate', 'moderator', 'admin')
                    THEN 'role_invalid'
                WHEN JSON_TYPE(j.request_json) <> 'NULL'
                    AND (JSON_TYPE(j.request_json) <> 'STRING' OR j.request_id IS NULL
                         OR NOT REGEXP_LIKE(j.request_id, '\\A[A-Za-z0-9._-]{1,64}\\z'))
                    THEN 'request_id_invalid'
            END AS code
        FROM JSON_TABLE(
            p_submissions, '$[*]'
            COLUMNS (
                item_no          FOR ORDINALITY,
                item             JSON            PATH '$',
                session_id       BIGINT          PATH '$.session_id',
                session_json     JSON            PATH '$.session_id',
                module_type      VARCHAR(20)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                                 PATH '$.module_type',
                raw_score        DECIMAL(30, 20) PATH '$.raw_score',
                raw_json         JSON            PATH '$.raw_score',
                max_score        DECIMAL(30, 20) PATH '$.max_score',
                max_json         JSON            PATH '$.max_score',
                time_spent_sec   INT             PATH '$.time_spent_sec',
                time_json        JSON            PATH '$.time_spent_sec',
                details          JSON            PATH '$.details',
                expected_version BIGINT          PATH '$.expected_version',
                version_json     JSON            PATH '$.expected_version',
                submission_id    VARCHAR(64)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                                 PATH '$.submission_id',
                id_json          JSON            PATH '$.submission_id',
                actor_id         BIGINT          PATH '$.actor_id',
                actor_json       JSON            PATH '$.actor_id',
                actor_role       VARCHAR(20)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                                 PATH '$.actor_role',
                role_json        JSON            PATH '$.actor_role',
                request_id       VARCHAR(64)     CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
                                                 PATH '$.request_id',
                request_json     JSON            PATH '$.request_id'
            )
        ) AS j
    ) AS i
    -- Of tables that it takes for small the optimizer would otherwise read everything.
    LEFT JOIN exam_sessions AS s FORCE INDEX (PRIMARY) ON s.session_id = i.session_id
    LEFT JOIN leaderboards AS b FORCE INDEX (uq_leaderboards_exam) ON b.exam_id = s.exam_id
    LEFT JOIN users AS a FORCE INDEX (PRIMARY) ON a.user_id = i.actor_id
    LEFT JOIN score_audit_log AS r FORCE INDEX (uq_score_audit_log_submission_id)
        ON r.submission_id = i.submission_id;

    IF JSON_CONTAINS_PATH(p_submissions, 'one', '$[*].details') THEN
        INSERT INTO tmp_details (place, details)
        SELECT t.place, j.details
        FROM JSON_TABLE(
            p_submissions, '$[*]'
            COLUMNS (
                item_no FOR ORDINALITY,
                details JSON PATH '$.details'
            )
        ) AS j
        STRAIGHT_JOIN tmp_submissions AS t ON t.item_no = j.item_no - 1
        WHERE t.code IS NULL AND JSON_TYPE(j.details) = 'OBJECT';
    END IF;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_read_submissions.sql', '04a3b1a8efd5049b6aed317c13c9ad585c9ab3680e11f227d45a4bd455969ee8', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._rebuild_board;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._rebuild_board(
    p_board_id BIGINT UNSIGNED
)
    COMMENT 'Computes everything derived from module_scores anew'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Weighted scores, session totals, entries and counters of a board from the raw
    --              scores. Its cost grows with the exam: it is for changes of the weights and for
    --              repair, and the baseline that the counters are measured against.
    -- Parameters:  p_board_id  of leaderboards
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE, the board locked
    -- Locks:       all sessions and module scores of the exam, all entries and counters of the
    --              board
    -- Example:     CALL _rebuild_board(1);
    DECLARE v_exam_id BIGINT UNSIGNED DEFAULT (
        SELECT exam_id FROM leaderboards WHERE board_id = p_board_id
    );
    DECLARE v_level INT DEFAULT (SELECT MAX(level) FROM leaderboard_levels);

    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ exams AS e
    STRAIGHT_JOIN exam_sessions AS s FORCE INDEX (uq_exam_sessions_exam_user_attempt)
        ON s.exam_id = e.exam_id
    STRAIGHT_JOIN module_scores AS m FORCE INDEX (PRIMARY) ON m.session_id = s.session_id
    SET m.weighted_score = _weighted_score(
        m.module_type, m.raw_score, m.max_score,
        e.weight_coding, e.weight_quiz, e.weight_assessment)
    WHERE e.exam_id = v_exam_id;

    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ (
        SELECT
            n.session_id,
            MAX(IF(m.module_type = 'coding', m.weighted_score, NULL)) AS coding,
            MAX(IF(m.module_type = 'quiz', m.weighted_score, NULL)) AS quiz,
            MAX(IF(m.module_type = 'assessment', m.weighted_score, NULL)) AS assessment,
            COALESCE(SUM(m.time_spent_sec), 0) AS total_time_sec
        FROM exam_sessions AS n FORCE INDEX (uq_exam_sessions_exam_user_attempt)
        LEFT JOIN module_scores AS m FORCE INDEX (PRIMARY) ON m.session_id = n.session_id
        WHERE n.exam_id = v_exam_id
        GROUP BY n.session_id
    ) AS t
    STRAIGHT_JOIN exam_sessions AS s FORCE INDEX (PRIMARY) ON s.session_id = t.session_id
    SET s.weighted_coding = t.coding,
        s.weighted_quiz = t.quiz,
        s.weighted_assessment = t.assessment,
        s.total_time_sec = t.total_time_sec;

    DELETE FROM leaderboard_snapshot WHERE board_id = p_board_id;

    INSERT INTO leaderboard_snapshot (
        board_id, user_id, session_id, total_score, total_time_sec, standing_key
    )
    SELECT p_board_id, c.user_id, c.session_id, c.total_score, c.total_time_sec, c.standing_key
    FROM (
        SELECT
            s.user_id,
            s.session_id,
            s.total_score,
            s.total_time_sec,
            s.standing_key,
            ROW_NUMBER() OVER (
                PARTITION BY s.user_id
                ORDER BY
                    CASE e.attempt_policy
                        WHEN 'best' THEN -s.standing_key
                        WHEN 'latest' THEN -CAST(s.attempt_no AS SIGNED)
                        ELSE CAST(s.attempt_no AS SIGNED)
                    END,
                    s.attempt_no
            ) AS preference
        FROM exams AS e
        INNER JOIN exam_sessions AS s FORCE INDEX (uq_exam_sessions_exam_user_attempt)
            ON s.exam_id = e.exam_id
        WHERE e.exam_id = v_exam_id AND s.version > 0
    ) AS c
    WHERE c.preference = 1;

    -- Not the row of the whole board, which keeps other boards' gaps unlocked: see _write_exam.
    DELETE /*+ SET_VAR(range_optimizer_max_mem_size = 8388608) */ FROM leaderboard_counters
    WHERE board_id = p_board_id AND level < v_level;

    -- From the board down, as many rounds as there are levels: a range that holds more standings
    -- than its level allows is divided, and the next round finds its parts.
    INSERT INTO leaderboard_counters (board_id, level, parent, bucket, standings, entries, divided)
    SELECT p_board_id, v_level, 0, 0, n.standings, n.entries, n.standings > n.capacity
    FROM (
        SELECT
            COUNT(DISTINCT e.standing_key) AS standings,
            COUNT(e.standing_key) AS entries,
            MIN(l.capacity) AS capacity
        FROM leaderboard_levels AS l
        LEFT JOIN leaderboard_snapshot AS e ON e.board_id = p_board_id
        WHERE l.level = v_level - 1
    ) AS n
    ON DUPLICATE KEY UPDATE
        standings = n.standings, entries = n.entries, divided = n.standings > n.capacity;

    WHILE v_level > 1 DO
        SET v_level = v_level - 1;

        INSERT INTO leaderboard_counters (
            board_id, level, parent, bucket, standings, entries, divided
        )
        SELECT
            p_board_id, MIN(l.level), r.bucket,
            IF(r.divided, k.standing_key >> l.child_shift << l.child_shift, k.standing_key)
                AS part,
            COUNT(*), SUM(k.entries), IF(r.divided, COUNT(*) > MIN(b.capacity), NULL)
        FROM leaderboard_levels AS l
        INNER JOIN leaderboard_levels AS u ON u.level = l.level + 1
        LEFT JOIN leaderboard_levels AS b ON b.level = l.level - 1
        STRAIGHT_JOIN (
            SELECT standing_key, COUNT(*) AS entries
            FROM leaderboard_snapshot
            WHERE board_id = p_board_id
            GROUP BY standing_key
        ) AS k
        STRAIGHT_JOIN leaderboard_counters AS r FORCE INDEX (PRIMARY)
            ON r.board_id = p_board_id
            AND r.level = u.level
            AND r.parent = k.standing_key >> u.shift << u.shift
            AND r.bucket = k.standing_key >> l.shift << l.shift
            AND r.divided IS NOT NULL       -- a standing may have the lowest key of a range
        WHERE l.level = v_level
        GROUP BY r.bucket, r.divided, part;
    END WHILE;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_rebuild_board.sql', 'bf7a9ef374ce8ca7c5d2f922367eebeef2287ec985ebb7ede483735c83a97956', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._refusal;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._refusal(
    p_code             VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin,
    p_session_id       BIGINT,
    p_actor_id         BIGINT,
    p_expected_version BIGINT,
    p_current_version  INT UNSIGNED
)
    RETURNS VARCHAR(128)
    COMMENT 'What a refused submission is told'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One wording for the rows of submit_scores and the errors of submit_score.
    -- Parameters:  p_code             of error_catalog
    --              p_current_version  of the session, for version_conflict
    -- Result:      the text behind the code
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _refusal('version_conflict', 42, NULL, 3, 5);
    --              session 42 is at version 5, not 3
    DECLARE v_session VARCHAR(40) DEFAULT CONCAT('session ', COALESCE(p_session_id, 'NULL'));

    RETURN CASE p_code
        WHEN 'submissions_invalid' THEN 'a submission must be a JSON object'
        WHEN 'module_unknown' THEN 'module_type must be coding, quiz or assessment'
        WHEN 'raw_score_invalid' THEN 'raw_score must be a number from 0 to max_score'
        WHEN 'max_score_invalid' THEN 'max_score must be a number above 0 and below 10000000000'
        WHEN 'time_spent_invalid'
            THEN 'time_spent_sec must be a whole number from 0; a session holds at most 4194303'
        WHEN 'details_invalid' THEN 'details must be a JSON object of at most 65535 bytes'
        WHEN 'expected_version_invalid' THEN 'expected_version must be a whole number from 0'
        WHEN 'submission_id_invalid' THEN 'submission_id must be 1 to 64 printable ASCII characters'
        WHEN 'request_id_invalid'
            THEN 'request_id must be 1 to 64 letters, digits, dots, dashes and underscores'
        WHEN 'role_invalid' THEN 'actor_role must be candidate, moderator or admin'
        WHEN 'session_not_found' THEN CONCAT(v_session, ' does not exist')
        WHEN 'actor_not_found' THEN COALESCE(
            CONCAT('user ', p_actor_id, ' does not exist and cannot act'),
            'actor_id must be the number of a user')
        WHEN 'not_own_session' THEN CONCAT(v_session, ' does not belong to user ', p_actor_id)
        WHEN 'submission_id_reused'
            THEN 'this submission id came with other values before; take a new one'
        WHEN 'session_finished' THEN CONCAT(v_session, ' is finished')
        WHEN 'deadline_passed' THEN CONCAT('the deadline of ', v_session, ' has passed')
        WHEN 'version_conflict' THEN CONCAT(
            v_session, ' is at version ', p_current_version, ', not ', p_expected_version)
    END;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_refusal.sql', 'a7c83a2829832c2a614a65013811975f4162fa5fefbdf72790aef86d7e5fbf37', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._require_actor;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._require_actor(
    p_actor_id   BIGINT,
    p_user_id    BIGINT,
    p_session_id BIGINT
)
    COMMENT 'Refuses candidates who act for somebody else'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A candidate starts and finishes his own sessions, staff anybody's.
    -- Parameters:  p_actor_id    acting user; NULL: the MySQL account itself, which may
    --              p_user_id     whose session it is
    --              p_session_id  named in the message; NULL: one that is about to start
    -- Result sets: none
    -- Errors:      not_own_session
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _require_actor(7, 8, 42);
    --              ERROR 50304 (45000): not_own_session: session 42 does not belong to user 7
    IF p_actor_id <> p_user_id
        AND EXISTS (SELECT 1 FROM users WHERE user_id = p_actor_id AND role = 'candidate') THEN
        CALL _raise('not_own_session', IF(
            p_session_id IS NULL,
            CONCAT('user ', p_actor_id, ' is a candidate and starts sessions for himself only'),
            CONCAT('session ', p_session_id, ' does not belong to user ', p_actor_id)
        ));
    END IF;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_require_actor.sql', 'b96c8f83ccab3cbd34d2e9ebd28169f88b36f51b6dd044821417999d30a1c294', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._require_weights;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._require_weights(
    p_weight_coding     DECIMAL(30, 15),
    p_weight_quiz       DECIMAL(30, 15),
    p_weight_assessment DECIMAL(30, 15)
)
    COMMENT 'Refuses weights that do not sum to 100'
    DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The rule of the table's constraints, told in words. The parameters are wider
    --              than the columns, so that 50.001 is refused and not rounded.
    -- Parameters:  points out of 100, at most two decimals, none NULL
    -- Result sets: none
    -- Errors:      weights_invalid
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _require_weights(50, 30, 19.99);
    --              ERROR 50201 (45000): weights_invalid: the weights sum to 99.99, not to 100
    IF p_weight_coding IS NULL OR p_weight_quiz IS NULL OR p_weight_assessment IS NULL THEN
        CALL _raise('weights_invalid', 'give all three weights or none');
    END IF;
    IF p_weight_coding NOT BETWEEN 0 AND 100 OR p_weight_quiz NOT BETWEEN 0 AND 100
        OR p_weight_assessment NOT BETWEEN 0 AND 100 THEN
        CALL _raise('weights_invalid', 'a weight must be 0 to 100');
    END IF;
    IF p_weight_coding <> ROUND(p_weight_coding, 2) OR p_weight_quiz <> ROUND(p_weight_quiz, 2)
        OR p_weight_assessment <> ROUND(p_weight_assessment, 2) THEN
        CALL _raise('weights_invalid', 'a weight has at most two decimals');
    END IF;
    IF p_weight_coding + p_weight_quiz + p_weight_assessment <> 100 THEN
        CALL _raise('weights_invalid', CONCAT(
            'the weights sum to ',
            CAST(p_weight_coding + p_weight_quiz + p_weight_assessment AS DECIMAL(6, 2)),
            ', not to 100'
        ));
    END IF;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_require_weights.sql', '9a7f89c7ef105c092245189221a3c45a6287bef9990d33c6665d21f38475eaa3', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._revise_board;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._revise_board(
    p_board_id          BIGINT UNSIGNED,
    p_weight_coding     DECIMAL(5, 2),
    p_weight_quiz       DECIMAL(5, 2),
    p_weight_assessment DECIMAL(5, 2),
    p_actor_id          BIGINT
)
    RETURNS BOOLEAN
    COMMENT 'Rebuilds a board, with new weights or the old ones, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Weights, all that is derived from them, and the revision: done or undone as a
    --              whole, by KILL QUERY too. See _write_submissions.
    -- Parameters:  p_board_id  of leaderboards
    --              p_weight_*  of the exam from now on; all NULL: as they are
    --              p_actor_id  acting user; NULL: the MySQL account itself
    -- Result:      TRUE
    -- Errors:      none
    -- Transaction: the caller's, SERIALIZABLE, the board locked
    -- Locks:       the exam, FOR UPDATE where its weights change, then those of _rebuild_board
    -- Example:     SET v_written = _revise_board(1, 40, 40, 20, NULL);
    DECLARE v_details JSON;

    IF p_weight_coding IS NOT NULL THEN
        SELECT JSON_OBJECT(
            'old', JSON_OBJECT(
                'coding', e.weight_coding, 'quiz', e.weight_quiz,
                'assessment', e.weight_assessment),
            'new', JSON_OBJECT(
                'coding', p_weight_coding, 'quiz', p_weight_quiz,
                'assessment', p_weight_assessment))
        INTO v_details
        FROM leaderboards AS b
        INNER JOIN exams AS e ON e.exam_id = b.exam_id
        WHERE b.board_id = p_board_id
        FOR UPDATE;

        UPDATE exams
        SET weight_coding = p_weight_coding,
            weight_quiz = p_weight_quiz,
            weight_assessment = p_weight_assessment
        WHERE exam_id = (SELECT exam_id FROM leaderboards WHERE board_id = p_board_id);
    END IF;

    CALL _rebuild_board(p_board_id);
    CALL _advance_board(
        p_board_id, IF(p_weight_coding IS NULL, 'recalculation', 'weights'), p_actor_id, v_details);

    RETURN TRUE;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_revise_board.sql', '3e03e7201f4145d67d55bd79ffbcee6c445516c09ea950c04795c0cf8fc15c01', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._revision_hash;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._revision_hash(
    p_previous_hash BINARY(32),
    p_revision      BIGINT UNSIGNED,
    p_reason        VARCHAR(20),
    p_submissions   INT UNSIGNED,
    p_actor         VARCHAR(300),
    p_details       JSON,
    p_committed_at  DATETIME(6),
    p_digests       LONGTEXT CHARACTER SET ascii
)
    RETURNS BINARY(32)
    COMMENT 'Hash of one link of the chain of a board'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one definition of the chain, for writing it and for verifying it.
    -- Parameters:  p_previous_hash  of the revision before; of revision 1: see create_exam
    --              p_digests        digests of its audit rows in hex, in order, without separator;
    --                               may be NULL
    -- Result:      SHA-256
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT HEX(_revision_hash(
    --                  REPEAT('\0', 32), 1, 'recalculation', 0, 'user:1', NULL, NOW(6), NULL));
    RETURN UNHEX(SHA2(JSON_ARRAY(
        HEX(p_previous_hash), p_revision, p_reason, p_submissions, p_actor, p_details,
        p_committed_at,
        SHA2(COALESCE(p_digests, ''), 256)
    ), 256));
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_revision_hash.sql', 'c4eb99122906a07c0b755e35129135c6b09854f195603c7d079dd6baabfcc9c3', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._settle_session;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._settle_session()
    COMMENT 'Takes back the clock and the next id that the caller has set'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     SET timestamp and SET insert_id take no privilege: an account with EXECUTE alone
    --              would choose the times of the history and evade deadlines, or use up the ids of
    --              a table for good. Called by whoever writes, except submissions, which do the
    --              same in _open_workspace.
    -- Parameters:  none
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's
    -- Locks:       none; a temporary table only
    -- Example:     CALL _settle_session();
    SET timestamp = DEFAULT;

    -- The id goes to the first row that draws one, and cannot be taken back in any other way: an id
    -- of 0 cannot even be seen. Any other becomes 1, since the last there is would fail here.
    IF @@insert_id <> 0 THEN
        SET insert_id = 1;
    END IF;
    CREATE TEMPORARY TABLE IF NOT EXISTS tmp_drawn_id (
        drawn_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        only_row BOOLEAN         NOT NULL,
        PRIMARY KEY (drawn_id),
        UNIQUE (only_row)
    ) ENGINE = InnoDB;
    INSERT INTO tmp_drawn_id (only_row) VALUES (TRUE) ON DUPLICATE KEY UPDATE only_row = TRUE;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_settle_session.sql', '4e6a52cbc691157edc1e1997f74453e0cf672dea2645ba8322152bea69f22e2c', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._submit;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._submit(
    p_submissions JSON,
    p_actor_id    BIGINT
)
    COMMENT 'Carries out an array of submissions in one SERIALIZABLE transaction'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one implementation of a submission. submit_score and submit_scores differ
    --              only in how they tell the outcome, so this private routine, and no other, owns a
    --              transaction.
    -- Parameters:  see submit_scores
    -- Result sets: none; leaves a row per item in tmp_submissions. Accepted and replayed items are
    --              found in score_audit_log by their submission_id.
    -- Errors:      submissions_invalid, too_many_items; 1568 inside an open transaction; 1205 and
    --              1213 after which nothing has happened and the caller may try again
    -- Transaction: its own: READ COMMITTED to read, then SERIALIZABLE to write
    -- Locks:       _lock_submissions, _write_submissions, in this order
    -- Example:     CALL _submit('[]', NULL);
    DECLARE v_done BOOLEAN DEFAULT FALSE;
    DECLARE v_attempts INT DEFAULT 0;
    DECLARE v_accepted INT;
    DECLARE v_refused INT;
    DECLARE v_depending INT;
    DECLARE v_written BOOLEAN;

    -- First of all, outside of any handler: in somebody's open transaction this fails and touches
    -- nothing.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    -- Again only where the same submission id was committed by somebody else since it was looked
    -- up.
    WHILE NOT v_done DO
        BEGIN
            DECLARE EXIT HANDLER FOR 1062
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                SET v_attempts = v_attempts + 1;
                IF v_attempts > 3 THEN
                    RESIGNAL;
                END IF;
                SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            END;
            DECLARE EXIT HANDLER FOR SQLEXCEPTION
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                RESIGNAL;
            END;

            START TRANSACTION;
            CALL _open_workspace(COALESCE(JSON_LENGTH(p_submissions), 0));
            CALL _read_submissions(p_submissions, p_actor_id);
            COMMIT AND NO CHAIN NO RELEASE;

            SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
            START TRANSACTION;
            CALL _lock_submissions();

            SELECT
                COALESCE(SUM(code IS NULL), 0), COALESCE(SUM(code IS NOT NULL), 0),
                COALESCE(SUM(depends), 0)
            INTO v_accepted, v_refused, v_depending
            FROM tmp_items;

            IF v_depending > 0 THEN
                CALL _decide_in_order();
                SELECT COALESCE(SUM(code IS NULL), 0), COALESCE(SUM(code IS NOT NULL), 0)
                INTO v_accepted, v_refused
                FROM tmp_items;
            END IF;

            IF v_refused > 0 THEN
                UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ tmp_submissions AS t
                INNER JOIN tmp_items AS i ON i.place = t.place
                SET t.replayed = i.code = 'replay',
                    t.code = NULLIF(i.code, 'replay'),
                    t.current_version = i.base_version
                WHERE i.code IS NOT NULL;
            END IF;

            IF v_accepted > 0 THEN
                SET v_written = _write_submissions();
            END IF;
            COMMIT AND NO CHAIN NO RELEASE;
            SET v_done = TRUE;
        END;
    END WHILE;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_submit.sql', '3eeb0056d3283b1aeac6c3205d3f4eb1c1e251742a53ed6fcf97dba3ee7b680b', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._weighted_score;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._weighted_score(
    p_module_type       VARCHAR(20),
    p_raw_score         DECIMAL(30, 20),
    p_max_score         DECIMAL(30, 20),
    p_weight_coding     DECIMAL(5, 2),
    p_weight_quiz       DECIMAL(5, 2),
    p_weight_assessment DECIMAL(5, 2)
)
    RETURNS DECIMAL(7, 4)
    COMMENT 'Points that a module adds to the total'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one definition of the weighted score.
    -- Parameters:  p_module_type  coding, quiz or assessment
    --              p_weight_*     of exams, points out of 100
    -- Result:      0 to the module's weight, rounded half up to 4 decimals
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _weighted_score('coding', 85.5, 100, 50, 30, 20);
    --              42.7500

    DECLARE v_weight DECIMAL(5, 2) DEFAULT CASE p_module_type
        WHEN 'coding' THEN p_weight_coding
        WHEN 'quiz' THEN p_weight_quiz
        WHEN 'assessment' THEN p_weight_assessment
    END;

    -- Whole ten-thousandths, half up, by the division that loses nothing: a / b would round its
    -- last digit, up to a half that is not there, and heed the session's div_precision_increment.
    RETURN (p_raw_score * v_weight * 20000 + p_max_score) DIV (2 * p_max_score) * 0.0001;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_weighted_score.sql', 'bb6f53bbc818d592e69f1a9a5fdbee6342d56b803996bf2942fd7b919a4aed51', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_exam;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_exam(
    p_title             VARCHAR(200),
    p_weight_coding     DECIMAL(5, 2),
    p_weight_quiz       DECIMAL(5, 2),
    p_weight_assessment DECIMAL(5, 2),
    p_max_attempts      INT,
    p_attempt_policy    VARCHAR(20),
    p_starts_at         DATETIME(6),
    p_ends_at           DATETIME(6),
    p_duration_sec      INT
)
    RETURNS BIGINT UNSIGNED
    COMMENT 'Writes an exam and its board, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     No exam without a board: done or undone as a whole, by KILL QUERY too. See
    --              _write_submissions.
    -- Parameters:  the columns of exams, judged by create_exam
    -- Result:      exam_id
    -- Errors:      none
    -- Transaction: the caller's
    -- Locks:       the new rows
    -- Example:     SET v_exam_id = _write_exam('Exam', 50, 30, 20, 1, 'best', NULL, NULL, NULL);
    DECLARE v_exam_id BIGINT UNSIGNED;

    INSERT INTO exams (
        title, weight_coding, weight_quiz, weight_assessment, max_attempts, attempt_policy,
        starts_at, ends_at, duration_sec, created_at
    )
    VALUES (
        p_title, p_weight_coding, p_weight_quiz, p_weight_assessment, p_max_attempts,
        p_attempt_policy, p_starts_at, p_ends_at, p_duration_sec, UTC_TIMESTAMP(6)
    );
    SET v_exam_id = LAST_INSERT_ID();

    -- The chain of each board begins with a value of its own, so that no history fits another
    -- board.
    INSERT INTO leaderboards (exam_id, head_hash, changed_at)
    VALUES (
        v_exam_id, UNHEX(SHA2(CONCAT('podium board of exam ', v_exam_id), 256)),
        UTC_TIMESTAMP(6)
    );

    -- The tree of its counters begins with the whole board, empty. This row is the last of the
    -- board's: who looks into one tree locks no gap of another's.
    INSERT INTO leaderboard_counters (
        board_id, level, parent, bucket, standings, entries, divided
    )
    SELECT LAST_INSERT_ID(), MAX(level), 0, 0, 0, 0, FALSE
    FROM leaderboard_levels;

    RETURN v_exam_id;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_write_exam.sql', 'a3077a36fe28c3fbdadf328397b6bdf2163f7d773767891fa6df58f0471f0c88', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._write_submissions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._write_submissions()
    RETURNS BOOLEAN
    COMMENT 'Writes the accepted items and all that follows from them, as one statement'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Scores, session totals, entries, counters, ranks, audit rows, revision: done or
    --              undone as a whole. KILL QUERY, which is what Ctrl-C in the mysql client sends,
    --              runs no handler: between the statements of a procedure it would leave half a
    --              submission in an open transaction, for the next COMMIT to keep. A function is
    --              one statement to the server.
    -- Parameters:  none; reads tmp_submissions and tmp_items, leaves in tmp_entries what became of
    --              the boards
    -- Result:      TRUE. It depends on the tables alone, hence DETERMINISTIC, which the server
    --              demands of a function that writes while the binary log is on
    -- Errors:      1062 where the same submission id has been committed since it was looked up: the
    --              caller starts again and finds it as a replay
    -- Transaction: the caller's, SERIALIZABLE, the boards locked
    -- Locks:       FOR UPDATE, in this order, the module scores, sessions, entries and counters
    --              written; shared, the counters that a rank sums. Where an exam allows several
    --              attempts, also the candidate's other sessions, shared, with the gap behind them:
    --              a new attempt waits. STRAIGHT_JOIN and FORCE INDEX throughout: from the few rows
    --              of this call to the tables by their keys. Of tables that it takes for small the
    --              optimizer would otherwise read, and so lock, what belongs to other boards.
    -- Example:     SET v_written = _write_submissions();

    -- One long body, since a temporary table cannot be reopened (1137) where two routines below a
    -- function use it, nor where it goes by two names: tmp_submissions is t, tmp_items is i, the
    -- others have no second one.

    -- Scores. The last accepted item of a module stands.
    INSERT INTO module_scores (
        session_id, module_type, raw_score, max_score, weighted_score, time_spent_sec, details,
        submitted_at
    )
    SELECT
        n.session_id, n.module_type, n.raw_score, n.max_score, n.weighted_score, n.time_spent_sec,
        n.details, UTC_TIMESTAMP(6)
    FROM (
        SELECT
            i.session_id, i.module_type, i.raw_score, i.max_score, i.weighted_score,
            i.time_spent_sec, tmp_details.details,
            ROW_NUMBER() OVER (
                PARTITION BY i.session_id, i.module_type ORDER BY i.item_no DESC
            ) AS newness
        FROM tmp_items AS i
        LEFT JOIN tmp_details ON tmp_details.place = i.place
        WHERE i.code IS NULL
    ) AS n
    WHERE n.newness = 1
    ON DUPLICATE KEY UPDATE
        raw_score = n.raw_score,
        max_score = n.max_score,
        weighted_score = n.weighted_score,
        time_spent_sec = n.time_spent_sec,
        details = n.details,
        submitted_at = UTC_TIMESTAMP(6);

    -- Sessions. Each accepted item counts one version.
    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ (
        SELECT
            n.session_id,
            COUNT(*) AS accepted,
            SUM(IF(n.newness = 1, n.time_spent_sec - COALESCE(n.old_time_spent_sec, 0), 0))
                AS time_gained,
            MAX(IF(n.newness = 1 AND n.module_type = 'coding', n.weighted_score, NULL)) AS coding,
            MAX(IF(n.newness = 1 AND n.module_type = 'quiz', n.weighted_score, NULL)) AS quiz,
            MAX(IF(n.newness = 1 AND n.module_type = 'assessment', n.weighted_score, NULL))
                AS assessment
        FROM (
            SELECT
                i.session_id, i.module_type, i.weighted_score, i.time_spent_sec,
                i.old_time_spent_sec,
                ROW_NUMBER() OVER (
                    PARTITION BY i.session_id, i.module_type ORDER BY i.item_no DESC
                ) AS newness
            FROM tmp_items AS i
            WHERE i.code IS NULL
        ) AS n
        GROUP BY n.session_id
    ) AS a
    STRAIGHT_JOIN exam_sessions AS s FORCE INDEX (PRIMARY) ON s.session_id = a.session_id
    SET s.version = s.version + a.accepted,
        s.total_time_sec = s.total_time_sec + a.time_gained,
        s.weighted_coding = COALESCE(a.coding, s.weighted_coding),
        s.weighted_quiz = COALESCE(a.quiz, s.weighted_quiz),
        s.weighted_assessment = COALESCE(a.assessment, s.weighted_assessment);

    -- Entries: the attempt that counts for each candidate, with the standing before and after.
    INSERT INTO tmp_entries (
        entry_no, board_id, user_id, session_id, total_score, total_time_sec,
        weighted_coding, weighted_quiz, weighted_assessment, old_key, new_key
    )
    SELECT
        ROW_NUMBER() OVER (ORDER BY c.board_id, c.user_id),
        c.board_id, c.user_id, c.session_id, c.total_score, c.total_time_sec,
        c.weighted_coding, c.weighted_quiz, c.weighted_assessment, o.standing_key, c.standing_key
    FROM (
        SELECT
            a.board_id,
            a.user_id,
            a.submitted_before OR COUNT(*) OVER (PARTITION BY a.board_id, a.user_id) > a.attempts
                AS listed,
            p.session_id,
            p.total_score,
            p.total_time_sec,
            COALESCE(p.weighted_coding, 0) AS weighted_coding,
            COALESCE(p.weighted_quiz, 0) AS weighted_quiz,
            COALESCE(p.weighted_assessment, 0) AS weighted_assessment,
            p.standing_key,
            ROW_NUMBER() OVER (
                PARTITION BY a.board_id, a.user_id
                ORDER BY
                    CASE a.attempt_policy
                        WHEN 'best' THEN -p.standing_key
                        WHEN 'latest' THEN -CAST(p.attempt_no AS SIGNED)
                        ELSE CAST(p.attempt_no AS SIGNED)
                    END,
                    p.attempt_no
            ) AS preference
        FROM (
            SELECT
                i.board_id,
                i.user_id,
                MIN(i.exam_id) AS exam_id,
                MIN(i.session_id) AS session_id,
                MIN(i.attempt_policy) AS attempt_policy,
                MIN(i.max_attempts) AS max_attempts,
                MAX(i.base_version) > 0 AS submitted_before,
                COUNT(DISTINCT i.session_id) AS attempts
            FROM tmp_items AS i
            WHERE i.code IS NULL
            GROUP BY i.board_id, i.user_id
        ) AS a
        -- One attempt at most: the session itself, found by its key, and no range is locked.
        LEFT JOIN exam_sessions AS r FORCE INDEX (uq_exam_sessions_exam_user_attempt)
            ON r.exam_id = IF(a.max_attempts > 1, a.exam_id, NULL)
            AND r.user_id = a.user_id
            AND r.version > 0
        STRAIGHT_JOIN exam_sessions AS p FORCE INDEX (PRIMARY)
            ON p.session_id = COALESCE(r.session_id, a.session_id)
    ) AS c
    -- No key, no look-up, no gap locked: see _lock_submissions.
    LEFT JOIN leaderboard_snapshot AS o FORCE INDEX (PRIMARY)
        ON o.board_id = c.board_id
        AND o.user_id = IF(c.listed, c.user_id, NULL)
    WHERE c.preference = 1;

    INSERT INTO leaderboard_snapshot (
        board_id, user_id, session_id, total_score, total_time_sec, standing_key
    )
    SELECT board_id, user_id, session_id, total_score, total_time_sec, new_key
    FROM tmp_entries
    ON DUPLICATE KEY UPDATE
        session_id = tmp_entries.session_id,
        total_score = tmp_entries.total_score,
        total_time_sec = tmp_entries.total_time_sec,
        standing_key = tmp_entries.new_key;

    -- Counters: each entry leaves its old standing and takes its new one. They move by these
    -- differences alone, so the cost does not depend on how many candidates there are. The lowest
    -- range of a key that has a row tells where its standing is listed: in this range, or where it
    -- is divided in the part of it that has none yet.
    INSERT INTO tmp_standings (board_id, standing_key, level, parent, old_entries, new_entries)
    SELECT
        p.board_id, p.standing_key, p.level, p.standing_key >> l.shift << l.shift,
        COALESCE(c.entries, 0), COALESCE(c.entries, 0) + p.gained
    FROM (
        SELECT
            k.board_id, k.standing_key, k.gained,
            COALESCE(
                (
                    SELECT l.level - 1 - r.divided
                    FROM leaderboard_levels AS l FORCE INDEX (PRIMARY)
                    STRAIGHT_JOIN leaderboard_counters AS r FORCE INDEX (PRIMARY)
                        ON r.board_id = k.board_id
                        AND r.level = l.level
                        AND r.parent = k.standing_key >> l.shift << l.shift
                        AND r.bucket = k.standing_key >> l.child_shift << l.child_shift
                    WHERE l.child_shift > 0 AND r.divided IS NOT NULL
                    ORDER BY l.level
                    LIMIT 1
                ),
                (SELECT MAX(level) - 1 FROM leaderboard_levels)
            ) AS level
        FROM (
            SELECT
                board_id,
                IF(m.sign > 0, new_key, old_key) AS standing_key,
                SUM(m.sign) AS gained
            FROM tmp_entries
            STRAIGHT_JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS m
            WHERE m.sign > 0 OR old_key IS NOT NULL
            GROUP BY board_id, standing_key
            HAVING gained <> 0
        ) AS k
    ) AS p
    STRAIGHT_JOIN leaderboard_levels AS l ON l.level = p.level
    LEFT JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
        ON c.board_id = p.board_id
        AND c.level = p.level
        AND c.parent = p.standing_key >> l.shift << l.shift
        AND c.bucket = p.standing_key;

    -- What would list too many standings is divided first, and its parts, where all crowd into one:
    -- as many rounds as there are levels, and mostly none. Divided afterwards, what this call lists
    -- would have to move, and InnoDB would pass over each place it has moved from.
    divide: LOOP
        INSERT INTO tmp_parts (
            board_id, level, parent, bucket, child_shift, standings, entries
        )
        SELECT
            f.board_id, f.level, f.parent,
            COALESCE(c.bucket >> l.child_shift << l.child_shift, f.parent) AS part,
            l.child_shift, COUNT(c.bucket), COALESCE(SUM(c.entries), 0)
        FROM (
            SELECT
                board_id, level, parent,
                SUM((new_entries > 0) - (old_entries > 0)) AS standings_gained
            FROM tmp_standings
            GROUP BY board_id, level, parent
            HAVING standings_gained > 0
        ) AS f
        STRAIGHT_JOIN leaderboard_levels AS l ON l.level = f.level
        STRAIGHT_JOIN leaderboard_levels AS u ON u.level = f.level + 1
        LEFT JOIN leaderboard_counters AS r FORCE INDEX (PRIMARY)
            ON r.board_id = f.board_id
            AND r.level = u.level
            AND r.parent = f.parent >> u.shift << u.shift
            AND r.bucket = f.parent
        LEFT JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
            ON c.board_id = f.board_id
            AND c.level = f.level
            AND c.parent = f.parent
        WHERE COALESCE(r.standings, 0) + f.standings_gained > l.capacity
        GROUP BY f.board_id, f.level, f.parent, part, l.child_shift;

        IF ROW_COUNT() = 0 THEN
            LEAVE divide;
        END IF;

        -- The standings that were listed go down a level, the parts take their place. A range that
        -- has listed none so far has no parts yet, and one row here with nothing in it.
        UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ (
            SELECT DISTINCT board_id, level, parent, child_shift FROM tmp_parts
        ) AS f
        STRAIGHT_JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
            ON c.board_id = f.board_id
            AND c.level = f.level
            AND c.parent = f.parent
        SET c.level = f.level - 1,
            c.parent = c.bucket >> f.child_shift << f.child_shift;

        INSERT INTO leaderboard_counters (
            board_id, level, parent, bucket, standings, entries, divided
        )
        SELECT board_id, level, parent, bucket, standings, entries, FALSE
        FROM tmp_parts
        WHERE standings > 0;

        UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ tmp_standings
        STRAIGHT_JOIN (
            SELECT DISTINCT board_id, level, parent, child_shift FROM tmp_parts
        ) AS f
            ON f.board_id = tmp_standings.board_id
            AND f.level = tmp_standings.level
            AND f.parent = tmp_standings.parent
        SET tmp_standings.level = f.level - 1,
            tmp_standings.parent =
                tmp_standings.standing_key >> f.child_shift << f.child_shift;

        DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_parts;
    END LOOP;

    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ c
    FROM tmp_standings
    STRAIGHT_JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
        ON c.board_id = tmp_standings.board_id
        AND c.level = tmp_standings.level
        AND c.parent = tmp_standings.parent
        AND c.bucket = tmp_standings.standing_key
    WHERE tmp_standings.new_entries = 0;

    INSERT INTO leaderboard_counters (board_id, level, parent, bucket, standings, entries)
    SELECT board_id, level, parent, standing_key, 1, new_entries
    FROM tmp_standings
    WHERE new_entries > 0
    ON DUPLICATE KEY UPDATE entries = tmp_standings.new_entries;

    INSERT INTO leaderboard_counters (
        board_id, level, parent, bucket, standings, entries, divided
    )
    SELECT
        d.board_id, d.level, d.parent, d.bucket,
        -- The CHECK sees this row before its key is found to exist: whoever leaves a shared
        -- standing for a new one in the same range adds a standing and no entry.
        GREATEST(d.standings_gained, 0), GREATEST(d.standings_gained, d.gained, 0),
        d.divided
    FROM (
        SELECT
            tmp_standings.board_id,
            l.level,
            tmp_standings.standing_key >> l.shift << l.shift AS parent,
            tmp_standings.standing_key >> l.child_shift << l.child_shift AS bucket,
            SUM((new_entries > 0) - (old_entries > 0)) AS standings_gained,
            SUM(new_entries - old_entries) AS gained,
            MIN(tmp_standings.level) < l.level - 1 AS divided
        FROM tmp_standings
        -- A few rows: a range of them would be planned anew for each standing.
        STRAIGHT_JOIN leaderboard_levels AS l IGNORE INDEX (PRIMARY)
            ON l.level > tmp_standings.level
        GROUP BY
            tmp_standings.board_id, l.level, tmp_standings.standing_key >> l.shift << l.shift,
            tmp_standings.standing_key >> l.child_shift << l.child_shift
        HAVING standings_gained <> 0 OR gained <> 0
    ) AS d
    ON DUPLICATE KEY UPDATE
        standings = leaderboard_counters.standings + d.standings_gained,
        entries = leaderboard_counters.entries + d.gained,
        divided = leaderboard_counters.divided OR d.divided;

    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ tmp_entries
    SET entry_rank = 1 + (
        SELECT COALESCE(SUM(c.standings), 0)
        FROM leaderboard_levels AS l
        STRAIGHT_JOIN leaderboard_counters AS c FORCE INDEX (PRIMARY)
            ON c.board_id = tmp_entries.board_id
            AND c.level = l.level
            AND c.parent = tmp_entries.new_key >> l.shift << l.shift
            AND c.bucket > tmp_entries.new_key
        -- Beside the whole board there is nothing, but looking there would lock the gap behind
        -- its last row, where the next board's rows begin.
        WHERE l.shift < 63
    );

    -- History: one audit row per accepted item, one revision per board with its hash.
    INSERT INTO score_audit_log (
        board_id, revision, item_no, submission_id, payload_hash, session_id, user_id, module_type,
        actor_id, actor, request_id, version,
        old_raw_score, old_max_score, old_weighted_score, old_time_spent_sec,
        new_raw_score, new_max_score, new_weighted_score, new_time_spent_sec, details,
        old_total_score, new_total_score,
        entry_rank, entry_total_score, entry_weighted_coding, entry_weighted_quiz,
        entry_weighted_assessment, entry_total_time_sec, created_at
    )
    SELECT
        c.board_id, b.revision + 1, c.item_no, c.submission_id, c.payload_hash, c.session_id,
        c.user_id, c.module_type,
        t.actor_id, COALESCE(CONCAT('user:', t.actor_id), USER()), t.request_id, c.version,
        c.old_raw_score, c.old_max_score, c.old_weighted_score, c.old_time_spent_sec,
        c.raw_score, c.max_score, c.weighted_score, c.time_spent_sec, tmp_details.details,
        c.base_total_score + c.gained_so_far - c.score_gained, c.base_total_score + c.gained_so_far,
        tmp_entries.entry_rank, tmp_entries.total_score, tmp_entries.weighted_coding,
        tmp_entries.weighted_quiz, tmp_entries.weighted_assessment, tmp_entries.total_time_sec,
        UTC_TIMESTAMP(6)
    FROM (
        SELECT
            m.place, m.board_id, m.item_no, m.submission_id, m.payload_hash, m.session_id,
            m.user_id, m.entry_no, m.module_type, m.raw_score, m.max_score, m.weighted_score,
            m.time_spent_sec, m.base_total_score, m.version, m.old_raw_score, m.old_max_score,
            m.old_weighted_score, m.old_time_spent_sec, m.score_gained,
            SUM(m.score_gained) OVER (PARTITION BY m.session_id ORDER BY m.item_no) AS gained_so_far
        FROM (
            SELECT
                i.place, i.board_id, i.item_no, i.submission_id, i.payload_hash, i.session_id,
                i.user_id,
                DENSE_RANK() OVER (ORDER BY i.board_id, i.user_id) AS entry_no,
                i.module_type, i.raw_score, i.max_score, i.weighted_score, i.time_spent_sec,
                i.base_total_score,
                i.base_version + ROW_NUMBER() OVER (PARTITION BY i.session_id ORDER BY i.item_no)
                    AS version,
                -- Replaced is what an earlier item of the array left, else what the table held.
                COALESCE(LAG(i.raw_score) OVER of_module, i.old_raw_score) AS old_raw_score,
                COALESCE(LAG(i.max_score) OVER of_module, i.old_max_score) AS old_max_score,
                COALESCE(LAG(i.weighted_score) OVER of_module, i.old_weighted_score)
                    AS old_weighted_score,
                COALESCE(LAG(i.time_spent_sec) OVER of_module, i.old_time_spent_sec)
                    AS old_time_spent_sec,
                i.weighted_score
                    - COALESCE(LAG(i.weighted_score) OVER of_module, i.old_weighted_score, 0)
                    AS score_gained
            FROM tmp_items AS i
            WHERE i.code IS NULL
            WINDOW of_module AS (PARTITION BY i.session_id, i.module_type ORDER BY i.item_no)
        ) AS m
    ) AS c
    STRAIGHT_JOIN tmp_submissions AS t ON t.place = c.place
    LEFT JOIN tmp_details ON tmp_details.place = c.place
    STRAIGHT_JOIN tmp_entries ON tmp_entries.entry_no = c.entry_no
    STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = c.board_id
    ORDER BY c.board_id, c.item_no;

    INSERT /*+ SET_VAR(group_concat_max_len = 1048576) */ INTO leaderboard_revisions (
        board_id, revision, reason, submissions, previous_hash, hash, committed_at
    )
    SELECT
        n.board_id, n.revision, n.reason, n.submissions, n.previous_hash,
        _revision_hash(n.previous_hash, n.revision, n.reason, n.submissions, NULL, NULL,
                       n.committed_at, n.digests),
        n.committed_at
    FROM (
        SELECT
            b.board_id,
            MAX(a.revision) AS revision,
            'submissions' AS reason,
            COUNT(*) AS submissions,
            MAX(b.head_hash) AS previous_hash,
            GREATEST(UTC_TIMESTAMP(6), MAX(b.changed_at)) AS committed_at,
            GROUP_CONCAT(HEX(a.digest) ORDER BY a.item_no SEPARATOR '') AS digests
        FROM tmp_items AS i
        STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = i.board_id
        -- Row by row: the range of the revision would lock the gap behind it.
        STRAIGHT_JOIN score_audit_log AS a FORCE INDEX (uq_score_audit_log_submission_id)
            ON a.submission_id = i.submission_id
        WHERE i.code IS NULL
        GROUP BY b.board_id
    ) AS n;

    UPDATE /*+ SET_VAR(sql_safe_updates = 0) */ (
        SELECT board_id, SUM(old_key IS NULL) AS joined
        FROM tmp_entries
        GROUP BY board_id
    ) AS w
    STRAIGHT_JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = w.board_id
    STRAIGHT_JOIN leaderboard_revisions AS r FORCE INDEX (PRIMARY)
        ON r.board_id = b.board_id AND r.revision = b.revision + 1
    SET b.revision = r.revision,
        b.head_hash = r.hash,
        b.changed_at = r.committed_at,
        b.total_participants = b.total_participants + w.joined;

    RETURN TRUE;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/_write_submissions.sql', '715ef4cea9cd10f307e0384e0b72d6e5cceb298df749a47bd22af233959f8a9d', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.check_leaderboard;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.check_leaderboard(
    p_exam_id BIGINT
)
    COMMENT 'Compares a board with what its raw scores give'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Everything derived against module_scores and the window function: weighted
    --              scores, session totals, entries, every counter on every level, and the ranks
    --              they give.
    -- Parameters:  p_exam_id  of create_exam
    -- Result sets: problem (module_score, session, entry, counter, rank, board), item, found,
    --              expected: one row per difference, none when all is well. NULL: there is no such
    --              thing, or none ought to be
    -- Errors:      exam_not_found; 1568 inside an open transaction
    -- Transaction: its own, REPEATABLE READ, READ ONLY: one moment, while submissions go on
    -- Locks:       none
    -- Example:     CALL check_leaderboard(1);
    --              Empty set
    DECLARE v_board_id BIGINT UNSIGNED;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;
        CALL _find_board(p_exam_id, v_board_id);

        WITH
        modules AS (
            SELECT
                s.session_id, s.user_id, s.attempt_no, e.attempt_policy, m.module_type,
                m.time_spent_sec,
                m.weighted_score AS stored_score,
                _weighted_score(
                    m.module_type, m.raw_score, m.max_score,
                    e.weight_coding, e.weight_quiz, e.weight_assessment) AS weighted_score
            FROM exams AS e
            INNER JOIN exam_sessions AS s ON s.exam_id = e.exam_id
            INNER JOIN module_scores AS m ON m.session_id = s.session_id
            WHERE e.exam_id = p_exam_id
        ),
        sessions AS (
            SELECT
                session_id, user_id, attempt_no, attempt_policy,
                MAX(IF(module_type = 'coding', weighted_score, NULL)) AS coding,
                MAX(IF(module_type = 'quiz', weighted_score, NULL)) AS quiz,
                MAX(IF(module_type = 'assessment', weighted_score, NULL)) AS assessment,
                SUM(weighted_score) AS total_score,
                SUM(time_spent_sec) AS total_time_sec,
                CAST(SUM(weighted_score) * 10000 AS SIGNED) * 4194304
                    + 4194303 - SUM(time_spent_sec) AS standing_key
            FROM modules
            GROUP BY session_id, user_id, attempt_no, attempt_policy
        ),
        attempts AS (
            SELECT
                user_id, session_id, total_score, total_time_sec, standing_key,
                ROW_NUMBER() OVER (
                    PARTITION BY user_id
                    ORDER BY
                        IF(attempt_policy = 'best', total_score, 0) DESC,
                        IF(attempt_policy = 'best', total_time_sec, 0),
                        IF(attempt_policy = 'latest', attempt_no, 0) DESC,
                        attempt_no
                ) AS preference
            FROM sessions
        ),
        entries AS (
            SELECT
                user_id, session_id, total_score, total_time_sec, standing_key,
                DENSE_RANK() OVER (ORDER BY total_score DESC, total_time_sec) AS true_rank
            FROM attempts
            WHERE preference = 1
        ),
        standings AS (
            SELECT standing_key, MIN(true_rank) AS true_rank, COUNT(*) AS entries
            FROM entries
            GROUP BY standing_key
        ),
        -- Where each standing is to be listed follows from the ranges divided so far.
        paths AS (
            SELECT
                k.standing_key, k.entries,
                COALESCE(MIN(l.level - 1 - r.divided), MAX(l.level) - 1) AS level
            FROM standings AS k
            CROSS JOIN leaderboard_levels AS l
            LEFT JOIN leaderboard_counters AS r
                ON r.board_id = v_board_id AND r.level = l.level
                AND r.parent = k.standing_key >> l.shift << l.shift
                AND r.bucket = k.standing_key >> l.child_shift << l.child_shift
            WHERE l.child_shift > 0
            GROUP BY k.standing_key, k.entries
        ),
        counters AS (
            SELECT
                p.level, p.standing_key >> l.shift << l.shift AS parent, p.standing_key AS bucket,
                CONCAT('1 standings, ', p.entries, ' entries') AS counted
            FROM paths AS p
            INNER JOIN leaderboard_levels AS l ON l.level = p.level
            UNION ALL
            SELECT
                l.level, p.standing_key >> l.shift << l.shift AS parent,
                p.standing_key >> l.child_shift << l.child_shift AS bucket,
                CONCAT(
                    COUNT(*), ' standings, ', SUM(p.entries), ' entries',
                    IF(MIN(p.level) < MIN(b.level) OR COUNT(*) > MIN(b.capacity),
                       ', divided', ', undivided'))
            FROM paths AS p
            -- A few rows: a range of them would be planned anew for each standing.
            INNER JOIN leaderboard_levels AS l IGNORE INDEX (PRIMARY) ON l.level > p.level
            INNER JOIN leaderboard_levels AS b ON b.level = l.level - 1
            GROUP BY l.level, parent, bucket
        ),
        stored_counters AS (
            SELECT
                level, parent, bucket, entries, divided,
                CONCAT(
                    standings, ' standings, ', entries, ' entries',
                    IF(divided IS NULL, '', IF(divided, ', divided', ', undivided')))
                    AS counted
            FROM leaderboard_counters
            WHERE board_id = v_board_id
        ),
        stored_ranks AS (
            SELECT bucket, SUM(standings) OVER (ORDER BY bucket DESC) AS stored_rank
            FROM leaderboard_counters
            WHERE board_id = v_board_id AND divided IS NULL
        ),
        -- Both sides of each comparison, as text; what is on one side only comes with NULL on the
        -- other.
        sides AS (
            SELECT
                'module_score' AS problem,
                CONCAT('session ', session_id, ', ', module_type) AS item,
                CAST(stored_score AS CHAR) AS found, CAST(weighted_score AS CHAR) AS expected
            FROM modules
            UNION ALL
            SELECT
                'session', CONCAT('session ', s.session_id),
                CONCAT_WS(' ', s.total_score, s.total_time_sec, COALESCE(s.standing_key, '-'),
                          COALESCE(s.weighted_coding, '-'), COALESCE(s.weighted_quiz, '-'),
                          COALESCE(s.weighted_assessment, '-')),
                CONCAT_WS(' ', COALESCE(t.total_score, '0.0000'), COALESCE(t.total_time_sec, 0),
                          COALESCE(t.standing_key, '-'), COALESCE(t.coding, '-'),
                          COALESCE(t.quiz, '-'), COALESCE(t.assessment, '-'))
            FROM exam_sessions AS s
            LEFT JOIN sessions AS t ON t.session_id = s.session_id
            WHERE s.exam_id = p_exam_id
            UNION ALL
            SELECT
                'entry', CONCAT('user ', COALESCE(n.user_id, e.user_id)),
                IF(e.user_id IS NULL, NULL, CONCAT_WS(
                    ' ', e.session_id, e.total_score, e.total_time_sec, e.standing_key)),
                IF(n.user_id IS NULL, NULL, CONCAT_WS(
                    ' ', n.session_id, n.total_score, n.total_time_sec, n.standing_key))
            FROM entries AS n
            LEFT JOIN leaderboard_snapshot AS e ON e.board_id = v_board_id AND e.user_id = n.user_id
            UNION ALL
            SELECT
                'entry', CONCAT('user ', e.user_id),
                CONCAT_WS(' ', e.session_id, e.total_score, e.total_time_sec, e.standing_key), NULL
            FROM leaderboard_snapshot AS e
            LEFT JOIN entries AS n ON n.user_id = e.user_id
            WHERE e.board_id = v_board_id AND n.user_id IS NULL
            UNION ALL
            SELECT
                'counter', CONCAT('level ', n.level, ', bucket ', n.bucket), c.counted, n.counted
            FROM counters AS n
            LEFT JOIN stored_counters AS c
                ON c.level = n.level AND c.parent = n.parent AND c.bucket = n.bucket
            UNION ALL
            -- A range that all have left keeps its row, which means the same as none.
            SELECT
                'counter', CONCAT('level ', c.level, ', bucket ', c.bucket), c.counted, NULL
            FROM stored_counters AS c
            LEFT JOIN counters AS n
                ON n.level = c.level AND n.parent = c.parent AND n.bucket = c.bucket
            WHERE n.level IS NULL AND (c.divided IS NULL OR c.entries <> 0)
            UNION ALL
            -- That row too has its place: in time somebody comes back into the range.
            SELECT
                'counter', CONCAT('level ', c.level, ', bucket ', c.bucket), 'out of place',
                IF(c.divided IS NULL, 'in an undivided range', 'in a divided range')
            FROM leaderboard_counters AS c
            LEFT JOIN leaderboard_levels AS l ON l.level = c.level
            LEFT JOIN leaderboard_levels AS u ON u.level = c.level + 1
            LEFT JOIN leaderboard_counters AS h
                ON h.board_id = c.board_id AND h.level = u.level
                AND h.parent = c.parent >> u.shift << u.shift AND h.bucket = c.parent
            WHERE c.board_id = v_board_id AND NOT COALESCE(
                c.parent = c.bucket >> l.shift << l.shift
                AND (c.divided IS NULL OR c.bucket = c.bucket >> l.child_shift << l.child_shift)
                AND IF(u.level IS NULL, c.divided IS NOT NULL, h.divided = (c.divided IS NOT NULL)),
                FALSE)
            UNION ALL
            SELECT
                'rank', CONCAT('standing ', n.standing_key), CAST(r.stored_rank AS CHAR),
                CAST(n.true_rank AS CHAR)
            FROM standings AS n
            LEFT JOIN stored_ranks AS r ON r.bucket = n.standing_key
            UNION ALL
            SELECT
                'board', 'total_participants', CAST(b.total_participants AS CHAR),
                CAST((SELECT COUNT(*) FROM entries) AS CHAR)
            FROM leaderboards AS b
            WHERE b.board_id = v_board_id
        )
        SELECT problem, item, found, expected
        FROM sides
        WHERE NOT (found <=> expected)
        ORDER BY problem, item;

        COMMIT AND NO CHAIN NO RELEASE;
    END;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/check_leaderboard.sql', 'e31865b8b648cd3812669f709c641206362f0aba46ca5892986cfce535cd00a6', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.create_exam;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.create_exam(
    p_title             TEXT,
    p_weight_coding     DECIMAL(30, 15),
    p_weight_quiz       DECIMAL(30, 15),
    p_weight_assessment DECIMAL(30, 15),
    p_max_attempts      BIGINT,
    p_attempt_policy    VARCHAR(255),
    p_starts_at         DATETIME(6),
    p_ends_at           DATETIME(6),
    p_duration_sec      BIGINT
)
    COMMENT 'Creates an exam and its board'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     An exam with its weights, attempts and schedule, and the empty board it is
    --              ranked on.
    -- Parameters:  p_title           1 to 200 characters
    --              p_weight_*        points out of 100, two decimals, summing to 100; all NULL: 50,
    --                                30, 20
    --              p_max_attempts    1 to 1000; NULL: 1
    --              p_attempt_policy  best, latest or first; NULL: best
    --              p_starts_at       UTC; NULL: open at once
    --              p_ends_at         UTC, after p_starts_at; NULL: never closes
    --              p_duration_sec    seconds for one attempt, above 0; NULL: unlimited
    -- Result sets: the columns of get_exam
    -- Errors:      title_invalid, weights_invalid, max_attempts_invalid, attempt_policy_invalid,
    --              schedule_invalid, duration_invalid; 1568 inside an open transaction
    -- Transaction: its own
    -- Locks:       the new rows
    -- Example:     CALL create_exam(
    --                  'Backend Challenge 2026', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    --              exam_id title                  weight_coding ... revision total_participants
    --                    1 Backend Challenge 2026         50.00 ...        0                  0
    DECLARE v_exam_id BIGINT UNSIGNED;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION;
        CALL _settle_session();

        IF p_weight_coding IS NULL AND p_weight_quiz IS NULL AND p_weight_assessment IS NULL THEN
            SET p_weight_coding = 50, p_weight_quiz = 30, p_weight_assessment = 20;
        END IF;
        CALL _require_weights(p_weight_coding, p_weight_quiz, p_weight_assessment);
        IF COALESCE(TRIM(p_title), '') = '' OR CHAR_LENGTH(p_title) > 200 THEN
            CALL _raise('title_invalid', 'title must have 1 to 200 characters');
        END IF;
        IF p_max_attempts NOT BETWEEN 1 AND 1000 THEN
            CALL _raise('max_attempts_invalid', 'max_attempts must be 1 to 1000');
        END IF;
        IF p_attempt_policy COLLATE utf8mb4_0900_bin NOT IN ('best', 'latest', 'first') THEN
            CALL _raise('attempt_policy_invalid', 'attempt_policy must be best, latest or first');
        END IF;
        IF p_ends_at <= p_starts_at THEN
            CALL _raise('schedule_invalid', 'ends_at must be after starts_at');
        END IF;
        IF p_duration_sec NOT BETWEEN 1 AND 4194303 THEN
            CALL _raise('duration_invalid', 'duration_sec must be 1 to 4194303');
        END IF;

        SET v_exam_id = _write_exam(
            p_title, p_weight_coding, p_weight_quiz, p_weight_assessment,
            COALESCE(p_max_attempts, 1), COALESCE(p_attempt_policy, 'best'),
            p_starts_at, p_ends_at, p_duration_sec);
        COMMIT AND NO CHAIN NO RELEASE;
    END;

    CALL get_exam(v_exam_id);
    COMMIT AND NO CHAIN NO RELEASE;     -- of its SELECT, on a connection without autocommit
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/create_exam.sql', '2f8fd380d36f3ebbadfe1107c9f526426b6fb6b2c7daf0000b86357ee57d89e9', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.create_user;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.create_user(
    p_username  TEXT,
    p_full_name TEXT,
    p_role      VARCHAR(255)
)
    COMMENT 'Creates a candidate, a moderator or an admin'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Everybody who takes exams or runs them.
    -- Parameters:  p_username   1 to 64 characters, taken once; case does not tell two apart,
    --                           accents do
    --              p_full_name  1 to 200 characters
    --              p_role       candidate, moderator, admin; NULL: candidate
    -- Result sets: user_id, username, full_name, role, created_at
    -- Errors:      username_invalid, full_name_invalid, role_invalid, username_taken
    -- Transaction: one statement of its own; inside an open transaction, part of it
    -- Locks:       the new row
    -- Example:     CALL create_user('alice', 'Alice Chen', 'candidate');
    --              user_id username full_name  role      created_at
    --                    1 alice    Alice Chen candidate 2026-11-24 09:00:00.000000
    DECLARE EXIT HANDLER FOR 1062
        CALL _raise('username_taken', CONCAT('the user name ', LEFT(p_username, 64), ' is taken'));

    IF COALESCE(TRIM(p_username), '') = '' OR CHAR_LENGTH(p_username) > 64 THEN
        CALL _raise('username_invalid', 'username must have 1 to 64 characters');
    END IF;
    IF COALESCE(TRIM(p_full_name), '') = '' OR CHAR_LENGTH(p_full_name) > 200 THEN
        CALL _raise('full_name_invalid', 'full_name must have 1 to 200 characters');
    END IF;
    IF p_role COLLATE utf8mb4_0900_bin NOT IN ('candidate', 'moderator', 'admin') THEN
        CALL _raise('role_invalid', 'role must be candidate, moderator or admin');
    END IF;

    CALL _settle_session();
    INSERT INTO users (username, full_name, role, created_at)
    VALUES (p_username, p_full_name, COALESCE(p_role, 'candidate'), UTC_TIMESTAMP(6));

    SELECT user_id, username, full_name, role, created_at
    FROM users
    WHERE user_id = LAST_INSERT_ID();
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/create_user.sql', '023031ff56d582d398f4551f742b3d427af7cdf1763cf5c93260bfe0dbb42019', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.finish_session;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.finish_session(
    p_session_id BIGINT,
    p_actor_id   BIGINT
)
    COMMENT 'Finishes a session; finishing it again changes nothing'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     After it the candidate himself submits no more; staff and DBAs still can.
    -- Parameters:  p_session_id  of start_session
    --              p_actor_id    acting user; a candidate finishes his own sessions only; NULL: the
    --                            MySQL account
    -- Result sets: session_id, exam_id, user_id, attempt_no, status, version, total_score,
    --              weighted_coding, weighted_quiz, weighted_assessment, total_time_sec, started_at,
    --              deadline_at, finished_at
    -- Errors:      session_not_found, not_own_session; 1568 inside an open transaction
    -- Transaction: its own, READ COMMITTED
    -- Locks:       the session; a submission to it that holds the lock is waited for
    -- Example:     CALL finish_session(1, NULL);
    --              session_id exam_id user_id attempt_no status   version total_score ...
    --                       1       1       1          1 finished       3     83.7500 ...
    DECLARE v_user_id BIGINT UNSIGNED;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION;
        CALL _settle_session();
        -- Not SET, whose lock two who finish at once would hold against each other.
        SELECT (SELECT user_id FROM exam_sessions WHERE session_id = p_session_id) INTO v_user_id;
        IF v_user_id IS NULL THEN
            CALL _raise('session_not_found',
                        CONCAT('session ', COALESCE(p_session_id, 'NULL'), ' does not exist'));
        END IF;
        CALL _require_actor(p_actor_id, v_user_id, p_session_id);

        UPDATE exam_sessions
        SET status = 'finished', finished_at = UTC_TIMESTAMP(6)
        WHERE session_id = p_session_id AND status = 'in_progress';
        COMMIT AND NO CHAIN NO RELEASE;
    END;

    SELECT
        session_id, exam_id, user_id, attempt_no, status, version, total_score, weighted_coding,
        weighted_quiz, weighted_assessment, total_time_sec, started_at, deadline_at, finished_at
    FROM exam_sessions
    WHERE session_id = p_session_id;

    COMMIT AND NO CHAIN NO RELEASE;     -- of this SELECT, on a connection without autocommit
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/finish_session.sql', 'df7b170d087641c1abf83a508d0f6e9dea2a4b98fbbe310631e348bf5dca0d83', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_around;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_around(
    p_exam_id BIGINT,
    p_user_id BIGINT,
    p_window  BIGINT
)
    COMMENT 'Reads the entries above and below a candidate'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The candidate's own entry with its neighbours in board order.
    -- Parameters:  p_exam_id  of create_exam
    --              p_user_id  in the middle
    --              p_window   1 to 100 entries on each side, fewer at the ends of the board; NULL:
    --                         5
    -- Result sets: 1: exam_id, exam_title, total_participants, user_id, window, revision
    --              2: rank, user_id, username, full_name, total_score, total_time_sec, by rank and
    --                 user_id
    -- Errors:      exam_not_found, entry_not_found, window_invalid; 1568 inside an open transaction
    -- Transaction: its own, REPEATABLE READ, READ ONLY
    -- Locks:       none
    -- Example:     CALL get_around(1, 1, 1);
    --              exam_id exam_title             total_participants user_id window revision
    --                    1 Backend Challenge 2026                842       1      1     1187
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    --                 2       2 bob      Bob Stone      94.0000           3100
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_standing_key BIGINT;
    DECLARE v_own_rank BIGINT;
    DECLARE v_window BIGINT DEFAULT COALESCE(p_window, 5);

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;
        IF v_window NOT BETWEEN 1 AND 100 THEN
            CALL _raise('window_invalid', 'window must be 1 to 100');
        END IF;
        CALL _find_board(p_exam_id, v_board_id);

        -- Not SET: see _find_board.
        SELECT (
            SELECT standing_key FROM leaderboard_snapshot
            WHERE board_id = v_board_id AND user_id = p_user_id
        ) INTO v_standing_key;
        IF v_standing_key IS NULL THEN
            CALL _raise('entry_not_found', CONCAT(
                'user ', COALESCE(p_user_id, 'NULL'), ' has no score in exam ', p_exam_id));
        END IF;

        SELECT
            e.exam_id, e.title AS exam_title, b.total_participants, p_user_id AS user_id,
            v_window AS `window`, b.revision
        FROM leaderboards AS b
        INNER JOIN exams AS e ON e.exam_id = b.exam_id
        WHERE b.board_id = v_board_id;

        SELECT _rank(v_board_id, v_standing_key) INTO v_own_rank;

        -- From the index alone, see get_leaderboard; the rows of those chosen come last.
        WITH
        above AS (
            (
                SELECT user_id, standing_key
                FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
                WHERE board_id = v_board_id AND standing_key = v_standing_key
                    AND user_id < p_user_id
                ORDER BY user_id DESC
                LIMIT v_window
            )
            UNION ALL
            (
                SELECT user_id, standing_key
                FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
                WHERE board_id = v_board_id AND standing_key > v_standing_key
                ORDER BY standing_key, user_id DESC
                LIMIT v_window
            )
        ),
        below AS (
            (
                SELECT user_id, standing_key
                FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
                WHERE board_id = v_board_id AND standing_key = v_standing_key
                    AND user_id > p_user_id
                ORDER BY user_id
                LIMIT v_window
            )
            UNION ALL
            (
                SELECT user_id, standing_key
                FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
                WHERE board_id = v_board_id AND standing_key < v_standing_key
                ORDER BY standing_key DESC, user_id
                LIMIT v_window
            )
        ),
        around AS (
            (
                SELECT user_id, standing_key
                FROM above
                ORDER BY standing_key, user_id DESC
                LIMIT v_window
            )
            UNION ALL
            (
                SELECT user_id, standing_key
                FROM leaderboard_snapshot
                WHERE board_id = v_board_id AND user_id = p_user_id
            )
            UNION ALL
            (
                SELECT user_id, standing_key
                FROM below
                ORDER BY standing_key DESC, user_id
                LIMIT v_window
            )
        )
        SELECT
            -- The candidate's own rank, and from there by place.
            v_own_rank + a.place - MAX(IF(a.user_id = p_user_id, a.place, NULL)) OVER () AS `rank`,
            a.user_id,
            u.username,
            u.full_name,
            e.total_score,
            e.total_time_sec
        FROM (
            SELECT user_id, DENSE_RANK() OVER (ORDER BY standing_key DESC) AS place
            FROM around
        ) AS a
        STRAIGHT_JOIN leaderboard_snapshot AS e FORCE INDEX (PRIMARY)
            ON e.board_id = v_board_id AND e.user_id = a.user_id
        STRAIGHT_JOIN users AS u FORCE INDEX (PRIMARY) ON u.user_id = a.user_id
        ORDER BY `rank`, a.user_id;

        COMMIT AND NO CHAIN NO RELEASE;
    END;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/get_around.sql', '127ca9194ca5d16c58c814fa963a205208b86bf3e131d86c62725bd551a6c59c', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_audit_trail;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_audit_trail(
    p_exam_id    BIGINT,
    p_session_id BIGINT,
    p_after      BIGINT,
    p_limit      BIGINT
)
    COMMENT 'Reads the history of an exam or of one session'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Every accepted submission, in commit order. Within a board audit_id ascends with
    --              the revision, since both are given out under the board's lock: who goes on
    --              behind the last audit_id he has seen misses nothing.
    -- Parameters:  p_exam_id     of create_exam
    --              p_session_id  only this session; NULL: all
    --              p_after       audit_id to go on behind; NULL: from the first
    --              p_limit       1 to 1000 rows; NULL: 100
    -- Result sets: audit_id, submission_id, revision, exam_id, session_id, user_id, module_type,
    --              actor_id, actor, version, old_raw_score, old_max_score, old_weighted_score,
    --              old_time_spent_sec, new_raw_score, new_max_score, new_weighted_score,
    --              new_time_spent_sec, old_total_score, new_total_score, rank (after it), details,
    --              request_id (of the HTTP request it came with; NULL: it came by a CALL),
    --              created_at
    -- Errors:      exam_not_found, session_not_found (also where it belongs to another exam),
    --              limit_invalid
    -- Transaction: none
    -- Locks:       none
    -- Example:     CALL get_audit_trail(1, NULL, NULL, 1);
    --              audit_id submission_id ... revision exam_id session_id module_type actor  ...
    --                     1 9b2f…         ...        1       1          1 quiz        user:1 ...
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_after BIGINT DEFAULT COALESCE(p_after, 0);
    DECLARE v_limit BIGINT DEFAULT COALESCE(p_limit, 100);
    DECLARE v_revision BIGINT DEFAULT 0;
    DECLARE v_exists BOOLEAN;

    IF v_limit NOT BETWEEN 1 AND 1000 THEN
        CALL _raise('limit_invalid', 'limit must be 1 to 1000');
    END IF;
    CALL _find_board(p_exam_id, v_board_id);
    -- Not IF EXISTS: see _find_board.
    SELECT EXISTS (
        SELECT 1 FROM exam_sessions WHERE session_id = p_session_id AND exam_id = p_exam_id
    ) INTO v_exists;
    IF p_session_id IS NOT NULL AND NOT v_exists THEN
        CALL _raise('session_not_found',
                    CONCAT('session ', p_session_id, ' does not exist in exam ', p_exam_id));
    END IF;

    -- The revision to go on from, so that the rows come from a range of the board's own index.
    SELECT revision INTO v_revision
    FROM score_audit_log FORCE INDEX (PRIMARY)
    WHERE audit_id <= v_after AND board_id = v_board_id
    ORDER BY audit_id DESC
    LIMIT 1;

    SELECT
        a.audit_id, a.submission_id, a.revision, p_exam_id AS exam_id, a.session_id, a.user_id,
        a.module_type, a.actor_id, a.actor, a.version,
        a.old_raw_score, a.old_max_score, a.old_weighted_score, a.old_time_spent_sec,
        a.new_raw_score, a.new_max_score, a.new_weighted_score, a.new_time_spent_sec,
        a.old_total_score, a.new_total_score, a.entry_rank AS `rank`, a.details,
        a.request_id, a.created_at
    FROM score_audit_log AS a
    WHERE a.board_id = v_board_id
        AND a.revision >= v_revision
        AND a.audit_id > v_after
        AND (p_session_id IS NULL OR a.session_id = p_session_id)
    ORDER BY a.revision, a.item_no
    LIMIT v_limit;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/get_audit_trail.sql', '408f23f5db652494934e8fe9bb8f7aa26a8c1ee4f38efaf64f2d55263363e4ee', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_entry;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_entry(
    p_exam_id BIGINT,
    p_user_id BIGINT
)
    COMMENT 'Reads the entry of one candidate'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Where somebody stands, without a page around it.
    -- Parameters:  p_exam_id  of create_exam
    --              p_user_id  of create_user
    -- Result sets: exam_id, revision, rank, user_id, username, full_name, total_score,
    --              weighted_coding, weighted_quiz, weighted_assessment, total_time_sec, session_id,
    --              attempt_no
    -- Errors:      exam_not_found, entry_not_found; 1568 inside an open transaction
    -- Transaction: its own, REPEATABLE READ, READ ONLY: entry, rank and revision are of one moment
    -- Locks:       none
    -- Example:     CALL get_entry(1, 1);
    --              exam_id revision rank user_id username full_name  total_score ...
    --                    1        3    1       1 alice    Alice Chen     83.7500 ...
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_exists BOOLEAN;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;
        CALL _find_board(p_exam_id, v_board_id);

        -- Not IF EXISTS: see _find_board.
        SELECT EXISTS (
            SELECT 1 FROM leaderboard_snapshot WHERE board_id = v_board_id AND user_id = p_user_id
        ) INTO v_exists;
        IF NOT v_exists THEN
            CALL _raise('entry_not_found', CONCAT(
                'user ', COALESCE(p_user_id, 'NULL'), ' has no score in exam ', p_exam_id));
        END IF;

        SELECT
            b.exam_id,
            b.revision,
            _rank(e.board_id, e.standing_key) AS `rank`,
            e.user_id,
            u.username,
            u.full_name,
            e.total_score,
            COALESCE(s.weighted_coding, 0) AS weighted_coding,
            COALESCE(s.weighted_quiz, 0) AS weighted_quiz,
            COALESCE(s.weighted_assessment, 0) AS weighted_assessment,
            e.total_time_sec,
            e.session_id,
            s.attempt_no
        FROM leaderboard_snapshot AS e
        INNER JOIN leaderboards AS b ON b.board_id = e.board_id
        INNER JOIN users AS u ON u.user_id = e.user_id
        INNER JOIN exam_sessions AS s ON s.session_id = e.session_id
        WHERE e.board_id = v_board_id AND e.user_id = p_user_id;

        COMMIT AND NO CHAIN NO RELEASE;
    END;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/get_entry.sql', 'c035ad1714f63c6d1c601393b807d6f5f9568fd9bf98d8ed767372face16afe6', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_exam;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_exam(
    p_exam_id BIGINT
)
    COMMENT 'Reads one exam'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     An exam with the state of its board.
    -- Parameters:  p_exam_id  of create_exam
    -- Result sets: exam_id, title, weight_coding, weight_quiz, weight_assessment, max_attempts,
    --              attempt_policy, starts_at, ends_at, duration_sec, created_at, revision,
    --              total_participants
    -- Errors:      exam_not_found
    -- Transaction: none
    -- Locks:       none
    -- Example:     CALL get_exam(1);
    --              exam_id title                  weight_coding ... revision total_participants
    --                    1 Backend Challenge 2026         50.00 ...     1187                842
    DECLARE v_board_id BIGINT UNSIGNED;

    CALL _find_board(p_exam_id, v_board_id);

    SELECT
        e.exam_id, e.title, e.weight_coding, e.weight_quiz, e.weight_assessment, e.max_attempts,
        e.attempt_policy, e.starts_at, e.ends_at, e.duration_sec, e.created_at, b.revision,
        b.total_participants
    FROM exams AS e
    INNER JOIN leaderboards AS b ON b.exam_id = e.exam_id
    WHERE b.board_id = v_board_id;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/get_exam.sql', 'dced825d28e35728fdd6f73cc5d82c2fc02d8549898d0728b120b545c2e64de2', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_leaderboard;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_leaderboard(
    p_exam_id  BIGINT,
    p_page     BIGINT,
    p_per_page BIGINT,
    p_user_id  BIGINT
)
    COMMENT 'Reads a page of a board, with somebody''s own entry'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The board, page by page; all three result sets are of the revision in the first.
    -- Parameters:  p_exam_id   of create_exam
    --              p_page      from 1; NULL: 1. A page past the end is empty
    --              p_per_page  1 to 200 entries; NULL: 50
    --              p_user_id   whose own entry to add; NULL: nobody's
    -- Result sets: 1: exam_id, exam_title, total_participants, page, per_page, revision
    --              2: rank, user_id, username, full_name, total_score, total_time_sec, by rank and
    --                 user_id
    --              3: the same columns for p_user_id; no row where he is not on the board
    -- Errors:      exam_not_found, page_invalid, per_page_invalid; 1568 inside an open transaction
    -- Transaction: its own, REPEATABLE READ, READ ONLY
    -- Locks:       none
    -- Example:     CALL get_leaderboard(1, 1, 50, 1);
    --              exam_id exam_title             total_participants page per_page revision
    --                    1 Backend Challenge 2026                842    1       50     1187
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    --              rank user_id username full_name  total_score total_time_sec
    --                 1       1 alice    Alice Chen     94.5000           3200
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_standing_key BIGINT;
    DECLARE v_skip BIGINT;
    DECLARE v_first_rank BIGINT;
    DECLARE v_per_page BIGINT DEFAULT COALESCE(p_per_page, 50);
    DECLARE v_page BIGINT DEFAULT COALESCE(p_page, 1);

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;
        IF v_page NOT BETWEEN 1 AND 1000000000 THEN
            CALL _raise('page_invalid', 'page must be 1 to 1000000000');
        END IF;
        IF v_per_page NOT BETWEEN 1 AND 200 THEN
            CALL _raise('per_page_invalid', 'per_page must be 1 to 200');
        END IF;
        CALL _find_board(p_exam_id, v_board_id);

        SELECT
            e.exam_id, e.title AS exam_title, b.total_participants, v_page AS page,
            v_per_page AS per_page, b.revision
        FROM leaderboards AS b
        INNER JOIN exams AS e ON e.exam_id = b.exam_id
        WHERE b.board_id = v_board_id;

        CALL _find_place(v_board_id, (v_page - 1) * v_per_page, v_standing_key, v_skip);
        -- Not SET, which would count standings of the newest revision: see _find_board.
        SELECT _rank(v_board_id, v_standing_key) INTO v_first_rank;

        -- Dense rank over the page alone: its first entry holds the place that was found. The page
        -- is cut from the index, which holds all that it takes: InnoDB reads ahead of a range, and
        -- would fetch a thousand rows for fifty entries.
        SELECT
            v_first_rank - 1 + DENSE_RANK() OVER (ORDER BY p.standing_key DESC) AS `rank`,
            p.user_id,
            u.username,
            u.full_name,
            e.total_score,
            e.total_time_sec
        FROM (
            SELECT user_id, standing_key
            FROM leaderboard_snapshot FORCE INDEX (ix_leaderboard_snapshot_standing_key)
            WHERE board_id = v_board_id AND standing_key <= v_standing_key
            ORDER BY standing_key DESC, user_id
            LIMIT v_skip, v_per_page
        ) AS p
        STRAIGHT_JOIN leaderboard_snapshot AS e FORCE INDEX (PRIMARY)
            ON e.board_id = v_board_id AND e.user_id = p.user_id
        STRAIGHT_JOIN users AS u FORCE INDEX (PRIMARY) ON u.user_id = p.user_id
        ORDER BY `rank`, p.user_id;

        SELECT
            _rank(e.board_id, e.standing_key) AS `rank`, e.user_id, u.username, u.full_name,
            e.total_score, e.total_time_sec
        FROM leaderboard_snapshot AS e
        INNER JOIN users AS u ON u.user_id = e.user_id
        WHERE e.board_id = v_board_id AND e.user_id = p_user_id;

        COMMIT AND NO CHAIN NO RELEASE;
    END;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/get_leaderboard.sql', '37aed2e88584adda47c9bdb0a8a1ea174b3a728590444e470f084aa6b7752656', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_revisions;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_revisions(
    p_exam_id BIGINT,
    p_after   BIGINT,
    p_limit   BIGINT
)
    COMMENT 'Reads where a board stands and the changes that led there'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     What has happened to a board since a revision. Revisions have no gaps and come
    --              in commit order: who goes on behind the last one he has seen misses nothing.
    -- Parameters:  p_exam_id  of create_exam
    --              p_after    revision to go on behind; NULL: from the first
    --              p_limit    1 to 1000 rows; NULL: 100
    -- Result sets: 1. exam_id, revision, total_participants, changed_at: how the board stands
    --              2. revision, reason, submissions, committed_at, by revision, none of them newer
    --                 than the first result set
    -- Errors:      exam_not_found, limit_invalid
    -- Transaction: none
    -- Locks:       none
    -- Example:     CALL get_revisions(1, 1, 10);
    --              exam_id revision total_participants changed_at
    --                    1        2                  2 2026-11-25 00:14:45.432311
    --              revision reason      submissions committed_at
    --                     2 submissions           1 2026-11-25 00:14:45.432311
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_revision BIGINT UNSIGNED;
    DECLARE v_participants INT UNSIGNED;
    DECLARE v_changed_at DATETIME(6);
    DECLARE v_limit BIGINT DEFAULT COALESCE(p_limit, 100);

    IF v_limit NOT BETWEEN 1 AND 1000 THEN
        CALL _raise('limit_invalid', 'limit must be 1 to 1000');
    END IF;
    CALL _find_board(p_exam_id, v_board_id);

    SELECT revision, total_participants, changed_at
    INTO v_revision, v_participants, v_changed_at
    FROM leaderboards
    WHERE board_id = v_board_id;

    SELECT
        p_exam_id AS exam_id,
        v_revision AS revision,
        v_participants AS total_participants,
        v_changed_at AS changed_at;

    -- Without a transaction the board may have moved on since: what came later is the next call's.
    SELECT revision, reason, submissions, committed_at
    FROM leaderboard_revisions
    WHERE board_id = v_board_id
        AND revision > COALESCE(p_after, 0)
        AND revision <= v_revision
    ORDER BY revision
    LIMIT v_limit;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/get_revisions.sql', '2d006e2fe082f8809a58ae8cc7217104005ed76d6c026c5f5a1ab6011e11a8d3', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.get_session;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.get_session(
    p_session_id BIGINT
)
    COMMENT 'Reads one session with its module scores'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A session's state and totals, and the scores that make them, of one moment.
    -- Parameters:  p_session_id  of start_session
    -- Result sets: 1: session_id, exam_id, user_id, attempt_no, status, version, total_score,
    --                 weighted_coding, weighted_quiz, weighted_assessment, total_time_sec,
    --                 started_at, deadline_at, finished_at
    --              2: module_type, raw_score, max_score, weighted_score, time_spent_sec, details,
    --                 submitted_at; no row where nothing is scored
    -- Errors:      session_not_found; 1568 inside an open transaction
    -- Transaction: its own, REPEATABLE READ, READ ONLY
    -- Locks:       none
    -- Example:     CALL get_session(1);
    --              session_id exam_id user_id attempt_no status      version total_score ...
    --                       1       1       1          1 in_progress       3     83.7500 ...
    --              module_type raw_score               max_score                ...
    --              coding      85.50000000000000000000 100.00000000000000000000 ...
    DECLARE v_exists BOOLEAN;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;

        -- Not IF EXISTS: see _find_board.
        SELECT EXISTS (SELECT 1 FROM exam_sessions WHERE session_id = p_session_id) INTO v_exists;
        IF NOT v_exists THEN
            CALL _raise('session_not_found',
                        CONCAT('session ', COALESCE(p_session_id, 'NULL'), ' does not exist'));
        END IF;

        SELECT
            session_id, exam_id, user_id, attempt_no, status, version, total_score, weighted_coding,
            weighted_quiz, weighted_assessment, total_time_sec, started_at, deadline_at, finished_at
        FROM exam_sessions
        WHERE session_id = p_session_id;

        SELECT
            module_type, raw_score, max_score, weighted_score, time_spent_sec, details, submitted_at
        FROM module_scores
        WHERE session_id = p_session_id
        ORDER BY module_type;

        COMMIT AND NO CHAIN NO RELEASE;
    END;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/get_session.sql', '5c48173ff6f8a263f951cd33990fefefeaafa11a6ae2a31eef6fb1ab50df386b', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.list_exams;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.list_exams(
    p_after BIGINT,
    p_limit BIGINT
)
    COMMENT 'Lists exams'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     All exams, page by page.
    -- Parameters:  p_after  exam_id to go on behind; NULL: from the first
    --              p_limit  1 to 1000 rows; NULL: 100
    -- Result sets: the columns of get_exam, by exam_id
    -- Errors:      limit_invalid
    -- Transaction: none
    -- Locks:       none
    -- Example:     CALL list_exams(NULL, 10);
    DECLARE v_limit INT DEFAULT 100;

    IF p_limit NOT BETWEEN 1 AND 1000 THEN
        CALL _raise('limit_invalid', 'limit must be 1 to 1000');
    END IF;
    SET v_limit = COALESCE(p_limit, v_limit);

    SELECT
        e.exam_id, e.title, e.weight_coding, e.weight_quiz, e.weight_assessment, e.max_attempts,
        e.attempt_policy, e.starts_at, e.ends_at, e.duration_sec, e.created_at, b.revision,
        b.total_participants
    FROM exams AS e
    INNER JOIN leaderboards AS b ON b.exam_id = e.exam_id
    WHERE e.exam_id > COALESCE(p_after, 0)
    ORDER BY e.exam_id
    LIMIT v_limit;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/list_exams.sql', 'a03d780e75c8dffb7e3ec76e90062ad382299a235831fb1246f8652704be72f7', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.recalculate_leaderboard;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.recalculate_leaderboard(
    p_exam_id  BIGINT,
    p_actor_id BIGINT
)
    COMMENT 'Rebuilds the board of an exam from its raw scores'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Repair: weighted scores, totals, entries and counters are computed anew. Nothing
    --              raw and no history changes.
    -- Parameters:  p_exam_id   of create_exam
    --              p_actor_id  acting user; NULL: the MySQL account itself
    -- Result sets: exam_id, revision, total_participants
    -- Errors:      exam_not_found; 1568 inside an open transaction
    -- Transaction: its own, SERIALIZABLE. Its length grows with the exam; submissions wait.
    -- Locks:       the board, then all of the exam's sessions, module scores, entries and counters
    -- Example:     CALL recalculate_leaderboard(1, NULL);
    --              exam_id revision total_participants
    --                    1        4                842
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_written BOOLEAN;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION;
        CALL _settle_session();
        CALL _find_board(p_exam_id, v_board_id);
        COMMIT AND NO CHAIN NO RELEASE;

        SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
        START TRANSACTION;
        SET v_board_id = (SELECT board_id FROM leaderboards WHERE board_id = v_board_id FOR UPDATE);
        SET v_written = _revise_board(v_board_id, NULL, NULL, NULL, p_actor_id);
        COMMIT AND NO CHAIN NO RELEASE;
    END;

    SELECT exam_id, revision, total_participants
    FROM leaderboards
    WHERE board_id = v_board_id;

    COMMIT AND NO CHAIN NO RELEASE;     -- of this SELECT, on a connection without autocommit
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/recalculate_leaderboard.sql', 'cece9b759e56356480db932f28545bea47e989c0060c39d622e11c79182cc824', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.register_candidates;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.register_candidates(
    p_exam_id    BIGINT,
    p_candidates JSON,
    p_actor_id   BIGINT
)
    COMMENT 'Creates the candidates of an array who are missing and starts their sessions'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     create_user and start_session for up to 1000 candidates in one transaction; a
    --              repetition finds what the first call made. Each succeeds or fails for itself.
    -- Parameters:  p_exam_id     of create_exam
    --              p_candidates  array of objects: username (1 to 64 characters; case does not tell
    --                            two apart, accents do), full_name (1 to 200 characters; of
    --                            somebody known already it changes nothing)
    --              p_actor_id    acting user; a candidate starts his own sessions only; NULL: the
    --                            MySQL account
    -- Result sets: one row per item, in order: item_no (from 0), status (200 or the HTTP status of
    --              the refusal), code, message (NULL where accepted), user_id, user_created,
    --              session_id, attempt_no, session_created (1: new, 0: was there before)
    -- Errors:      exam_not_found, candidates_invalid, too_many_items; 1568 inside an open
    --              transaction; after 1213 or 1205 nothing has happened: try again. In rows:
    --              candidates_invalid, username_invalid, full_name_invalid, not_own_session,
    --              exam_not_open, exam_ended, attempts_exhausted
    -- Transaction: its own, READ COMMITTED: two starts are told apart by the unique keys alone
    -- Locks:       shared, the exam; the new users by username, the new sessions by user, so that
    --              two calls with the same names wait for each other in one direction
    -- Example:     CALL register_candidates(
    --                  1, '[{"username": "alice", "full_name": "Alice Chen"}]', NULL);
    --              item_no status code message user_id user_created session_id attempt_no ...
    --                    0    200 NULL NULL          1            1          1          1 ...
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_max_attempts INT;
    DECLARE v_starts_at, v_ends_at, v_deadline_at DATETIME(6);
    DECLARE v_duration_sec BIGINT;
    DECLARE v_now DATETIME(6);
    DECLARE v_closed VARCHAR(40);
    DECLARE v_done BOOLEAN DEFAULT FALSE;
    DECLARE v_collisions INT DEFAULT 0;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    -- Again where another call has created the same users or sessions in between. Each time that
    -- call has ended, so as many as overlap with this array are the bound.
    WHILE NOT v_done DO
        BEGIN
            DECLARE EXIT HANDLER FOR 1062
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                SET v_collisions = v_collisions + 1;
                IF v_collisions > 10 THEN
                    RESIGNAL;
                END IF;
                SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            END;
            DECLARE EXIT HANDLER FOR SQLEXCEPTION
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                RESIGNAL;
            END;

            START TRANSACTION;
            CALL _settle_session();
            CALL _find_board(p_exam_id, v_board_id);
            CALL _read_candidates(p_candidates, p_actor_id);

            -- Before the new rows, as start_session does.
            SELECT max_attempts, starts_at, ends_at, duration_sec
            INTO v_max_attempts, v_starts_at, v_ends_at, v_duration_sec
            FROM exams
            WHERE exam_id = p_exam_id
            FOR SHARE;
            SET v_now = UTC_TIMESTAMP(6);
            SET v_deadline_at = v_now + INTERVAL v_duration_sec SECOND;
            SET v_closed = CASE
                WHEN v_starts_at > v_now THEN 'exam_not_open'
                WHEN v_ends_at <= v_now THEN 'exam_ended'
            END;

            INSERT INTO users (username, full_name, role, created_at)
            SELECT username, full_name, 'candidate', v_now
            FROM tmp_candidates
            WHERE code IS NULL AND user_id IS NULL AND repeat_no = 1 AND v_closed IS NULL
            ORDER BY username;

            CALL _find_attempts(p_exam_id, v_max_attempts, v_closed);

            INSERT INTO exam_sessions (
                exam_id, user_id, attempt_no, status, started_at, deadline_at
            )
            SELECT
                p_exam_id, user_id, attempt_no, 'in_progress', v_now,
                -- The earlier of the two; NULL where the exam has neither.
                COALESCE(LEAST(v_deadline_at, v_ends_at), v_deadline_at, v_ends_at)
            FROM tmp_attempts
            WHERE starts
            ORDER BY user_id;

            COMMIT AND NO CHAIN NO RELEASE;
            SET v_done = TRUE;
        END;
    END WHILE;

    SELECT
        t.item_no,
        COALESCE(c.http_status, 200) AS status,
        t.code,
        CONCAT(t.code, ': ', CASE t.code
            WHEN 'candidates_invalid' THEN 'a candidate must be a JSON object'
            WHEN 'username_invalid' THEN 'username must have 1 to 64 characters'
            WHEN 'full_name_invalid' THEN 'full_name must have 1 to 200 characters'
            WHEN 'not_own_session' THEN CONCAT(
                'user ', p_actor_id, ' is a candidate and starts sessions for himself only')
            WHEN 'exam_not_open' THEN CONCAT(
                'exam ', p_exam_id, ' starts at ', v_starts_at, ' UTC')
            WHEN 'exam_ended' THEN CONCAT('exam ', p_exam_id, ' ended at ', v_ends_at, ' UTC')
            WHEN 'attempts_exhausted' THEN CONCAT(
                'user ', t.user_id, ' has used all ', v_max_attempts, ' attempts at exam ',
                p_exam_id)
        END) AS message,
        t.user_id,
        t.user_created,
        s.session_id,
        s.attempt_no,
        t.starts AS session_created
    FROM tmp_attempts AS t
    LEFT JOIN error_catalog AS c ON c.code = t.code
    LEFT JOIN exam_sessions AS s FORCE INDEX (uq_exam_sessions_exam_user_attempt)
        ON s.exam_id = p_exam_id AND s.user_id = IF(t.code IS NULL, t.user_id, NULL)
        AND s.attempt_no = t.attempt_no
    ORDER BY t.item_no;

    COMMIT AND NO CHAIN NO RELEASE;     -- of this SELECT, on a connection without autocommit
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/register_candidates.sql', '1017108e7a80e8d3633ca1fb9960190d715111cfc71acc3c113faca10545f8f6', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.start_session;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.start_session(
    p_exam_id  BIGINT,
    p_user_id  BIGINT,
    p_actor_id BIGINT
)
    COMMENT 'Starts an attempt of a candidate, or returns the one in progress'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     One session in progress per candidate and exam, however many calls race for it.
    -- Parameters:  p_exam_id   of create_exam
    --              p_user_id   the candidate
    --              p_actor_id  acting user; a candidate starts his own sessions only; NULL: the
    --                          MySQL account
    -- Result sets: session_id, exam_id, user_id, attempt_no, status, version, total_score,
    --              weighted_coding, weighted_quiz, weighted_assessment, total_time_sec, started_at,
    --              deadline_at, finished_at, created (1: new, 0: was in progress)
    -- Errors:      exam_not_found, user_not_found, not_own_session, exam_not_open, exam_ended,
    --              attempts_exhausted; 1568 inside an open transaction
    -- Transaction: its own, READ COMMITTED: two starts are told apart by the unique key alone
    -- Locks:       the new row; shared, its exam and its user
    -- Example:     CALL start_session(1, 1, NULL);
    --              session_id exam_id user_id attempt_no status      version ... created
    --                       1       1       1          1 in_progress       0 ...       1
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_session_id BIGINT UNSIGNED;
    DECLARE v_attempt_no INT;
    DECLARE v_in_progress BOOLEAN;
    DECLARE v_max_attempts INT;
    DECLARE v_starts_at, v_ends_at, v_deadline_at DATETIME(6);
    DECLARE v_duration_sec BIGINT;
    DECLARE v_now DATETIME(6);
    DECLARE v_created BOOLEAN DEFAULT FALSE;
    DECLARE v_collisions INT DEFAULT 0;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    -- Again where another call has started the same attempt in between.
    WHILE v_session_id IS NULL DO
        BEGIN
            DECLARE EXIT HANDLER FOR 1062
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                SET v_collisions = v_collisions + 1;
                IF v_collisions > 3 THEN
                    RESIGNAL;
                END IF;
                SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
            END;
            DECLARE EXIT HANDLER FOR SQLEXCEPTION
            BEGIN
                ROLLBACK AND NO CHAIN NO RELEASE;
                RESIGNAL;
            END;

            START TRANSACTION;
            CALL _settle_session();

            CALL _find_board(p_exam_id, v_board_id);
            IF NOT EXISTS (SELECT 1 FROM users WHERE user_id = p_user_id) THEN
                CALL _raise('user_not_found',
                            CONCAT('user ', COALESCE(p_user_id, 'NULL'), ' does not exist'));
            END IF;
            CALL _require_actor(p_actor_id, p_user_id, NULL);

            -- Locked before the new row, as update_exam_weights does, so that the two cannot
            -- deadlock.
            SELECT max_attempts, starts_at, ends_at, duration_sec
            INTO v_max_attempts, v_starts_at, v_ends_at, v_duration_sec
            FROM exams
            WHERE exam_id = p_exam_id
            FOR SHARE;

            SET v_now = UTC_TIMESTAMP(6), v_attempt_no = 0, v_in_progress = FALSE;
            SELECT session_id, attempt_no, status = 'in_progress'
            INTO v_session_id, v_attempt_no, v_in_progress
            FROM exam_sessions
            WHERE exam_id = p_exam_id AND user_id = p_user_id
            ORDER BY attempt_no DESC
            LIMIT 1;

            IF NOT v_in_progress THEN
                SET v_session_id = NULL;
                IF v_starts_at > v_now THEN
                    CALL _raise('exam_not_open',
                                CONCAT('exam ', p_exam_id, ' starts at ', v_starts_at, ' UTC'));
                END IF;
                IF v_ends_at <= v_now THEN
                    CALL _raise('exam_ended',
                                CONCAT('exam ', p_exam_id, ' ended at ', v_ends_at, ' UTC'));
                END IF;
                IF v_attempt_no >= v_max_attempts THEN
                    CALL _raise('attempts_exhausted', CONCAT(
                        'user ', p_user_id, ' has used all ', v_max_attempts, ' attempts at exam ',
                        p_exam_id));
                END IF;
                SET v_deadline_at = v_now + INTERVAL v_duration_sec SECOND;

                INSERT INTO exam_sessions (
                    exam_id, user_id, attempt_no, status, started_at, deadline_at
                )
                VALUES (
                    p_exam_id, p_user_id, v_attempt_no + 1, 'in_progress', v_now,
                    -- The earlier of the two; NULL where the exam has neither.
                    COALESCE(LEAST(v_deadline_at, v_ends_at), v_deadline_at, v_ends_at)
                );
                SET v_session_id = LAST_INSERT_ID(), v_created = TRUE;
            END IF;
            COMMIT AND NO CHAIN NO RELEASE;
        END;
    END WHILE;

    SELECT
        session_id, exam_id, user_id, attempt_no, status, version, total_score, weighted_coding,
        weighted_quiz, weighted_assessment, total_time_sec, started_at, deadline_at, finished_at,
        v_created AS created
    FROM exam_sessions
    WHERE session_id = v_session_id;

    COMMIT AND NO CHAIN NO RELEASE;     -- of this SELECT, on a connection without autocommit
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/start_session.sql', '3676db4729e42d05f0b9259fc9e4920e327d81ba082017c3fc6706a1b2dda336', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.submit_score;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.submit_score(
    p_session_id       BIGINT,
    p_module_type      TEXT,
    p_raw_score        DECIMAL(65, 20),
    p_max_score        DECIMAL(65, 20),
    p_time_spent_sec   BIGINT,
    p_details          JSON,
    p_expected_version BIGINT,
    p_submission_id    TEXT,
    p_actor_id         BIGINT
)
    COMMENT 'Submits one module score'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     submit_scores for one submission, where a refusal is an error.
    -- Parameters:  p_session_id        of start_session
    --              p_module_type       coding, quiz or assessment
    --              p_raw_score         0 to p_max_score
    --              p_max_score         above 0
    --              p_time_spent_sec    seconds
    --              p_details           any JSON object; NULL: none
    --              p_expected_version  the session's version before this; NULL: whatever it is
    --              p_submission_id     1 to 64 printable ASCII characters; the same id again
    --                                  returns the first outcome and changes nothing; NULL: a new
    --                                  one
    --              p_actor_id          acting user; NULL: the MySQL account itself
    -- Result sets: one row with the columns of submit_scores
    -- Errors:      module_unknown, raw_score_invalid, max_score_invalid, time_spent_invalid,
    --              details_invalid, expected_version_invalid, submission_id_invalid,
    --              session_not_found, actor_not_found, not_own_session, session_finished,
    --              deadline_passed, version_conflict, submission_id_reused; 1568 inside an open
    --              transaction
    -- Transaction: its own, SERIALIZABLE; after 1213 or 1205 nothing has happened: try again
    -- Locks:       the board, then the session and what is written
    -- Example:     CALL submit_score(1, 'coding', 85.5, 100, 2400, '{"test_cases_passed": 17}',
    --                                NULL, NULL, NULL);
    --              item_no status ... version revision rank total_score weighted_coding ...
    --                    0    200 ...       2        2    1     69.7500         42.7500 ...
    DECLARE v_code VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin;
    DECLARE v_detail VARCHAR(128);

    CALL _submit(
        JSON_ARRAY(JSON_OBJECT(
            'session_id', p_session_id,
            'module_type', p_module_type,
            'raw_score', p_raw_score,
            'max_score', p_max_score,
            'time_spent_sec', p_time_spent_sec,
            'details', p_details,
            'expected_version', p_expected_version,
            'submission_id', p_submission_id
        )),
        p_actor_id
    );

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            -- Of what was read since, on a connection without autocommit.
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        SELECT
            t.code,
            _refusal(t.code, t.session_id, t.actor_id, t.expected_version, t.current_version)
        INTO v_code, v_detail
        FROM tmp_submissions AS t;

        IF v_code IS NOT NULL THEN
            CALL _raise(v_code, v_detail);
        END IF;
    END;

    SELECT
        t.item_no,
        200 AS status,
        t.code,
        NULL AS message,
        NULL AS current_version,
        t.submission_id,
        t.replayed,
        b.exam_id,
        t.session_id,
        t.user_id,
        t.module_type,
        a.version,
        a.revision,
        a.entry_rank AS `rank`,
        a.entry_total_score AS total_score,
        a.entry_weighted_coding AS weighted_coding,
        a.entry_weighted_quiz AS weighted_quiz,
        a.entry_weighted_assessment AS weighted_assessment,
        a.entry_total_time_sec AS total_time_sec
    FROM tmp_submissions AS t
    INNER JOIN score_audit_log AS a FORCE INDEX (uq_score_audit_log_submission_id)
        ON a.submission_id = t.submission_id
    INNER JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = t.board_id;

    COMMIT AND NO CHAIN NO RELEASE;     -- of this SELECT, on a connection without autocommit
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/submit_score.sql', 'ee82fa9109cb3f878e4697ac2d050724eddfd97c83c8f3e6f2c6855b9c2d8c69', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.submit_scores;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.submit_scores(
    p_submissions JSON,
    p_actor_id    BIGINT
)
    COMMENT 'Submits an array of module scores; each succeeds or fails for itself'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Scores, audit rows, revision, board and ranks of up to 1000 submissions in one
    --              transaction. About as many statements run for 500 as for one.
    -- Parameters:  p_submissions  array of objects: session_id, module_type (coding, quiz,
    --                             assessment), raw_score, max_score, time_spent_sec (seconds);
    --                             optional: details (object), expected_version (of the session
    --                             before it), submission_id (makes it repeatable; default a new
    --                             one), actor_id, actor_role (candidate: for his own sessions only;
    --                             default the actor's role), request_id (1 to 64 letters, digits,
    --                             dots, dashes and underscores; kept in the audit log, so that its
    --                             row is found by what the logs say)
    --              p_actor_id     acting user of items without actor_id; NULL: the MySQL account
    --                             itself
    -- Result sets: one row per item, in order: item_no (from 0), status (200 or the HTTP status of
    --              the refusal), code, message (NULL where accepted), current_version (of a
    --              version_conflict), submission_id, replayed, exam_id, session_id, user_id,
    --              module_type, version, revision, and the candidate's entry on the board at that
    --              revision: rank, total_score, weighted_coding, weighted_quiz,
    --              weighted_assessment, total_time_sec
    -- Errors:      submissions_invalid, too_many_items; 1568 inside an open transaction. What is
    --              wrong with one item is in its row: see error_catalog, 503xx and 504xx
    -- Transaction: its own, SERIALIZABLE; after 1213 or 1205 nothing has happened: try again
    -- Locks:       the boards concerned in ascending order, then their sessions and what is written
    -- Example:     CALL submit_scores('[{"session_id": 1, "module_type": "quiz", "raw_score": 90,
    --                                    "max_score": 100, "time_spent_sec": 900}]', NULL);
    --              item_no status code message ... version revision rank total_score ...
    --                    0    200 NULL NULL    ...       1        1    1     27.0000 ...
    CALL _submit(p_submissions, p_actor_id);

    SELECT
        t.item_no,
        COALESCE(c.http_status, 200) AS status,
        t.code,
        CONCAT(t.code, ': ', _refusal(
            t.code, t.session_id, t.actor_id, t.expected_version, t.current_version)) AS message,
        IF(t.code = 'version_conflict', t.current_version, NULL) AS current_version,
        t.submission_id,
        t.replayed AND t.code IS NULL AS replayed,
        b.exam_id,
        t.session_id,
        t.user_id,
        t.module_type,
        a.version,
        a.revision,
        a.entry_rank AS `rank`,
        a.entry_total_score AS total_score,
        a.entry_weighted_coding AS weighted_coding,
        a.entry_weighted_quiz AS weighted_quiz,
        a.entry_weighted_assessment AS weighted_assessment,
        a.entry_total_time_sec AS total_time_sec
    FROM tmp_submissions AS t
    LEFT JOIN error_catalog AS c ON c.code = t.code
    LEFT JOIN score_audit_log AS a FORCE INDEX (uq_score_audit_log_submission_id)
        ON a.submission_id = IF(t.code IS NULL, t.submission_id, NULL)
    LEFT JOIN leaderboards AS b FORCE INDEX (PRIMARY) ON b.board_id = t.board_id
    ORDER BY t.item_no;

    COMMIT AND NO CHAIN NO RELEASE;     -- of this SELECT, on a connection without autocommit
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/submit_scores.sql', 'e270720641b27f53185a2d81cdc6d055959dca0398bc641276ce903a82650bd0', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.update_exam_weights;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.update_exam_weights(
    p_exam_id           BIGINT,
    p_weight_coding     DECIMAL(30, 15),
    p_weight_quiz       DECIMAL(30, 15),
    p_weight_assessment DECIMAL(30, 15),
    p_actor_id          BIGINT
)
    COMMENT 'Changes the weights of an exam and recalculates its board'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     New weights and the board they give, in one commit.
    -- Parameters:  p_exam_id   of create_exam
    --              p_weight_*  points out of 100, two decimals, summing to 100
    --              p_actor_id  acting user; NULL: the MySQL account itself
    -- Result sets: the columns of get_exam
    -- Errors:      exam_not_found, weights_invalid; 1568 inside an open transaction
    -- Transaction: its own, SERIALIZABLE. Its length grows with the exam; submissions wait.
    -- Locks:       the board, the exam, then all of its sessions, module scores, entries and
    --              counters
    -- Example:     CALL update_exam_weights(1, 40, 40, 20, NULL);
    --              exam_id title                  weight_coding ... revision total_participants
    --                    1 Backend Challenge 2026         40.00 ...        5                842
    DECLARE v_board_id BIGINT UNSIGNED;
    DECLARE v_written BOOLEAN;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION;
        CALL _settle_session();
        CALL _find_board(p_exam_id, v_board_id);
        CALL _require_weights(p_weight_coding, p_weight_quiz, p_weight_assessment);
        COMMIT AND NO CHAIN NO RELEASE;

        SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
        START TRANSACTION;
        SET v_board_id = (SELECT board_id FROM leaderboards WHERE board_id = v_board_id FOR UPDATE);
        SET v_written = _revise_board(
            v_board_id, p_weight_coding, p_weight_quiz, p_weight_assessment, p_actor_id);
        COMMIT AND NO CHAIN NO RELEASE;
    END;

    CALL get_exam(p_exam_id);
    COMMIT AND NO CHAIN NO RELEASE;     -- of its SELECT, on a connection without autocommit
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/update_exam_weights.sql', 'c6022311a331979e2c0cfe34433384422b11e63b4b93a41fbcc0e33dee3ff16a', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium.verify_audit;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium.verify_audit(
    p_exam_id BIGINT
)
    COMMENT 'Verifies the history of an exam'
    NOT DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Walks the hash chain from the first revision to the head and compares each link
    --              with the audit rows it covers, the versions of the sessions with their number,
    --              and the scores that count now with the last ones that were submitted.
    -- Parameters:  p_exam_id  of create_exam
    -- Result sets: revision, problem: by revision, the first bad one first; what is wrong with
    --              sessions and scores of today comes with the board's revision; no row when all is
    --              well
    -- Errors:      exam_not_found; 1568 inside an open transaction
    -- Transaction: its own, REPEATABLE READ, READ ONLY: one moment, while submissions go on
    -- Locks:       none
    -- Example:     CALL verify_audit(1);
    --              Empty set
    DECLARE v_board_id BIGINT UNSIGNED;

    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            ROLLBACK AND NO CHAIN NO RELEASE;
            RESIGNAL;
        END;

        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;
        CALL _find_board(p_exam_id, v_board_id);

        WITH
        covered AS (
            SELECT
                revision,
                COUNT(*) AS submissions,
                GROUP_CONCAT(HEX(digest) ORDER BY item_no SEPARATOR '') AS digests
            FROM score_audit_log
            WHERE board_id = v_board_id
            GROUP BY revision
        ),
        links AS (
            SELECT
                r.revision,
                r.submissions,
                r.hash,
                r.previous_hash,
                ROW_NUMBER() OVER (ORDER BY r.revision) AS place,
                LAG(r.hash) OVER (ORDER BY r.revision) AS hash_before,
                COALESCE(c.submissions, 0) AS found,
                _revision_hash(
                    r.previous_hash, r.revision, r.reason, r.submissions, r.actor, r.details,
                    r.committed_at, c.digests)
                    AS true_hash
            FROM leaderboard_revisions AS r
            LEFT JOIN covered AS c ON c.revision = r.revision
            WHERE r.board_id = v_board_id
        ),
        newest AS (
            SELECT
                session_id, module_type, revision, new_raw_score, new_max_score, new_time_spent_sec,
                ROW_NUMBER() OVER (
                    PARTITION BY session_id, module_type ORDER BY revision DESC, item_no DESC
                ) AS newness
            FROM score_audit_log
            WHERE board_id = v_board_id
        ),
        problems AS (
            SELECT revision, 'a revision before it is missing' AS problem
            FROM links
            WHERE revision <> place AND revision - 1 NOT IN (SELECT revision FROM links)
            UNION ALL
            SELECT revision, 'it does not follow from the revision before it'
            FROM links
            WHERE previous_hash <> COALESCE(
                hash_before, UNHEX(SHA2(CONCAT('podium board of exam ', p_exam_id), 256)))
            UNION ALL
            SELECT revision, CONCAT('it has ', found, ' audit rows, not ', submissions)
            FROM links
            WHERE found <> submissions
            UNION ALL
            SELECT revision, 'its audit rows or its own row have been changed'
            FROM links
            WHERE found = submissions AND hash <> true_hash
            UNION ALL
            SELECT c.revision, 'audit rows belong to a revision that does not exist'
            FROM covered AS c
            LEFT JOIN links AS l ON l.revision = c.revision
            WHERE l.revision IS NULL
            UNION ALL
            SELECT b.revision, 'the board does not stand at the end of its history'
            FROM leaderboards AS b
            LEFT JOIN links AS l ON l.revision = b.revision
            WHERE b.board_id = v_board_id
                AND (
                    b.revision <> (SELECT COALESCE(MAX(revision), 0) FROM links)
                    OR b.head_hash <> COALESCE(
                        l.hash, UNHEX(SHA2(CONCAT('podium board of exam ', p_exam_id), 256)))
                )
            UNION ALL
            SELECT
                b.revision,
                CONCAT('session ', s.session_id, ' is at version ', s.version, ' after ',
                       COALESCE(a.submissions, 0), ' audit rows')
            FROM leaderboards AS b
            INNER JOIN exam_sessions AS s ON s.exam_id = b.exam_id
            LEFT JOIN (
                SELECT session_id, COUNT(*) AS submissions
                FROM score_audit_log
                WHERE board_id = v_board_id
                GROUP BY session_id
            ) AS a ON a.session_id = s.session_id
            WHERE b.board_id = v_board_id AND s.version <> COALESCE(a.submissions, 0)
            UNION ALL
            SELECT
                b.revision,
                CONCAT('the ', m.module_type, ' score of session ', m.session_id,
                       ' is not the one that was submitted last')
            FROM leaderboards AS b
            INNER JOIN exam_sessions AS s ON s.exam_id = b.exam_id
            INNER JOIN module_scores AS m ON m.session_id = s.session_id
            LEFT JOIN newest AS a
                ON a.session_id = m.session_id AND a.module_type = m.module_type AND a.newness = 1
            WHERE b.board_id = v_board_id
                AND NOT (
                    m.raw_score <=> a.new_raw_score
                    AND m.max_score <=> a.new_max_score
                    AND m.time_spent_sec <=> a.new_time_spent_sec
                )
            UNION ALL
            SELECT
                a.revision,
                CONCAT('the ', a.module_type, ' score of session ', a.session_id, ' is missing')
            FROM newest AS a
            LEFT JOIN module_scores AS m
                ON m.session_id = a.session_id AND m.module_type = a.module_type
            WHERE a.newness = 1 AND m.session_id IS NULL
        )
        SELECT /*+ SET_VAR(group_concat_max_len = 1048576) */ revision, problem
        FROM problems
        ORDER BY revision, problem;

        COMMIT AND NO CHAIN NO RELEASE;
    END;
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('procedures/verify_audit.sql', '2f3ae27c5e28979767f75bcd619eee0a3f1e29fd9d8c2d959e781989fbf63942', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP TRIGGER IF EXISTS podium.leaderboard_revisions_no_delete;

DELIMITER $$

-- The history is append-only for everybody, whatever his grants.
CREATE DEFINER = podium_owner@localhost TRIGGER podium.leaderboard_revisions_no_delete
BEFORE DELETE ON podium.leaderboard_revisions
FOR EACH ROW
BEGIN
    CALL podium._raise('audit_append_only', 'leaderboard_revisions takes no DELETE');
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('triggers/leaderboard_revisions_no_delete.sql', '52e512974cc867d8dc8e0b78ad5c47282eb17d767bb505e053f671e7fbc3db3c', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP TRIGGER IF EXISTS podium.leaderboard_revisions_no_update;

DELIMITER $$

-- The history is append-only for everybody, whatever his grants.
CREATE DEFINER = podium_owner@localhost TRIGGER podium.leaderboard_revisions_no_update
BEFORE UPDATE ON podium.leaderboard_revisions
FOR EACH ROW
BEGIN
    CALL podium._raise('audit_append_only', 'leaderboard_revisions takes no UPDATE');
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('triggers/leaderboard_revisions_no_update.sql', 'e0e966f30961f23486b0ff2415a34c7909bc297f0240583519c407f250a485b4', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP TRIGGER IF EXISTS podium.score_audit_log_no_delete;

DELIMITER $$

-- The history is append-only for everybody, whatever his grants.
CREATE DEFINER = podium_owner@localhost TRIGGER podium.score_audit_log_no_delete
BEFORE DELETE ON podium.score_audit_log
FOR EACH ROW
BEGIN
    CALL podium._raise('audit_append_only', 'score_audit_log takes no DELETE');
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('triggers/score_audit_log_no_delete.sql', '4b8f105a3f98e435db7129ac3de5428cf06a49d04d759d9a904ecf48044b271d', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP TRIGGER IF EXISTS podium.score_audit_log_no_update;

DELIMITER $$

-- The history is append-only for everybody, whatever his grants.
CREATE DEFINER = podium_owner@localhost TRIGGER podium.score_audit_log_no_update
BEFORE UPDATE ON podium.score_audit_log
FOR EACH ROW
BEGIN
    CALL podium._raise('audit_append_only', 'score_audit_log takes no UPDATE');
END$$

DELIMITER ;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('triggers/score_audit_log_no_update.sql', 'b19aa48ab0cb0e2d600f4dc2d48dccf883109e34feacfcb126c971c4ade17d22', '0.1.0', UTC_TIMESTAMP(6));
SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The security model on one screen. Loaded last and again whenever a routine changes, since
-- dropping a routine drops the grants on it.

-- podium_owner, locked, is the definer of all routines. The history it can write and read, not
-- change; TRIGGER lets the triggers that refuse that to everybody else run in its name.
GRANT EXECUTE, CREATE TEMPORARY TABLES ON podium.* TO podium_owner@localhost;
GRANT SELECT ON podium.* TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.users TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.exams TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.exam_sessions TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.module_scores TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.leaderboards TO podium_owner@localhost;
GRANT INSERT, UPDATE, DELETE ON podium.leaderboard_snapshot TO podium_owner@localhost;
GRANT INSERT, UPDATE, DELETE ON podium.leaderboard_counters TO podium_owner@localhost;
GRANT INSERT, TRIGGER ON podium.leaderboard_revisions TO podium_owner@localhost;
GRANT INSERT, TRIGGER ON podium.score_audit_log TO podium_owner@localhost;

-- podium_gateway: EXECUTE on the public procedures and nothing else.
GRANT EXECUTE ON PROCEDURE podium.create_user TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.create_exam TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.update_exam_weights TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.register_candidates TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.start_session TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.finish_session TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.submit_score TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.submit_scores TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_leaderboard TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_entry TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_around TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_session TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_exam TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.list_exams TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_audit_trail TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_revisions TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.recalculate_leaderboard TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.check_leaderboard TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.verify_audit TO podium_gateway, podium_dba;

-- podium_dba also reads the tables. It writes through the procedures only.
GRANT SELECT ON podium.* TO podium_dba;
REPLACE INTO podium.schema_files (path, checksum, release_no, applied_at)
VALUES ('grants.sql', 'f08b610efbf5e0a24e2c84918141a2d7cbc9a8d1c5954430ab871bbd1a53bcbb', '0.1.0', UTC_TIMESTAMP(6));

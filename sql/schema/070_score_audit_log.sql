SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- One row per accepted submission, for ever. Triggers refuse UPDATE and DELETE; the digest feeds
-- the hash chain of leaderboard_revisions and is computed from the row whenever it is read.
CREATE TABLE IF NOT EXISTS podium.score_audit_log (
    board_id                  BIGINT UNSIGNED NOT NULL,
    audit_id                  BIGINT UNSIGNED NOT NULL,     -- of the board: from 1, in commit order
    revision                  BIGINT UNSIGNED NOT NULL,
    item_no                   INT UNSIGNED    NOT NULL,     -- place in the array it came in
    submission_id             VARCHAR(64)     COLLATE utf8mb4_0900_bin NOT NULL, -- NO PAD
    payload_hash              BINARY(32)      NOT NULL,     -- of what was submitted, for replays
    session_id                BIGINT UNSIGNED NOT NULL,
    user_id                   BIGINT UNSIGNED NOT NULL,     -- whose session
    module_type               ENUM ('coding', 'quiz', 'assessment') NOT NULL,
    actor_id                  BIGINT UNSIGNED NULL,         -- NULL: the MySQL account itself
    actor                     VARCHAR(300)    NOT NULL,     -- user:7, or root@localhost
    account                   VARCHAR(300)    NOT NULL,     -- that called, whoever it acted for
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
                                      board_id, audit_id, revision, item_no, submission_id,
                                      HEX(payload_hash), session_id, user_id, module_type,
                                      actor_id, actor, account, request_id,
                                      version, old_raw_score, old_max_score, old_weighted_score,
                                      old_time_spent_sec, new_raw_score, new_max_score,
                                      new_weighted_score, new_time_spent_sec, details,
                                      old_total_score, new_total_score,
                                      entry_rank, entry_total_score, entry_weighted_coding,
                                      entry_weighted_quiz, entry_weighted_assessment,
                                      entry_total_time_sec, created_at), 256))
                              ) VIRTUAL,
    -- get_audit_trail of an exam; verify_audit. The number is counted by leaderboards.submissions,
    -- not drawn: what a session sets for the next row of an AUTO_INCREMENT has no effect.
    PRIMARY KEY (board_id, audit_id),
    -- submit_scores: has this submission been accepted before? get_audit_trail of a session
    CONSTRAINT uq_score_audit_log_session_submission_id UNIQUE (session_id, submission_id),
    CONSTRAINT fk_score_audit_log_board FOREIGN KEY (board_id)
        REFERENCES podium.leaderboards (board_id),
    CONSTRAINT fk_score_audit_log_session FOREIGN KEY (session_id)
        REFERENCES podium.exam_sessions (session_id)
) ENGINE = InnoDB COMMENT = 'Append-only history of accepted submissions';

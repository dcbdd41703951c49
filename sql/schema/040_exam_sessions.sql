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
    -- list_sessions: pages of one exam
    INDEX ix_exam_sessions_exam_session (exam_id, session_id),
    CONSTRAINT fk_exam_sessions_exam FOREIGN KEY (exam_id) REFERENCES podium.exams (exam_id),
    CONSTRAINT fk_exam_sessions_user FOREIGN KEY (user_id) REFERENCES podium.users (user_id),
    CONSTRAINT ck_exam_sessions_total_time_sec CHECK (total_time_sec BETWEEN 0 AND 4194303),
    CONSTRAINT ck_exam_sessions_finished_at
        CHECK ((status = 'finished') = (finished_at IS NOT NULL))
) ENGINE = InnoDB COMMENT = 'Attempts of candidates at exams, with version and totals';

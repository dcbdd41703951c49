SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The references that Podium is measured against, in a schema of their own. They do what their name says and
-- no more: no idempotency, no versions, no hash chain, no attempts, no checks of what comes in.
DROP DATABASE IF EXISTS podium_bench;

CREATE DATABASE podium_bench
    DEFAULT CHARACTER SET utf8mb4
    DEFAULT COLLATE utf8mb4_0900_ai_ci;

-- The rebuild design: the rank is a column of the snapshot, and every submission ranks all of it anew.
CREATE TABLE podium_bench.rebuild_exams (
    exam_id           BIGINT UNSIGNED NOT NULL,     -- of podium.exams
    weight_coding     DECIMAL(5, 2)   NOT NULL,
    weight_quiz       DECIMAL(5, 2)   NOT NULL,
    weight_assessment DECIMAL(5, 2)   NOT NULL,
    PRIMARY KEY (exam_id)
) ENGINE = InnoDB;

CREATE TABLE podium_bench.rebuild_sessions (
    session_id     BIGINT UNSIGNED NOT NULL,        -- of podium.exam_sessions
    exam_id        BIGINT UNSIGNED NOT NULL,
    user_id        BIGINT UNSIGNED NOT NULL,
    version        INT UNSIGNED    NOT NULL,
    total_score    DECIMAL(7, 4)   NOT NULL,
    total_time_sec INT             NOT NULL,
    PRIMARY KEY (session_id),
    -- the rebuild: all sessions of an exam
    INDEX ix_rebuild_sessions_exam_user (exam_id, user_id)
) ENGINE = InnoDB;

CREATE TABLE podium_bench.rebuild_module_scores (
    session_id     BIGINT UNSIGNED NOT NULL,
    module_type    ENUM ('coding', 'quiz', 'assessment') NOT NULL,
    raw_score      DECIMAL(30, 20) NOT NULL,
    max_score      DECIMAL(30, 20) NOT NULL,
    weighted_score DECIMAL(7, 4)   NOT NULL,
    time_spent_sec INT             NOT NULL,
    submitted_at   DATETIME(6)     NOT NULL,
    PRIMARY KEY (session_id, module_type)
) ENGINE = InnoDB;

CREATE TABLE podium_bench.rebuild_snapshot (
    exam_id        BIGINT UNSIGNED NOT NULL,
    user_id        BIGINT UNSIGNED NOT NULL,
    session_id     BIGINT UNSIGNED NOT NULL,
    total_score    DECIMAL(7, 4)   NOT NULL,
    total_time_sec INT             NOT NULL,
    entry_rank     INT UNSIGNED    NOT NULL,
    PRIMARY KEY (exam_id, user_id),
    -- pages in board order
    INDEX ix_rebuild_snapshot_rank (exam_id, entry_rank)
) ENGINE = InnoDB;

CREATE TABLE podium_bench.rebuild_audit_log (
    audit_id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    exam_id         BIGINT UNSIGNED NOT NULL,
    session_id      BIGINT UNSIGNED NOT NULL,
    module_type     ENUM ('coding', 'quiz', 'assessment') NOT NULL,
    actor           VARCHAR(300)    NOT NULL,
    old_total_score DECIMAL(7, 4)   NOT NULL,
    new_total_score DECIMAL(7, 4)   NOT NULL,
    entry_rank      INT UNSIGNED    NOT NULL,
    created_at      DATETIME(6)     NOT NULL,
    PRIMARY KEY (audit_id)
) ENGINE = InnoDB;

-- The bare transaction: the least that a score with a history can be.
CREATE TABLE podium_bench.bare_totals (
    session_id  BIGINT UNSIGNED NOT NULL,           -- of podium.exam_sessions
    total_score DECIMAL(7, 4)   NOT NULL,
    PRIMARY KEY (session_id)
) ENGINE = InnoDB;

CREATE TABLE podium_bench.bare_audit_log (
    audit_id        BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    session_id      BIGINT UNSIGNED NOT NULL,
    new_total_score DECIMAL(7, 4)   NOT NULL,
    created_at      DATETIME(6)     NOT NULL,
    PRIMARY KEY (audit_id)
) ENGINE = InnoDB;

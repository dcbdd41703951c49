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

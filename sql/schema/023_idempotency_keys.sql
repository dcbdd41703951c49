SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- What was created under a key that its client chose: the same call again, after an answer that was
-- lost, finds it. A key belongs to who sent it; it is written together with what it stands for.
CREATE TABLE IF NOT EXISTS podium.idempotency_keys (
    kind            ENUM (
                        'user',         -- create_user_once
                        'exam',         -- create_exam_once
                        'session'       -- start_session_once
                    ) NOT NULL,
    actor           VARCHAR(300)    COLLATE utf8mb4_0900_bin NOT NULL,  -- user:7, or an account
    idempotency_key VARCHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_id      BIGINT UNSIGNED NOT NULL,       -- of the table that kind names
    digest          BINARY(32)      NOT NULL,       -- of what was asked for; user: and created_id
    created_at      DATETIME(6)     NOT NULL,
    -- create_user_once, create_exam_once, start_session_once: what a key stands for
    PRIMARY KEY (kind, actor, idempotency_key)
) ENGINE = InnoDB COMMENT = 'What was created under which key of a client';

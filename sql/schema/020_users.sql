SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS podium.users (
    user_id    BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    username   VARCHAR(64)     COLLATE utf8mb4_0900_bin NOT NULL,   -- as it is shown: _username
    -- Who has it: Alice is alice, not Alicé. Folding can make three characters of one.
    username_key VARCHAR(192)  COLLATE utf8mb4_0900_bin NOT NULL,   -- of _username_key
    full_name  VARCHAR(200)    NOT NULL,
    role       ENUM (
                   'candidate',     -- takes exams; submits where exams.submissions_by says so
                   'viewer',        -- reads boards that are open to everybody signed in
                   'grader',        -- submits for anybody, reads all boards and sessions
                   'moderator',     -- the same, starts and finishes sessions, reads the audit trail
                   'admin'          -- creates users and exams, changes weights, recalculates
               ) NOT NULL,
    created_at DATETIME(6)     NOT NULL,
    PRIMARY KEY (user_id),
    -- create_user, update_user: a name is taken once. find_user, register_candidates: who has it
    CONSTRAINT uq_users_username_key UNIQUE (username_key),
    CONSTRAINT ck_users_username CHECK (username <> ''),
    CONSTRAINT ck_users_username_key CHECK (username_key <> ''),
    CONSTRAINT ck_users_full_name CHECK (full_name <> '')
) ENGINE = InnoDB COMMENT = 'People: candidates, viewers, graders, moderators, admins';

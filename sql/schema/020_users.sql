SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS podium.users (
    user_id    BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    username   VARCHAR(64)     COLLATE utf8mb4_0900_as_ci NOT NULL, -- Alice is alice, not Alicé
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
    -- create_user: a name is taken once
    CONSTRAINT uq_users_username UNIQUE (username),
    CONSTRAINT ck_users_username CHECK (TRIM(username) <> ''),
    CONSTRAINT ck_users_full_name CHECK (TRIM(full_name) <> '')
) ENGINE = InnoDB COMMENT = 'People: candidates, viewers, graders, moderators, admins';

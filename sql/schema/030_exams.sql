SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

CREATE TABLE IF NOT EXISTS podium.exams (
    exam_id           BIGINT UNSIGNED   NOT NULL AUTO_INCREMENT,
    title             VARCHAR(200)      NOT NULL,
    weight_coding     DECIMAL(5, 2)     NOT NULL,   -- points out of 100
    weight_quiz       DECIMAL(5, 2)     NOT NULL,
    weight_assessment DECIMAL(5, 2)     NOT NULL,
    max_attempts      SMALLINT UNSIGNED NOT NULL,   -- sessions one candidate may start
    most_attempts     SMALLINT UNSIGNED NOT NULL,   -- the greatest max_attempts there has been
    attempt_policy    ENUM (
                          'best',       -- the attempt with the highest standing counts
                          'latest',     -- the last one that has a score
                          'first'       -- the first one that has a score
                      ) NOT NULL,
    starts_at         DATETIME(6)       NULL,       -- NULL: open since ever
    ends_at           DATETIME(6)       NULL,       -- NULL: never closes
    duration_sec      INT UNSIGNED      NULL,       -- of one attempt; NULL: unlimited
    submissions_by    ENUM (
                          'graders',    -- graders, moderators and admins
                          'candidates'  -- they, and candidates for their own sessions
                      ) NOT NULL DEFAULT 'graders',
    board_access      ENUM (
                          'everyone',   -- no token is needed
                          'signed_in',  -- whoever has a token
                          'participants',   -- candidates who have started a session, and staff
                          'staff'       -- graders, moderators and admins
                      ) NOT NULL DEFAULT 'signed_in',
    board_names       ENUM (            -- what all but staff see of others
                          'full',       -- user name and full name
                          'username',   -- the user name in place of the full name
                          'hidden'      -- a pseudonym in place of both
                      ) NOT NULL DEFAULT 'full',
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
) ENGINE = InnoDB COMMENT = 'Examinations: weights, attempts, schedule, access';

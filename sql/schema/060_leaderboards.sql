SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- One row per board. Its row lock orders all writes of that board: whoever changes anything keyed
-- by a board holds this row FOR UPDATE first.
CREATE TABLE IF NOT EXISTS podium.leaderboards (
    board_id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    exam_id            BIGINT UNSIGNED NOT NULL,
    revision           BIGINT UNSIGNED NOT NULL DEFAULT 0,      -- committed changes so far
    submissions        BIGINT UNSIGNED NOT NULL DEFAULT 0,      -- audit rows so far
    total_participants INT UNSIGNED    NOT NULL DEFAULT 0,      -- entries of the board
    head_hash          BINARY(32)      NOT NULL,                -- hash of the newest revision
    changed_at         DATETIME(6)     NOT NULL,                -- of the newest revision
    PRIMARY KEY (board_id),
    -- every call that names an exam
    CONSTRAINT uq_leaderboards_exam UNIQUE (exam_id),
    CONSTRAINT fk_leaderboards_exam FOREIGN KEY (exam_id) REFERENCES podium.exams (exam_id)
) ENGINE = InnoDB COMMENT = 'Boards: revision, size and head of the hash chain';

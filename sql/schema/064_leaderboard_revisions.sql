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
                      'recalculation',  -- recalculate_leaderboard
                      'settings',       -- update_exam
                      'rename'          -- update_user, of somebody on the board
                  ) NOT NULL,
    submissions   INT UNSIGNED    NOT NULL,         -- audit rows of this revision
    actor         VARCHAR(300)    NULL,             -- NULL of submissions: see their audit rows
    account       VARCHAR(300)    NULL,             -- that called, whoever it acted for
    details       JSON            NULL,             -- of settings: old, new; of rename: who
    previous_hash BINARY(32)      NOT NULL,
    hash          BINARY(32)      NOT NULL,
    committed_at  DATETIME(6)     NOT NULL,         -- never earlier than the revision before
    PRIMARY KEY (board_id, revision),
    CONSTRAINT fk_leaderboard_revisions_board FOREIGN KEY (board_id)
        REFERENCES podium.leaderboards (board_id)
) ENGINE = InnoDB COMMENT = 'Feed and hash chain of the changes of each board';

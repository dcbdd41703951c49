SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- One row per candidate on a board: the attempt that counts, with its totals. The rank is not
-- stored, since one submission moves many; it is read from the counters.
CREATE TABLE IF NOT EXISTS podium.leaderboard_snapshot (
    board_id       BIGINT UNSIGNED NOT NULL,
    user_id        BIGINT UNSIGNED NOT NULL,
    session_id     BIGINT UNSIGNED NOT NULL,
    total_score    DECIMAL(7, 4)   NOT NULL,
    total_time_sec INT             NOT NULL,
    standing_key   BIGINT          NOT NULL,        -- of exam_sessions
    PRIMARY KEY (board_id, user_id),
    -- get_leaderboard, get_around: pages in board order
    INDEX ix_leaderboard_snapshot_standing_key (board_id, standing_key DESC, user_id),
    CONSTRAINT fk_leaderboard_snapshot_board FOREIGN KEY (board_id)
        REFERENCES podium.leaderboards (board_id),
    CONSTRAINT fk_leaderboard_snapshot_user FOREIGN KEY (user_id) REFERENCES podium.users (user_id),
    CONSTRAINT fk_leaderboard_snapshot_session FOREIGN KEY (session_id)
        REFERENCES podium.exam_sessions (session_id)
) ENGINE = InnoDB COMMENT = 'Entries of the boards';

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._open_workspace;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._open_workspace(
    p_items INT
)
    COMMENT 'Empties the temporary tables of a submission, creating them where need be'
    NOT DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     A set-based submission works on temporary tables. They are held in memory: of
    --              rows deleted from InnoDB something stays for a while, and slows who reads the
    --              table next. They live as long as the connection, since creating them takes a
    --              tenth of a submission; but a table in memory keeps the places of deleted rows,
    --              so that after a large array they are created anew.
    -- Parameters:  p_items  in the array they are for
    -- Result sets: none
    -- Errors:      none
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _open_workspace(1);
    DECLARE c_large INT DEFAULT 200;
    DECLARE v_max_heap_table_size BIGINT UNSIGNED DEFAULT @@max_heap_table_size;
    DECLARE v_engine VARCHAR(64) DEFAULT @@default_tmp_storage_engine;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET max_heap_table_size = v_max_heap_table_size, default_tmp_storage_engine = v_engine;
        RESIGNAL;
    END;

    -- As _settle_session does; tmp_submissions then draws the id.
    SET timestamp = DEFAULT;
    IF @@insert_id <> 0 THEN
        SET insert_id = 1;
    END IF;

    -- A connection that is reset loses the variable and the tables together. The name carries the
    -- shape of the tables: a release that changes one changes the names, so that old connections
    -- get new tables. Its value is the number of items that they were used for last.
    IF COALESCE(@podium_workspace_4 > c_large, TRUE) THEN
        -- A thousand items take 2 MB. Where the engine is disabled, as in a group of servers that
        -- replicate each other, the server takes InnoDB, unless sql_mode forbids it. This sql_mode
        -- is the routine's own; the other two are the caller's.
        SET max_heap_table_size = 16777216, default_tmp_storage_engine = InnoDB;
        SET sql_mode = 'STRICT_ALL_TABLES';
        DROP TEMPORARY TABLE IF EXISTS
            tmp_submissions, tmp_details, tmp_items, tmp_entries, tmp_standings, tmp_parts;

        -- What came in: one row per item of the array, values read and judged for themselves.
        CREATE TEMPORARY TABLE tmp_submissions (
            place            INT UNSIGNED    NOT NULL,      -- from 1, by board_id and item_no
            board_id         BIGINT UNSIGNED NOT NULL,      -- 0: the item names no board
            item_no          INT UNSIGNED    NOT NULL,      -- from 0
            session_id       BIGINT          NULL,          -- as it came, negative ones included
            user_id          BIGINT UNSIGNED NULL,
            module_type      VARCHAR(20)     NULL,
            raw_score        DECIMAL(30, 20) NULL,
            max_score        DECIMAL(30, 20) NULL,
            time_spent_sec   INT             NULL,
            expected_version BIGINT          NULL,
            submission_id    VARCHAR(64)     COLLATE utf8mb4_0900_bin NULL,
            payload_hash     BINARY(32)      NULL,
            actor_id         BIGINT          NULL,
            request_id       VARCHAR(64)     COLLATE utf8mb4_0900_bin NULL,
            code             VARCHAR(40)     CHARACTER SET ascii COLLATE ascii_bin NULL,
            replayed         BOOLEAN         NOT NULL,
            current_version  INT UNSIGNED    NULL,          -- of the session, for a conflict
            id_items         INT UNSIGNED    NOT NULL,      -- items with this submission_id
            session_items    INT UNSIGNED    NOT NULL,      -- items for this session
            session_time_sec BIGINT          NULL,          -- their times, summed
            -- Draws the id that the caller may have set, in place of the audit log.
            drawn_id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
            PRIMARY KEY USING BTREE (place),
            UNIQUE (drawn_id)
        ) ENGINE = MEMORY;

        -- The details of those that have any: a table in memory holds no JSON.
        CREATE TEMPORARY TABLE tmp_details (
            place   INT UNSIGNED NOT NULL,                  -- of tmp_submissions
            details JSON         NOT NULL,
            PRIMARY KEY (place)
        ) ENGINE = InnoDB;

        -- What is left of it under the lock, beside the state of its session before the array.
        CREATE TEMPORARY TABLE tmp_items (
            place              INT UNSIGNED      NOT NULL,  -- of tmp_submissions
            item_no            INT UNSIGNED      NOT NULL,
            board_id           BIGINT UNSIGNED   NOT NULL,
            exam_id            BIGINT UNSIGNED   NOT NULL,
            session_id         BIGINT UNSIGNED   NOT NULL,
            user_id            BIGINT UNSIGNED   NOT NULL,
            module_type        VARCHAR(20)       NOT NULL,
            raw_score          DECIMAL(30, 20)   NOT NULL,
            max_score          DECIMAL(30, 20)   NOT NULL,
            weighted_score     DECIMAL(7, 4)     NOT NULL,
            time_spent_sec     INT               NOT NULL,
            expected_version   BIGINT            NULL,
            submission_id      VARCHAR(64)       COLLATE utf8mb4_0900_bin NOT NULL,
            payload_hash       BINARY(32)        NOT NULL,
            base_version       INT UNSIGNED      NOT NULL,
            base_total_score   DECIMAL(7, 4)     NOT NULL,
            base_time_sec      INT               NOT NULL,
            old_raw_score      DECIMAL(30, 20)   NULL,
            old_max_score      DECIMAL(30, 20)   NULL,
            old_weighted_score DECIMAL(7, 4)     NULL,
            old_time_spent_sec INT               NULL,
            max_attempts       SMALLINT UNSIGNED NOT NULL,
            attempt_policy     VARCHAR(20)       NOT NULL,
            depends            BOOLEAN           NOT NULL,  -- on what happens to items before it
            code               VARCHAR(40)       CHARACTER SET ascii COLLATE ascii_bin NULL,
            PRIMARY KEY (place)
        ) ENGINE = MEMORY;

        -- What it does to the boards: one row per candidate whose entry is written.
        CREATE TEMPORARY TABLE tmp_entries (
            entry_no            INT UNSIGNED    NOT NULL,   -- from 1, by board_id and user_id
            board_id            BIGINT UNSIGNED NOT NULL,
            user_id             BIGINT UNSIGNED NOT NULL,
            session_id          BIGINT UNSIGNED NOT NULL,   -- the attempt that counts now
            total_score         DECIMAL(7, 4)   NOT NULL,
            total_time_sec      INT             NOT NULL,
            weighted_coding     DECIMAL(7, 4)   NOT NULL,
            weighted_quiz       DECIMAL(7, 4)   NOT NULL,
            weighted_assessment DECIMAL(7, 4)   NOT NULL,
            old_key             BIGINT          NULL,       -- NULL: was not on the board
            new_key             BIGINT          NOT NULL,
            entry_rank          INT UNSIGNED    NULL,
            PRIMARY KEY (entry_no)
        ) ENGINE = MEMORY;

        -- The standings that somebody leaves or takes, where they are listed, and how many hold
        -- them before and after.
        CREATE TEMPORARY TABLE tmp_standings (
            board_id     BIGINT UNSIGNED  NOT NULL,
            standing_key BIGINT           NOT NULL,
            level        TINYINT UNSIGNED NOT NULL,         -- with parent the range that lists it
            parent       BIGINT           NOT NULL,
            old_entries  INT              NOT NULL,
            new_entries  INT              NOT NULL,
            PRIMARY KEY (board_id, standing_key)
        ) ENGINE = MEMORY;

        -- Rows of leaderboard_counters that a range is about to be divided into.
        CREATE TEMPORARY TABLE tmp_parts (
            board_id    BIGINT UNSIGNED  NOT NULL,
            level       TINYINT UNSIGNED NOT NULL,
            parent      BIGINT           NOT NULL,
            bucket      BIGINT           NOT NULL,
            child_shift TINYINT UNSIGNED NOT NULL,          -- of the level
            standings   INT              NOT NULL,
            entries     INT              NOT NULL,
            PRIMARY KEY (board_id, level, parent, bucket)
        ) ENGINE = MEMORY;

        SET max_heap_table_size = v_max_heap_table_size, default_tmp_storage_engine = v_engine;
    END IF;
    SET @podium_workspace_4 = p_items;

    -- The hint is for clients with --safe-updates, which want a key in every WHERE.
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_submissions;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_details;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_items;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_entries;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_standings;
    DELETE /*+ SET_VAR(sql_safe_updates = 0) */ FROM tmp_parts;
END$$

DELIMITER ;

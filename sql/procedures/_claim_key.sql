SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._claim_key;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._claim_key(
    p_kind     VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
    p_actor_id BIGINT,
    p_key      VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin,
    p_call     JSON
)
    RETURNS BIGINT UNSIGNED
    COMMENT 'Takes a key for what is about to be created, or tells what was created under it'
    DETERMINISTIC
    MODIFIES SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     Called by the statement that creates: of two calls with one key the second waits
    --              for the first, and finds what it made. If the statement fails, the key is free
    --              again.
    -- Parameters:  p_kind      of idempotency_keys
    --              p_actor_id  whose key it is; NULL: the MySQL account's
    --              p_key       1 to 64 printable ASCII characters; NULL: none
    --              p_call      the values of the call
    -- Result:      the id of what was created; NULL: it is yet to be, and _keep_key to be called
    -- Errors:      idempotency_key_invalid, idempotency_key_reused
    -- Locks:       the key
    -- Example:     SET v_exam_id = _claim_key('exam', 1, 'exam-of-june', '{"title": "June"}');
    DECLARE v_digest BINARY(32) DEFAULT UNHEX(SHA2(COALESCE(CAST(p_call AS CHAR), ''), 256));
    DECLARE v_actor VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin
        DEFAULT _key_owner(p_actor_id);
    DECLARE v_is_taken, v_is_same BOOLEAN DEFAULT FALSE;
    DECLARE v_created_id BIGINT UNSIGNED;
    -- Looked up below: it is no error that the key is there.
    DECLARE CONTINUE HANDLER FOR 1062 SET v_is_taken = TRUE;

    IF p_key IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT REGEXP_LIKE(p_key, '\\A[ -~]{1,64}\\z') THEN
        CALL _raise('idempotency_key_invalid',
                    'Idempotency-Key must have 1 to 64 printable ASCII characters');
    END IF;

    INSERT INTO idempotency_keys (kind, actor, idempotency_key, created_id, digest, created_at)
    VALUES (p_kind, v_actor, p_key, 0, v_digest, UTC_TIMESTAMP(6));

    IF v_is_taken THEN
        SELECT digest = v_digest, created_id
        INTO v_is_same, v_created_id
        FROM idempotency_keys
        WHERE kind = p_kind AND actor = v_actor AND idempotency_key = p_key
        FOR SHARE;
        IF NOT v_is_same THEN
            CALL _raise('idempotency_key_reused', CONCAT(
                'Idempotency-Key stands for another call, which created ', p_kind, ' ',
                v_created_id));
        END IF;
    END IF;

    RETURN v_created_id;
END$$

DELIMITER ;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP PROCEDURE IF EXISTS podium._require_weights;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost PROCEDURE podium._require_weights(
    p_weight_coding     DECIMAL(30, 15),
    p_weight_quiz       DECIMAL(30, 15),
    p_weight_assessment DECIMAL(30, 15)
)
    COMMENT 'Refuses weights that do not sum to 100'
    DETERMINISTIC
    READS SQL DATA
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The rule of the table's constraints, told in words. The parameters are wider
    --              than the columns, so that 50.001 is refused and not rounded.
    -- Parameters:  points out of 100, at most two decimals, none NULL
    -- Result sets: none
    -- Errors:      weights_invalid
    -- Transaction: the caller's
    -- Locks:       none
    -- Example:     CALL _require_weights(50, 30, 19.99);
    --              ERROR 50201 (45000): weights_invalid: the weights sum to 99.99, not to 100
    IF p_weight_coding IS NULL OR p_weight_quiz IS NULL OR p_weight_assessment IS NULL THEN
        CALL _raise('weights_invalid', 'give all three weights or none');
    END IF;
    IF p_weight_coding NOT BETWEEN 0 AND 100 OR p_weight_quiz NOT BETWEEN 0 AND 100
        OR p_weight_assessment NOT BETWEEN 0 AND 100 THEN
        CALL _raise('weights_invalid', 'a weight must be 0 to 100');
    END IF;
    IF p_weight_coding <> ROUND(p_weight_coding, 2) OR p_weight_quiz <> ROUND(p_weight_quiz, 2)
        OR p_weight_assessment <> ROUND(p_weight_assessment, 2) THEN
        CALL _raise('weights_invalid', 'a weight has at most two decimals');
    END IF;
    IF p_weight_coding + p_weight_quiz + p_weight_assessment <> 100 THEN
        CALL _raise('weights_invalid', CONCAT(
            'the weights sum to ',
            CAST(p_weight_coding + p_weight_quiz + p_weight_assessment AS DECIMAL(6, 2)),
            ', not to 100'
        ));
    END IF;
END$$

DELIMITER ;

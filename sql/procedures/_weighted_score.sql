SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;
SET sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY';

DROP FUNCTION IF EXISTS podium._weighted_score;

DELIMITER $$

CREATE DEFINER = podium_owner@localhost FUNCTION podium._weighted_score(
    p_module_type       VARCHAR(20),
    p_raw_score         DECIMAL(30, 20),
    p_max_score         DECIMAL(30, 20),
    p_weight_coding     DECIMAL(5, 2),
    p_weight_quiz       DECIMAL(5, 2),
    p_weight_assessment DECIMAL(5, 2)
)
    RETURNS DECIMAL(7, 4)
    COMMENT 'Points that a module adds to the total'
    DETERMINISTIC
    NO SQL
    SQL SECURITY DEFINER
BEGIN
    -- Purpose:     The one definition of the weighted score.
    -- Parameters:  p_module_type  coding, quiz or assessment
    --              p_weight_*     of exams, points out of 100
    -- Result:      0 to the module's weight, rounded half up to 4 decimals
    -- Errors:      none
    -- Locks:       none
    -- Example:     SELECT _weighted_score('coding', 85.5, 100, 50, 30, 20);
    --              42.7500

    DECLARE v_weight DECIMAL(5, 2) DEFAULT CASE p_module_type
        WHEN 'coding' THEN p_weight_coding
        WHEN 'quiz' THEN p_weight_quiz
        WHEN 'assessment' THEN p_weight_assessment
    END;

    -- Whole ten-thousandths, half up, by the division that loses nothing: a / b would round its
    -- last digit, up to a half that is not there, and heed the session's div_precision_increment.
    RETURN (p_raw_score * v_weight * 20000 + p_max_score) DIV (2 * p_max_score) * 0.0001;
END$$

DELIMITER ;

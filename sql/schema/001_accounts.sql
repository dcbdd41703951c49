SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The definer of every routine, trigger and view. Locked: nobody logs in as it. What it and the
-- roles may do stands in sql/grants.sql, which is loaded last.
CREATE USER IF NOT EXISTS podium_owner@localhost
    -- No password has this hash. The server's own locked accounts carry it too.
    IDENTIFIED WITH caching_sha2_password
        AS '$A$005$THISISACOMBINATIONOFINVALIDSALTANDPASSWORDTHATMUSTNEVERBRBEUSED'
    ACCOUNT LOCK;

-- podium_gateway: what a login of the HTTP gateway is given. podium_dba: people who CALL and read.
CREATE ROLE IF NOT EXISTS podium_gateway, podium_dba;

SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The security model on one screen. Loaded last and again whenever a routine changes, since
-- dropping a routine drops the grants on it.

-- podium_owner, locked, is the definer of all routines. The history it can write and read, not
-- change; TRIGGER lets the triggers that refuse that to everybody else run in its name.
GRANT EXECUTE, CREATE TEMPORARY TABLES ON podium.* TO podium_owner@localhost;
GRANT SELECT ON podium.* TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.users TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.exams TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.exam_sessions TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.idempotency_keys TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.module_scores TO podium_owner@localhost;
GRANT INSERT, UPDATE ON podium.leaderboards TO podium_owner@localhost;
GRANT INSERT, UPDATE, DELETE ON podium.leaderboard_snapshot TO podium_owner@localhost;
GRANT INSERT, UPDATE, DELETE ON podium.leaderboard_counters TO podium_owner@localhost;
GRANT INSERT, TRIGGER ON podium.leaderboard_revisions TO podium_owner@localhost;
GRANT INSERT, TRIGGER ON podium.score_audit_log TO podium_owner@localhost;
-- get_lock_holders. Names, hosts and the last statements of connections stand there too: what of
-- them is told, and to whom, the procedure decides.
GRANT SELECT ON performance_schema.data_locks TO podium_owner@localhost;
GRANT SELECT ON performance_schema.data_lock_waits TO podium_owner@localhost;
GRANT SELECT ON performance_schema.threads TO podium_owner@localhost;
GRANT SELECT ON performance_schema.events_transactions_current TO podium_owner@localhost;
GRANT SELECT ON performance_schema.events_statements_current TO podium_owner@localhost;

-- podium_gateway: EXECUTE on the public procedures and nothing else.
GRANT EXECUTE ON PROCEDURE podium.create_user TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.create_user_once TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.update_user TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_user TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.find_user TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.create_exam TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.create_exam_once TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.update_exam TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.update_exam_weights TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.register_candidates TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.start_session TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.start_session_once TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.finish_session TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.submit_score TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.submit_scores TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_leaderboard TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_entry TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_around TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.view_leaderboard TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.view_entry TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.view_around TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.view_exam TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.view_exams TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_session TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_session_exams TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.list_sessions TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_exam TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_scores TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.export_leaderboard TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.list_exams TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_audit_trail TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_revisions TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.get_lock_holders TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.recalculate_leaderboard TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.check_leaderboard TO podium_gateway, podium_dba;
GRANT EXECUTE ON PROCEDURE podium.verify_audit TO podium_gateway, podium_dba;

-- podium_dba also reads the tables, explains its queries and sees what there is to call. It writes
-- through the procedures only. SHOW_ROUTINE knows no schema: the texts of all routines of the
-- server come with it, but no data. Not PROCESS, which shows everybody's statements with their
-- values: get_lock_holders tells what of that is needed.
GRANT SELECT, SHOW VIEW ON podium.* TO podium_dba;
GRANT SHOW_ROUTINE ON *.* TO podium_dba;

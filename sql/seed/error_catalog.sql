SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The catalog is replaced whole: what is not listed here no longer exists.
START TRANSACTION;

DELETE FROM podium.error_catalog;

INSERT INTO podium.error_catalog (code, errno, http_status, title, pointer)
VALUES
    -- 500xx: any call
    ('invalid_value', 50000, 422, 'A value breaks a rule', NULL),
    ('malformed_json', 50001, 400, 'The body is not valid JSON', NULL),
    ('unsupported_media_type', 50002, 415, 'The body must be application/json', NULL),
    ('payload_too_large', 50003, 413, 'The body is too large', NULL),
    ('token_missing', 50004, 401, 'A bearer token is required', NULL),
    ('token_invalid', 50005, 401, 'The bearer token is not valid', NULL),
    ('forbidden', 50006, 403, 'The role does not allow this', NULL),
    ('route_not_found', 50007, 404, 'No such address', NULL),
    ('method_not_allowed', 50008, 405, 'The address does not take this method', NULL),
    ('rate_limited', 50009, 429, 'Too many requests', NULL),
    ('database_unavailable', 50010, 503, 'The database cannot be had in time', NULL),
    ('internal_error', 50011, 500, 'Something went wrong inside Podium', NULL),
    ('too_many_items', 50012, 422, 'Too many submissions in one array', '/submissions'),
    ('malformed_request', 50013, 400, 'The request is not valid', NULL),
    ('too_many_streams', 50014, 503, 'No more streams can be opened here', NULL),
    ('time_invalid', 50015, 422, 'The time is not valid', NULL),
    ('body_timeout', 50016, 408, 'The body did not come in time', NULL),
    ('idempotency_key_invalid', 50019, 422, 'The key of the call is not valid', NULL),
    ('idempotency_key_reused', 50020, 409, 'The key stands for another call', NULL),
    -- 501xx: users
    ('user_not_found', 50100, 404, 'No such user', '/user_id'),
    ('username_taken', 50101, 409, 'The user name is taken', '/username'),
    ('username_invalid', 50102, 422, 'The user name is not valid', '/username'),
    ('full_name_invalid', 50103, 422, 'The full name is not valid', '/full_name'),
    ('role_invalid', 50104, 422, 'The role is not known', '/role'),
    ('actor_not_found', 50105, 404, 'The acting user does not exist', NULL),
    ('candidates_invalid', 50106, 422, 'The candidates are not an array of objects',
     '/candidates'),
    ('not_a_candidate', 50108, 409, 'The user is not a candidate', '/user_id'),
    ('user_change_invalid', 50109, 422, 'The change of the user is not valid', NULL),
    -- 502xx: exams
    ('exam_not_found', 50200, 404, 'No such exam', '/exam_id'),
    ('weights_invalid', 50201, 422, 'The weights are not valid', '/weights'),
    ('title_invalid', 50202, 422, 'The title is not valid', '/title'),
    ('max_attempts_invalid', 50203, 422, 'The number of attempts is not valid', '/max_attempts'),
    ('attempt_policy_invalid', 50204, 422, 'The attempt policy is not known', '/attempt_policy'),
    ('schedule_invalid', 50205, 422, 'The exam ends before it starts', '/ends_at'),
    ('duration_invalid', 50206, 422, 'The duration is not valid', '/duration_sec'),
    ('exam_not_open', 50207, 409, 'The exam has not started', '/exam_id'),
    ('exam_ended', 50208, 409, 'The exam has ended', '/exam_id'),
    ('changes_invalid', 50209, 422, 'The changes are not valid', NULL),
    ('submissions_by_invalid', 50210, 422, 'Who submits is not known', '/submissions_by'),
    ('board_access_invalid', 50211, 422, 'Who reads the board is not known', '/board_access'),
    ('board_names_invalid', 50212, 422, 'What names the board shows is not known', '/board_names'),
    -- 503xx: sessions
    ('session_not_found', 50300, 404, 'No such session', '/session_id'),
    ('session_finished', 50301, 409, 'The session is finished', '/session_id'),
    ('deadline_passed', 50302, 409, 'The deadline of the session has passed', '/session_id'),
    ('attempts_exhausted', 50303, 409, 'No attempt is left', '/exam_id'),
    ('not_own_session', 50304, 403, 'The session belongs to somebody else', '/session_id'),
    ('attempt_not_found', 50305, 404, 'No such attempt', '/attempt_no'),
    ('attempt_no_invalid', 50306, 422, 'The number of the attempt is not valid', '/attempt_no'),
    ('status_invalid', 50307, 422, 'The status is not known', '/status'),
    -- 504xx: scores
    ('version_conflict', 50400, 409, 'The session has changed since', '/expected_version'),
    ('submission_id_reused', 50401, 409, 'The submission id stands for another submission',
     '/submission_id'),
    ('module_unknown', 50402, 422, 'The module does not exist', '/module_type'),
    ('raw_score_invalid', 50403, 422, 'The raw score is not valid', '/raw_score'),
    ('max_score_invalid', 50404, 422, 'The maximum score is not valid', '/max_score'),
    ('time_spent_invalid', 50405, 422, 'The time spent is not valid', '/time_spent_sec'),
    ('details_invalid', 50406, 422, 'The details are not valid', '/details'),
    ('expected_version_invalid', 50407, 422, 'The expected version is not valid',
     '/expected_version'),
    ('submission_id_invalid', 50408, 422, 'The submission id is not valid', '/submission_id'),
    ('submissions_invalid', 50409, 422, 'The submissions are not an array of objects',
     '/submissions'),
    ('request_id_invalid', 50410, 422, 'The request id is not valid', '/request_id'),
    ('waited_ms_invalid', 50411, 422, 'The time waited is not valid', '/waited_ms'),
    -- 505xx: boards
    ('entry_not_found', 50500, 404, 'The user is not on the board', '/user_id'),
    ('page_invalid', 50501, 422, 'The page number is not valid', '/page'),
    ('per_page_invalid', 50502, 422, 'The page size is not valid', '/per_page'),
    ('window_invalid', 50503, 422, 'The window is not valid', '/window'),
    ('limit_invalid', 50504, 422, 'The limit is not valid', '/limit'),
    -- 506xx: history
    ('audit_append_only', 50600, 409, 'The audit log is append-only', NULL);

COMMIT;

INSERT INTO users (id, session_count) SELECT 'user-' || n, :each FROM generate_series(0, :users - 1) n;

-- The rows of a user's sessions are far apart.
INSERT INTO sessions (id, user_id, title, title_position, message_count, item_seq, created_at, updated_at)
SELECT gen_random_uuid(), 'user-' || (n % :users), 'A title for the session ' || n, 1, :messages, :messages,
	1760000000000000 + n, 1760000000000000 + n::bigint * 1000
FROM generate_series(0, :users * :each - 1) n;

-- Only the sampled users have messages.
INSERT INTO items (session_id, position, id, run_id, type, content, created_at)
SELECT s.id, p, gen_random_uuid(), gen_random_uuid(),
	CASE p % 2 WHEN 1 THEN 'user_message' ELSE 'assistant_message' END,
	('[{"type":"' || CASE p % 2 WHEN 1 THEN 'input_text' ELSE 'output_text' END || '","text":"A message of a usual ' ||
		'length, some two hundred bytes or forty words: long enough that its bytes count, short enough that twenty ' ||
		'of them are an ordinary session. It has \"quotes\", and it is number ' || p || '."}]')::json,
	s.created_at + p
FROM sessions s, generate_series(1, :messages) p WHERE CAST(substr(s.user_id, 6) AS integer) % :stride = 0;

VACUUM ANALYZE;

WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < :users)
INSERT INTO users (id, session_count) SELECT 'user-' || n, :each FROM series;

-- The rows of a user's sessions are far apart.
WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < :users * :each)
INSERT INTO sessions (id, user_id, title, title_position, message_count, item_seq, created_at, updated_at)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
		substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
	'user-' || (n % :users), 'A title for the session ' || n, 1, :messages, :messages,
	1760000000000000 + n, 1760000000000000 + n * 1000
FROM series;

-- Only the sampled users have messages.
WITH RECURSIVE series (p) AS (SELECT 1 UNION ALL SELECT p + 1 FROM series WHERE p < :messages)
INSERT INTO items (session_id, position, id, run_id, type, content, created_at)
SELECT s.id, p,
	lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
		substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
	lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
		substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
	CASE p % 2 WHEN 1 THEN 'user_message' ELSE 'assistant_message' END,
	'[{"type":"' || CASE p % 2 WHEN 1 THEN 'input_text' ELSE 'output_text' END || '","text":"A message of a usual ' ||
		'length, some two hundred bytes or forty words: long enough that its bytes count, short enough that twenty ' ||
		'of them are an ordinary session. It has \"quotes\", and it is number ' || p || '."}]',
	s.created_at + p
FROM sessions s, series WHERE CAST(substr(s.user_id, 6) AS integer) % :stride = 0;

ANALYZE;

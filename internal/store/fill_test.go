package store_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

// itemsPerSession is the number of items that fill makes for each session.
const itemsPerSession = 4

// filledSession is the id of session n, from 1, that fill makes. It belongs to
// "user N" where N is (n-1) / perUser.
func filledSession(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// content is the content of each item that fill makes.
const content = `[{"type":"input_text","text":"How warm is it in Athens today, and what should I wear for a walk?"}]`

func fillPostgres(tb testing.TB, db *sql.DB, sessions, perUser int) {
	tb.Helper()
	id := `('00000000-0000-4000-%s-' || lpad(%s::text, 12, '0'))::uuid`
	fill(tb, db, sessions, perUser, fmt.Sprintf(id, "8000", "n"), fmt.Sprintf(id, "9%03d", "n"),
		"generate_series(1, %d) AS series(n)", "::json")
	databasetest.Execute(tb, db, "VACUUM ANALYZE")
}

func fillSQLite(tb testing.TB, db *sql.DB, sessions, perUser int) {
	tb.Helper()
	databasetest.Execute(tb, db, "PRAGMA synchronous = OFF")
	id := `'00000000-0000-4000-%s-' || substr('000000000000' || (%s), -12)`
	fill(tb, db, sessions, perUser, fmt.Sprintf(id, "8000", "n"), fmt.Sprintf(id, "9%03d", "n"),
		"(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %d) SELECT n FROM s)", "")
	databasetest.Execute(tb, db, "ANALYZE")
}

// fill makes sessions with ended runs and items, each user the same number.
func fill(tb testing.TB, db *sql.DB, sessions, perUser int, sessionID, itemID, series, json string) {
	tb.Helper()
	databasetest.Execute(tb, db, fmt.Sprintf(`INSERT INTO users (id, session_count) SELECT 'user ' || (n - 1), %d FROM `+series,
		perUser, sessions/perUser))
	databasetest.Execute(tb, db, fmt.Sprintf(`INSERT INTO sessions (id, user_id, title, message_count, item_seq, created_at, updated_at)
		SELECT `+sessionID+`, 'user ' || ((n - 1) / %d), 'A title of some length, as titles are', %d, %d,
		1700000000000000 + n, 1700000000000000 + n FROM `+series, perUser, itemsPerSession, itemsPerSession, sessions))
	databasetest.Execute(tb, db, fmt.Sprintf(`INSERT INTO runs (id, session_id, status, model, upstream_id, started_at,
		input_tokens, output_tokens, cached_tokens, reasoning_tokens, failure_code, failure_reason, owner, lease_until)
		SELECT `+sessionID+`, `+sessionID+`, 'completed', 'm', 'u', n, 1, 1, 1, 1, '', '', `+sessionID+`, n FROM `+series, sessions))
	for position := 1; position <= itemsPerSession; position++ {
		databasetest.Execute(tb, db, fmt.Sprintf(`INSERT INTO items (session_id, position, id, run_id, type, content, created_at)
			SELECT `+sessionID+`, %d, `+fmt.Sprintf(itemID, position)+`, `+sessionID+`, 'user_message', '`+content+`'`+json+`, n
			FROM `+series, position, sessions))
	}
}

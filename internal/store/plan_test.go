package store_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

// plan is a statement and the index that its plan must use.
type plan struct {
	name, statement string
	args            []any
	// index is the name of the index in PostgreSQL and in SQLite.
	index [2]string
}

func plans() []plan {
	const id = "00000000-0000-4000-8000-000000000001"
	byUser, pkey, items := [2]string{"sessions_by_user", "COVERING INDEX sessions_by_user"},
		[2]string{"sessions_pkey", "sqlite_autoindex_sessions_1"}, [2]string{"items_pkey", "sqlite_autoindex_items_"}
	return []plan{
		{"list, first page", store.ListFirst, []any{"user 1", "user 1", 11}, byUser},
		{"list, next page", store.ListAfter, []any{"user 1", "user 1", 1_800_000_000_000_000, id, 11}, byUser},
		{"total", store.ListTotal, []any{"user 1"}, [2]string{"users_pkey", "sqlite_autoindex_users_1"}},
		{"session", store.SessionSelect, []any{id, "user 1"}, pkey},
		{"history", store.HistorySelect, []any{id, 100}, items},
		{"newest items", store.NewestSelect, []any{id, 100, 20}, items},
		{"list, oldest first", store.ListUp, []any{"user 1", "user 1", 11}, byUser},
		{"list, oldest first, next page", store.ListAbove, []any{"user 1", "user 1", 1_800_000_000_000_000, id, 11}, byUser},
		{"items, first page", store.ItemsNewest, []any{id, 21}, items},
		{"items, next page", store.ItemsBefore, []any{id, 100, 21}, items},
		{"items, oldest first, next page", store.ItemsAfter, []any{id, 100, 21}, items},
		{"files of a user", store.UsedBytes, []any{4096, 4096, "user 1"}, [2]string{"Only Scan using attachments_by_user", "COVERING INDEX attachments_by_user"}},
	}
}

// runPlans are the plans of the statements that read and cancel runs.
func runPlans(s store.RunStatements) []plan {
	const id = "00000000-0000-4000-8000-000000000001"
	const at = 1_800_000_000_000_000
	list := [2]string{"runs_by_session", "runs_by_session"}
	// PostgreSQL may take any of the indexes on runs.
	one := [2]string{"on runs ", "sqlite_autoindex_runs_1"}
	return []plan{
		{"run", s.One, []any{id, id, "user 1", id}, one},
		{"runs, first page", s.First, []any{id, id, "user 1", 11}, list},
		{"runs, next page", s.Next, []any{id, id, "user 1", at, id, 11}, list},
		{"active run", s.Active, []any{id, "user 1", id, "user 1", id}, [2]string{"runs_running", "runs_running"}},
		{"cancellation", s.Cancel, []any{"cancelled", "reason", at, at, id, id, "user 1"}, one},
	}
}

// No statement of a request scans a table or sorts, however many rows there are.
func TestPlansPostgreSQL(t *testing.T) {
	t.Parallel()
	c := databasetest.PostgreSQL(t)
	open(t, c)
	db := databasetest.OpenSQL(t, c)
	databasetest.Execute(t, db, "INSERT INTO users (id, session_count) SELECT 'idle ' || n, 0 FROM generate_series(1, 5000) AS s(n)")
	databasetest.Execute(t, db, `INSERT INTO attachments (id, user_id, name, mime_type, size, state, digest, upload_until, created_at)
		SELECT gen_random_uuid(), 'user ' || n % 500, 'a.txt', 'text/plain', n, 'stored', '', 0, n FROM generate_series(1, 5000) AS s(n)`)
	fillPostgres(t, db, 6_000, 200)
	const id = "00000000-0000-4000-8000-000000000001"
	live := []plan{
		{"marking of orphans", store.PostgresFailOrphans, []any{"a", "b", id}, [2]string{"runs_running"}},
		{"renewal of leases", store.PostgresRenew, []any{1, "{" + id + "}"}, [2]string{"runs_"}},
	}
	live = append(live, runPlans(store.PostgresRuns)...)
	for n, p := range append(plans(), live...) {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			text := explainPostgres(t, db, p, fmt.Sprint("p", n, mode), mode)
			wantPlan(t, p.name+" "+mode, text, p.index[0], "Seq Scan", "Sort")
		}
	}
}

func explainPostgres(t *testing.T, db *sql.DB, p plan, name, mode string) string {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // returns it to the pool
	var args []string
	statement := p.statement
	for n, arg := range p.args {
		statement = strings.Replace(statement, "?", fmt.Sprint("$", n+1), 1)
		args = append(args, fmt.Sprintf("'%v'", arg))
	}
	// For few rows PostgreSQL may prefer a bitmap and a sort. Without bitmaps the
	// plan is that of many rows.
	for _, prepare := range []string{"SET enable_bitmapscan = off", "SET plan_cache_mode = " + mode, "PREPARE " + name + " AS " + statement} {
		if _, err := conn.ExecContext(t.Context(), prepare); err != nil {
			t.Fatalf("%s: %v", prepare, err)
		}
	}
	rows, err := conn.QueryContext(t.Context(), fmt.Sprintf("EXPLAIN EXECUTE %s (%s)", name, strings.Join(args, ", ")))
	if err != nil {
		t.Fatal(err)
	}
	return lines(t, rows, 1)
}

func TestPlansSQLite(t *testing.T) {
	t.Parallel()
	c := databasetest.SQLite(t)
	open(t, c)
	db := databasetest.OpenSQL(t, c)
	live := []plan{
		{"marking of orphans", store.SQLiteFailOrphans, []any{"a", "b", "c"}, [2]string{"", "runs_running"}},
		{"renewal of leases", store.SQLiteRenew, []any{1, `["a"]`}, [2]string{"", "sqlite_autoindex_runs_1"}},
	}
	live = append(live, runPlans(store.SQLiteRuns)...)
	for _, p := range append(plans(), live...) {
		rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+p.statement, p.args...)
		if err != nil {
			t.Fatal(err)
		}
		text := lines(t, rows, 4)
		// The index of the running runs may be scanned: it has no other rows.
		text = strings.ReplaceAll(text, "SCAN runs USING INDEX runs_running", "SEARCH runs USING INDEX runs_running")
		text = strings.ReplaceAll(text, "SCAN json_each", "json_each") // It is a list of ids.
		wantPlan(t, p.name, text, p.index[1], "SCAN ", "TEMP B-TREE")
	}
}

// lines joins the last column of the rows.
func lines(t *testing.T, rows *sql.Rows, columns int) string {
	t.Helper()
	defer rows.Close() //nolint:errcheck // rows.Err reports it
	var all []string
	for rows.Next() {
		fields := make([]any, columns)
		for n := range fields {
			fields[n] = new(string)
		}
		if err := rows.Scan(fields...); err != nil {
			t.Fatal(err)
		}
		all = append(all, *fields[columns-1].(*string)) //nolint:forcetypeassert // made above
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

func wantPlan(t *testing.T, name, text, index string, unwanted ...string) {
	t.Helper()
	if !strings.Contains(text, index) {
		t.Errorf("%s: the plan does not use %s:\n%s", name, index, text)
	}
	for _, word := range unwanted {
		if strings.Contains(text, word) {
			t.Errorf("%s: the plan has %q:\n%s", name, word, text)
		}
	}
}

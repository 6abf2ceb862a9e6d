package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database/databasetest"
)

// The benchmarks' number of sessions. A user has ten, each with four items.
const (
	benchSessionsVariable = "STORE_BENCH_SESSIONS"
	benchSessionsDefault  = 1000
	benchSessionsPerUser  = 10
)

func benchSessions(b *testing.B) int {
	b.Helper()
	text := os.Getenv(benchSessionsVariable)
	if text == "" {
		return benchSessionsDefault
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < benchSessionsPerUser {
		b.Fatalf("%s is %q; write a number of sessions, 10 or more", benchSessionsVariable, text)
	}
	return n
}

// BenchmarkStore compares the store with plain database/sql: the same statements,
// scanned into the same fields. The two alternate, so that other load on the
// machine affects both. It reports medians.
func BenchmarkStore(b *testing.B) {
	sessions := benchSessions(b)
	for _, driver := range []database.Driver{database.SQLite, database.PostgreSQL} {
		b.Run(fmt.Sprintf("%s/%d", driver, sessions), func(b *testing.B) {
			c := databasetest.SQLite(b)
			if driver == database.PostgreSQL {
				c = databasetest.PostgreSQL(b)
			}
			s, db := open(b, c), databasetest.OpenSQL(b, c)
			if driver == database.PostgreSQL {
				fillPostgres(b, db, sessions, benchSessionsPerUser)
			} else {
				fillSQLite(b, db, sessions, benchSessionsPerUser)
			}
			bench{store: s, db: db, driver: driver, sessions: sessions}.run(b)
		})
	}
}

type bench struct {
	store    *store.Store
	db       *sql.DB
	driver   database.Driver
	sessions int
}

func (x bench) run(b *testing.B) {
	b.Helper()
	b.Run("list", x.besides(x.listStore, x.listBare))
	b.Run("history", x.besides(x.historyStore, x.historyBare))
	b.Run("run", x.starts)
}

// next returns a session far from session n.
func (x bench) next(n int) int { return (n+7919)%x.sessions + 1 }

// besides compares an operation of the store with the plain one.
func (x bench) besides(ours, bare func(b *testing.B, n int) error) func(b *testing.B) {
	return func(b *testing.B) {
		var our, their []time.Duration
		n := 0
		for b.Loop() {
			n = x.next(n)
			our = append(our, timed(b, func() error { return ours(b, n) }))
			n = x.next(n)
			their = append(their, timed(b, func() error { return bare(b, n) }))
		}
		b.ReportMetric(0, "ns/op") // It would be the sum of both.
		b.ReportMetric(micros(median(our)), "store-µs")
		b.ReportMetric(micros(median(their)), "bare-µs")
		b.ReportMetric(100*float64(median(their))/float64(median(our)), "%-of-bare")
	}
}

// starts measures the two transactions of a run.
func (x bench) starts(b *testing.B) {
	var starts, ends []time.Duration
	n := 0
	for b.Loop() {
		n = x.next(n)
		var run chat.Run
		starts = append(starts, timed(b, func() (err error) {
			run, err = x.start(b, n)
			return err
		}))
		ends = append(ends, timed(b, func() error { return x.finish(b, run) }))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(micros(median(starts)), "start-µs")
	b.ReportMetric(micros(median(ends)), "finish-µs")
}

func timed(b *testing.B, operation func() error) time.Duration {
	b.Helper()
	start := time.Now()
	if err := operation(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

func userOf(n int) string { return fmt.Sprint("user ", (n-1)/benchSessionsPerUser) }

func (x bench) listStore(b *testing.B, n int) error {
	b.Helper()
	page, err := x.store.ListSessions(b.Context(), userOf(n), chat.SessionQuery{Limit: 20})
	if err == nil && (len(page.Sessions) != benchSessionsPerUser || page.Total != benchSessionsPerUser) {
		return fmt.Errorf("a page of %d sessions, total %d", len(page.Sessions), page.Total)
	}
	return err
}

// numbered writes a statement with PostgreSQL's placeholders.
func (x bench) numbered(statement string) string {
	for n := 1; x.driver == database.PostgreSQL && strings.Contains(statement, "?"); n++ {
		statement = strings.Replace(statement, "?", fmt.Sprint("$", n), 1)
	}
	return statement
}

func (x bench) listBare(b *testing.B, n int) error {
	b.Helper()
	user := userOf(n)
	rows, err := x.db.QueryContext(b.Context(), x.numbered(store.ListFirst), user, user, 21)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err reports it
	var all []chat.Session
	for rows.Next() {
		var s chat.Session
		var title *string
		var createdAt, updatedAt int64
		var total int
		if err := rows.Scan(&s.ID, &title, &s.MessageCount, &createdAt, &updatedAt, &total); err != nil {
			return err
		}
		s.CreatedAt, s.UpdatedAt, s.Title = time.UnixMicro(createdAt), time.UnixMicro(updatedAt), *title
		all = append(all, s)
	}
	if len(all) != benchSessionsPerUser {
		return fmt.Errorf("a page of %d sessions", len(all))
	}
	return rows.Err()
}

func (x bench) historyStore(b *testing.B, n int) error {
	b.Helper()
	_, items, err := x.store.SessionWithItems(b.Context(), userOf(n), uuid.MustParse(filledSession(n)))
	if err == nil && len(items) < itemsPerSession {
		return fmt.Errorf("%d items", len(items))
	}
	return err
}

func (x bench) historyBare(b *testing.B, n int) error {
	b.Helper()
	var s chat.Session
	var title *string
	var position *int64
	var seq, createdAt, updatedAt int64
	id := filledSession(n)
	err := x.db.QueryRowContext(b.Context(), x.numbered(store.SessionSelect), id, userOf(n)).Scan(
		&s.ID, &s.UserID, &title, &position, &s.MessageCount, &seq, &createdAt, &updatedAt)
	if err != nil {
		return err
	}
	rows, err := x.db.QueryContext(b.Context(), x.numbered(store.HistorySelect), id, seq)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err reports it
	count := 0
	for rows.Next() {
		var item chat.Item
		var content, calls, detail []byte
		if err := rows.Scan(&item.ID, &item.RunID, &item.Type, &content, &calls, &detail, &createdAt); err != nil {
			return err
		}
		count++
	}
	if count < itemsPerSession {
		return fmt.Errorf("%d items", count)
	}
	return rows.Err()
}

func (x bench) start(b *testing.B, n int) (chat.Run, error) {
	b.Helper()
	now := time.Now()
	run := chat.Run{
		ID: uuid.Must(uuid.NewV7()), SessionID: uuid.MustParse(filledSession(n)), Status: chat.RunRunning,
		Model: "model", StartedAt: now, Owner: uuid.New(), Lease: time.Minute,
	}
	_, err := x.store.StartRun(b.Context(), chat.NewRun{UserID: userOf(n), Run: run, Title: "Title", Message: newItem(run)}, 20)
	return run, err
}

func newItem(run chat.Run) chat.Item {
	return chat.Item{
		ID: uuid.Must(uuid.NewV7()), SessionID: run.SessionID, RunID: run.ID, Type: chat.ItemUserMessage, CreatedAt: run.StartedAt,
		Content: []chat.Content{{Type: chat.ContentInputText, Text: "How warm is it in Athens today?"}},
	}
}

func (x bench) finish(b *testing.B, run chat.Run) error {
	b.Helper()
	run.Status, run.EndedAt = chat.RunCompleted, time.Now()
	item := newItem(run)
	_, err := x.store.FinishRun(b.Context(), run, []chat.Item{item})
	return err
}

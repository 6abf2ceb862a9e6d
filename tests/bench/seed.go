package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/tests/bench/database"
)

const (
	sessionsEach = 10
	messagesEach = 20
	// sampleUsers is the number of users that the requests are for, spread over
	// all users. Only they have messages.
	sampleUsers = 100
)

var (
	//go:embed seed/sqlite.sql
	seedSQLite string
	//go:embed seed/postgres.sql
	seedPostgres string
)

// seededDatabase is a database filled with sessions.
type seededDatabase struct {
	url string
	// sessions are the sessions of the sampled users.
	sessions []ownedSession
}

type ownedSession struct{ user, id string }

// seed returns a database with a number of sessions. It creates each database once.
func (b *bench) seed(ctx context.Context, e database.Engine, sessions int) (*seededDatabase, error) {
	key := fmt.Sprintf("%s %d", e, sessions)
	if found, ok := b.seeded[key]; ok {
		return found, nil
	}
	b.progressf("filling %s with %s sessions", e, thousands(float64(sessions)))
	databaseURL, err := b.newDatabase(ctx, e)
	if err != nil {
		return nil, err
	}
	db, err := database.Open(ctx, databaseURL, 1)
	if err != nil {
		return nil, err
	}
	s := &seededDatabase{url: databaseURL}
	err = fill(ctx, db, e, sessions)
	if err == nil {
		s.sessions, err = sample(ctx, db, e, sessions/sessionsEach/sampleUsers)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("fill %s: %w", e, err)
	}
	b.seeded[key] = s
	return s, nil
}

func fill(ctx context.Context, db *sql.DB, e database.Engine, sessions int) error {
	users := sessions / sessionsEach
	text := seedPostgres
	if e == database.SQLite {
		text = seedSQLite
	}
	text = strings.NewReplacer(
		":users", strconv.Itoa(users), ":each", strconv.Itoa(sessionsEach),
		":messages", strconv.Itoa(messagesEach), ":stride", strconv.Itoa(users/sampleUsers),
	).Replace(text)
	for statement := range strings.SplitSeq(text, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// sample returns the sessions of every user whose number stride divides.
func sample(ctx context.Context, db *sql.DB, e database.Engine, stride int) ([]ownedSession, error) {
	var sessions []ownedSession
	for n := range sampleUsers {
		owned, err := sessionsOf(ctx, db, e, "user-"+strconv.Itoa(n*stride))
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, owned...)
	}
	if want := sampleUsers * sessionsEach; len(sessions) != want {
		return nil, fmt.Errorf("the sample has %d sessions, not %d", len(sessions), want)
	}
	return sessions, nil
}

func sessionsOf(ctx context.Context, db *sql.DB, e database.Engine, user string) ([]ownedSession, error) {
	rows, err := db.QueryContext(ctx, database.Rebind(e, `SELECT id FROM sessions WHERE user_id = ?`), user)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has the error
	var sessions []ownedSession
	for rows.Next() {
		s := ownedSession{user: user}
		if err := rows.Scan(&s.id); err != nil {
			return nil, err
		}
		sessions = append(sessions, s)
	}
	return sessions, rows.Err()
}

package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	sessionsEach = 10
	messagesEach = 20
	// sampleUsers are those who are asked for, spread over all; they alone
	// have messages.
	sampleUsers = 100
)

var (
	//go:embed seed/sqlite.sql
	seedSQLite string
	//go:embed seed/postgres.sql
	seedPostgres string
)

// seeded is a database full of sessions.
type seeded struct {
	url string
	// sessions are those of the sample.
	sessions []ownedSession
}

type ownedSession struct{ user, id string }

// seed makes a database with a number of sessions.
func (l *lab) seed(ctx context.Context, e engine, sessions int) (*seeded, error) {
	key := fmt.Sprintf("%s %d", e, sessions)
	if found, ok := l.seeds[key]; ok {
		return found, nil
	}
	l.progressf("filling %s with %s sessions", e, thousands(float64(sessions)))
	databaseURL, err := l.newDatabase(ctx, e)
	if err != nil {
		return nil, err
	}
	db, err := openDatabase(ctx, databaseURL, 1)
	if err != nil {
		return nil, err
	}
	s := &seeded{url: databaseURL}
	err = fill(ctx, db, e, sessions)
	if err == nil {
		s.sessions, err = sample(ctx, db, e, sessions/sessionsEach/sampleUsers)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("fill %s: %w", e, err)
	}
	l.seeds[key] = s
	return s, nil
}

func fill(ctx context.Context, db *sql.DB, e engine, sessions int) error {
	users := sessions / sessionsEach
	text := seedPostgres
	if e == sqlite {
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
func sample(ctx context.Context, db *sql.DB, e engine, stride int) ([]ownedSession, error) {
	var sessions []ownedSession
	for n := range sampleUsers {
		of, err := sessionsOf(ctx, db, e, "user-"+strconv.Itoa(n*stride))
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, of...)
	}
	if want := sampleUsers * sessionsEach; len(sessions) != want {
		return nil, fmt.Errorf("the sample has %d sessions, not %d", len(sessions), want)
	}
	return sessions, nil
}

func sessionsOf(ctx context.Context, db *sql.DB, e engine, user string) ([]ownedSession, error) {
	rows, err := db.QueryContext(ctx, rebind(e, `SELECT id FROM sessions WHERE user_id = ?`), user)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
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

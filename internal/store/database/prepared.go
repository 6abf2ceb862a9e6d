package database

import (
	"context"
	"database/sql"
	"sync"

	"gorm.io/gorm"
)

// preparedPool is a gorm.ConnPool that prepares each statement once for each
// connection, also in transactions. (gorm's own option prepares a statement that
// first occurs in a transaction again in each transaction.) SQLite would otherwise
// parse and plan at each call, which costs more than most statements here.
type preparedPool struct {
	*sql.DB

	mu         sync.RWMutex
	statements map[string]*sql.Stmt
}

const (
	// maxPrepared bounds the statements kept. The store has about two dozen.
	maxPrepared = 64
	// maxPreparedArgs excludes statements with a list, whose text depends on the
	// length of the list.
	maxPreparedArgs = 20
)

func newPreparedPool(db *sql.DB) *preparedPool {
	return &preparedPool{DB: db, statements: make(map[string]*sql.Stmt)}
}

// cached returns the prepared statement of a query, nil if there is none.
func (p *preparedPool) cached(query string) *sql.Stmt {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.statements[query]
}

// prepare returns the prepared statement of a query, and prepares it if it is new. It
// returns nil if that is not possible; the call itself then returns the error.
func (p *preparedPool) prepare(ctx context.Context, query string, args int) *sql.Stmt {
	if statement := p.cached(query); statement != nil || args > maxPreparedArgs {
		return statement
	}
	statement, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.statements[query]; other != nil || len(p.statements) >= maxPrepared {
		_ = statement.Close() //nolint:sqlclosecheck // this one is not kept
		return other
	}
	p.statements[query] = statement
	return statement
}

func (p *preparedPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if statement := p.prepare(ctx, query, len(args)); statement != nil { //nolint:sqlclosecheck // the pool keeps it
		return statement.ExecContext(ctx, args...)
	}
	return p.DB.ExecContext(ctx, query, args...)
}

func (p *preparedPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if statement := p.prepare(ctx, query, len(args)); statement != nil { //nolint:sqlclosecheck // the pool keeps it
		return statement.QueryContext(ctx, args...)
	}
	return p.DB.QueryContext(ctx, query, args...)
}

// BeginTx implements gorm.ConnPoolBeginner.
func (p *preparedPool) BeginTx(ctx context.Context, options *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := p.DB.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return &preparedTx{Tx: tx, pool: p}, nil
}

// preparedTx is a transaction of a preparedPool. It may have the pool's only
// connection, so it cannot prepare statements for the pool. It notes the new ones,
// and Commit prepares them.
type preparedTx struct {
	*sql.Tx

	pool *preparedPool
	// unprepared has the number of arguments of each statement to prepare.
	unprepared map[string]int
}

// prepared returns the prepared statement of a query, or notes the query and returns
// nil.
func (t *preparedTx) prepared(ctx context.Context, query string, args int) *sql.Stmt {
	if statement := t.pool.cached(query); statement != nil {
		return t.StmtContext(ctx, statement)
	}
	if t.unprepared == nil {
		t.unprepared = make(map[string]int)
	}
	t.unprepared[query] = args
	return nil
}

func (t *preparedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if statement := t.prepared(ctx, query, len(args)); statement != nil { //nolint:sqlclosecheck // the pool keeps it
		return statement.ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

func (t *preparedTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if statement := t.prepared(ctx, query, len(args)); statement != nil { //nolint:sqlclosecheck // the pool keeps it
		return statement.QueryContext(ctx, args...)
	}
	return t.Tx.QueryContext(ctx, query, args...)
}

// Commit implements gorm.TxCommitter.
func (t *preparedTx) Commit() error {
	err := t.Tx.Commit()
	if err == nil {
		for query, args := range t.unprepared {
			t.pool.prepare(context.Background(), query, args)
		}
	}
	return err
}

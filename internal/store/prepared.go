package store

import (
	"context"
	"database/sql"
	"sync"

	"gorm.io/gorm"
)

// preparedPool is a gorm.ConnPool that prepares each statement once for each
// connection, transactions included. (gorm's own option prepares a statement
// that was first met in a transaction anew in each.) SQLite would otherwise
// parse and plan at each call, which costs more than most of our statements.
type preparedPool struct {
	*sql.DB

	mu         sync.RWMutex
	statements map[string]*sql.Stmt
}

const (
	// maxPrepared bounds the statements kept; the store has some two dozen.
	maxPrepared = 64
	// maxPreparedArgs leaves out the statements with a list: they have as many
	// forms as the list has lengths.
	maxPreparedArgs = 20
)

func newPreparedPool(db *sql.DB) *preparedPool {
	return &preparedPool{DB: db, statements: make(map[string]*sql.Stmt)}
}

func (p *preparedPool) known(query string) *sql.Stmt {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.statements[query]
}

// learn prepares a statement for the calls to come. What fails is left to the
// call itself to tell.
func (p *preparedPool) learn(ctx context.Context, query string, args int) *sql.Stmt {
	if statement := p.known(query); statement != nil || args > maxPreparedArgs {
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
	if statement := p.learn(ctx, query, len(args)); statement != nil { //nolint:sqlclosecheck // the pool keeps it
		return statement.ExecContext(ctx, args...)
	}
	return p.DB.ExecContext(ctx, query, args...)
}

func (p *preparedPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if statement := p.learn(ctx, query, len(args)); statement != nil { //nolint:sqlclosecheck // the pool keeps it
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

// preparedTx is a transaction of a preparedPool. It may hold the pool's only
// connection, so it notes what it meets first, and its end has it prepared.
type preparedTx struct {
	*sql.Tx

	pool *preparedPool
	met  map[string]int // by statement, its number of arguments
}

func (t *preparedTx) prepared(ctx context.Context, query string, args int) *sql.Stmt {
	if statement := t.pool.known(query); statement != nil {
		return t.StmtContext(ctx, statement)
	}
	if t.met == nil {
		t.met = make(map[string]int)
	}
	t.met[query] = args
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
		for query, args := range t.met {
			t.pool.learn(context.Background(), query, args)
		}
	}
	return err
}

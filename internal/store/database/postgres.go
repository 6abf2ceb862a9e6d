package database

import (
	"cmp"
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
)

const (
	postgresConns = 20
	// postgresConnectTimeout is used if the URL has no connect_timeout. The
	// operating system would try for minutes.
	postgresConnectTimeout = 5 * time.Second
	postgresConnLifetime   = 30 * time.Minute
	postgresConnIdle       = 5 * time.Minute
)

func (db *DB) openPostgres(ctx context.Context, c Config) error {
	config, err := pgx.ParseConfig(c.DSN)
	if err != nil {
		return describeURL(c.DSN, err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = postgresConnectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "chatkit-rest"
	}
	if err := db.setQueryMode(ctx, config, c.DSN); err != nil {
		return err
	}
	db.postgres = config
	pool := stdlib.OpenDB(*config)
	conns := cmp.Or(c.MaxConns, postgresConns)
	pool.SetMaxOpenConns(conns)
	// Idle connections are kept: a new one costs more than the longest operation.
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxLifetime(postgresConnLifetime)
	pool.SetConnMaxIdleTime(postgresConnIdle)
	db.migrations = migrationsFor("postgres")
	db.write, err = db.addPool(pool, postgres.New(postgres.Config{Conn: pool}))
	db.read = db.write
	return err
}

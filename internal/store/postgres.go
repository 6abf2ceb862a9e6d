package store

import (
	"cmp"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
)

const (
	postgresConns = 20
	// postgresConnectTimeout bounds what the operating system would try for
	// minutes; connect_timeout in the URL overrides it.
	postgresConnectTimeout = 5 * time.Second
	postgresConnLifetime   = 30 * time.Minute
	postgresConnIdle       = 5 * time.Minute
)

func (s *Store) openPostgres(c Config) error {
	config, err := pgx.ParseConfig(c.DSN)
	if err != nil {
		// The cause holds the connection string.
		return errors.New("the PostgreSQL URL is not valid; write postgresql://user:password@host:5432/database")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = postgresConnectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "chatkit-rest"
	}
	pool := stdlib.OpenDB(*config)
	conns := cmp.Or(c.MaxConns, postgresConns)
	pool.SetMaxOpenConns(conns)
	// All are kept: to connect again costs more than the longest operation.
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxLifetime(postgresConnLifetime)
	pool.SetConnMaxIdleTime(postgresConnIdle)
	s.migrations = migrationsFor("postgres")
	s.write, err = s.addPool(pool, postgres.New(postgres.Config{Conn: pool}))
	s.read = s.write
	return err
}

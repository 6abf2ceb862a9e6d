package database

import "database/sql"

// Pools returns the connection pools by their purpose, for metrics.
func (db *DB) Pools() map[string]*sql.DB {
	if len(db.pools) == 1 {
		return map[string]*sql.DB{"all": db.pools[0]}
	}
	pools := make(map[string]*sql.DB, len(db.pools))
	for n, name := range []string{"write", "read"} {
		pools[name] = db.pools[n]
	}
	return pools
}

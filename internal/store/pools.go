package store

import "database/sql"

// Pools returns the connection pools by their purpose, for metrics.
func (s *Store) Pools() map[string]*sql.DB {
	if len(s.pools) == 1 {
		return map[string]*sql.DB{"all": s.pools[0]}
	}
	pools := make(map[string]*sql.DB, len(s.pools))
	for n, name := range []string{"write", "read"} {
		pools[name] = s.pools[n]
	}
	return pools
}

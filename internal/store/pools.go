package store

import "database/sql"

// Pools are the pools of connections, by what they are for, so that their
// figures can be watched.
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

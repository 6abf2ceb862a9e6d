// Package postgres gives tests a PostgreSQL server of their own: a cluster in
// a temporary folder, on a free port of the loopback interface. It is removed when
// the tests end, even if they are killed.
//
// It never skips a test: if no server can be started, Start returns an error that
// says what to install.
//
//	func TestMain(m *testing.M) {
//		os.Exit(postgres.Main(m, func(s *postgres.Server) { server = s }))
//	}
package postgres

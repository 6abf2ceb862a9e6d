// Package postgres gives tests a PostgreSQL server of their own: a cluster in
// a temporary folder, on a free port of the loopback interface, gone when the
// tests end, also when they are killed.
//
// It never makes a test skip: where no server can be had, Start returns an
// error that says what to install.
//
//	func TestMain(m *testing.M) {
//		os.Exit(postgres.Main(m, func(s *postgres.Server) { server = s }))
//	}
package postgres

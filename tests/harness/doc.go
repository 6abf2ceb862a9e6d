// Package harness tests the built program over HTTP. It starts the program on
// SQLite or PostgreSQL with a scripted upstream, and validates every response
// against openapi.yaml.
//
//	func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
//
//	func TestSomething(t *testing.T) {
//		server := harness.Start(t, harness.Options{Database: harness.SQLite})
//		alice := server.User(t)
//		session := alice.CreateSession()
//		events := alice.Say(session, "Hello")
//	}
package harness

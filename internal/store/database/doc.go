// Package database opens PostgreSQL or SQLite, migrates the schema, and runs the
// operations of the store through gorm.
//
// No error or log line of this package contains a stored value, a connection
// string or a message of the database, which may quote them.
package database

// Package store is [chat.Store] on PostgreSQL and on SQLite, through gorm. The
// package database opens the database and applies the migrations.
//
// Both databases have the same tables and almost the same SQL. Times are stored
// as microseconds since 1970 in UTC: the number is exact, the same in both
// databases, sorts by time, and depends on no time zone setting.
//
// No error or log line of this package contains a stored value.
package store

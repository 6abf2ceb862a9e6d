// Package store is [chat.Store] on PostgreSQL and on SQLite, through gorm.
//
// Both databases have the same tables and, but for a few words, the same SQL.
// Times are kept as microseconds since 1970 in UTC: the number is exact, is
// the same in both, sorts right, and needs no time zone setting of a server.
//
// No error or log line of this package holds a value, a connection string or
// a database's own text that could hold one.
package store

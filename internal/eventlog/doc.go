// Package eventlog keeps the events of runs: it implements [chat.EventLog].
package eventlog

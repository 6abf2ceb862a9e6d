// Package eventlog keeps the events of runs for their followers: it implements
// [chat.EventLog] in memory, and in memory and Redis Streams for several server
// processes.
package eventlog

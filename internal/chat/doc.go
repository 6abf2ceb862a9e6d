// Package chat is the core of the service: sessions, thread items and runs, and
// the one path of a message from a user to a model and back.
//
// It knows no HTTP, no SQL and no provider. It owns the interfaces of what it
// needs from outside: [Store] keeps, [Model] answers, [Toolbox] calls tools. API
// adapters (REST, the ChatKit protocol) call [Service] and follow a run's log.
//
// The way of a message: [Service.StartRun] validates it, admits a run
// (admission.go) and stores both; launch hands the run to an executor
// (executor.go), which asks the model step by step, calls tools
// (tool_calls.go), appends events to the run's log (run_log.go), and stores and
// publishes the end (finish.go).
package chat

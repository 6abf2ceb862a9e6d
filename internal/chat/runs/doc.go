// Package runs is the service that the API adapters call: it keeps a user's
// sessions, and starts, executes and ends the runs that answer messages.
//
// The way of a message: [Service.StartRun] validates it, admits a run
// (admission.go) and stores both; launch hands the run to an executor
// (executor.go), which asks the model step by step, calls tools
// (tool_calls.go), appends events to the run's log ([chat.RunLog]), and stores and
// publishes the end (finish.go). The adapter follows the log: [ActiveRun.Follow] for
// the request that started the run, [Service.Follow] for any other.
package runs

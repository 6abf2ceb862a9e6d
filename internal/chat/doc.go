// Package chat is the core of the service: sessions, thread items and runs,
// and the one path a message takes from a user to a model and back.
//
// It knows no HTTP, no SQL and no provider. What it needs from outside it
// owns as an interface: [Store] keeps, [Model] answers. Doors (REST, the
// ChatKit protocol) call [Service] and follow the log of a run.
package chat

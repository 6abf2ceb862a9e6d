// Package chat has the words of the service and the interfaces of what it needs
// from outside: sessions, thread items, runs and their events; [Store] keeps them,
// [Model] answers, [Toolbox] calls tools, [Blobs] keep files.
//
// It knows no HTTP, no SQL and no provider. Adapters of those implement its
// interfaces and know nothing else of the service. Its packages are the service
// itself:
//
//   - runs starts, executes and ends runs, the way of a message from a user to a
//     model and back. The API adapters (REST, the ChatKit protocol) call it.
//   - prompt makes what a model is sent of a thread.
//   - attachments accepts, stores, serves and deletes files.
package chat

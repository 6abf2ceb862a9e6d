// Package attachments accepts the files that users send with their messages,
// checks and stores their contents, serves them by signed URLs, and deletes those
// that no message has.
package attachments

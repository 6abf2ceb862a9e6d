// Package prompt makes what a model is sent of a thread: the messages of its
// newest items within the bounds of the settings ([History]), the results of
// tools within theirs, and the contents of attached files within the memory that
// all runs share ([Files]).
package prompt

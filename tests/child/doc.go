// Package child has what tests need to run another program beside them: a free
// port, the end of its output, and its end when the test process ends.
package child

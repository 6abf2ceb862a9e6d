//go:build race

package harness

// raceDetector tells whether the tests run with the race detector; the program
// is then built with it too.
const raceDetector = true

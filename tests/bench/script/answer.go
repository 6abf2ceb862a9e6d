// Package script describes the answers of the benchmark's upstream. The client
// sends a description as the text of a message, so that it passes through any
// server between the client and the upstream.
package script

import (
	"encoding/json"
	"fmt"
	"time"
)

// Answer describes an answer of the upstream.
type Answer struct {
	// First is the delay before the first delta.
	First time.Duration `json:"first,omitempty"`
	// Deltas is the number of deltas.
	Deltas int `json:"deltas"`
	// Burst is the number of deltas that are sent at once. The others are sent
	// one at a time, each after Pace. If Pace is zero, all are sent at once.
	Burst int           `json:"burst,omitempty"`
	Pace  time.Duration `json:"pace,omitempty"`
	// Block is the number of deltas in a write of a burst; zero means one.
	Block int `json:"block,omitempty"`
	// Stamp adds to each delta the time at which it was written; see AppendStamp.
	Stamp bool `json:"stamp,omitempty"`
}

// Text encodes the description as the text of a message.
func (a Answer) Text() (string, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("encode a script: %w", err)
	}
	return string(text), nil
}

// Parse decodes a description from the text of a message and sets its defaults.
func Parse(text string) (Answer, error) {
	var a Answer
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("the last message is not a script of the benchmark: %w", err)
	}
	if a.Pace == 0 || a.Burst > a.Deltas {
		a.Burst = a.Deltas
	}
	a.Block = max(a.Block, 1)
	return a, nil
}

package main

import (
	"encoding/json"
	"fmt"
	"time"
)

// answer says how the upstream answers. As JSON it is the text of the question
// itself, so that it passes through whatever stands before the upstream.
type answer struct {
	// First is how long the upstream takes before the first delta.
	First time.Duration `json:"first,omitempty"`
	// Deltas is how many there are.
	Deltas int `json:"deltas"`
	// Burst of them come at once, the others one by one, each after Pace.
	// Where Pace is zero all come at once.
	Burst int           `json:"burst,omitempty"`
	Pace  time.Duration `json:"pace,omitempty"`
	// Block is how many deltas a write of the upstream has; zero is one.
	Block int `json:"block,omitempty"`
	// Stamp makes each delta say when it was written: see stamp.go.
	Stamp bool `json:"stamp,omitempty"`
}

func (a answer) question() (string, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("write a question: %w", err)
	}
	return string(text), nil
}

func parseQuestion(text string) (answer, error) {
	var a answer
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("the last message is not a question of the bench: %w", err)
	}
	if a.Pace == 0 || a.Burst > a.Deltas {
		a.Burst = a.Deltas
	}
	a.Block = max(a.Block, 1)
	return a, nil
}

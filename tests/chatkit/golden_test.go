//go:build chatkit

package chatkit_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the reference answers to golden/")

// golden checks that the reference answers as recorded in a folder, so that a new
// version of the package cannot change the protocol unnoticed.
func golden(t *testing.T, folder string, all []scenario, runs map[string][]record) {
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			checkGolden(t, filepath.Join(folder, s.Name+".txt"), transcript(t, s, runs[s.Name]))
		})
	}
}

func checkGolden(t *testing.T, path string, text []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path) //nolint:gosec // a file of this folder
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("the reference does not answer as %s says; is it another version? `go test -tags chatkit -update` writes it anew.\n%s",
			path, text)
	}
}

var (
	createdAt = regexp.MustCompile(`"created_at":"[^"]*"`)
	duration  = regexp.MustCompile(`"duration":\d+`)
	origin    = regexp.MustCompile(`"http://127\.0\.0\.1:\d+/`)
)

// transcript formats a run for people: a request after ">", then each event on a
// line, with ids, times and durations replaced.
func transcript(t *testing.T, s scenario, records []record) []byte {
	t.Helper()
	ids := newNaming()
	plainWith(t, ids, records, false)
	known := make([]string, 0, 2*len(ids.names))
	for id, name := range ids.names {
		known = append(known, strconv.Quote(id), strconv.Quote(name))
	}
	for id, name := range ids.names { // An attachment's is in its address too.
		known = append(known, "/"+id+`"`, "/"+name+`"`)
	}
	replacer := strings.NewReplacer(known...)
	asItCame := func(raw []byte) string {
		text := createdAt.ReplaceAllString(string(raw), `"created_at":"`+someTime+`"`)
		text = origin.ReplaceAllString(text, `"http://127.0.0.1/`)
		return replacer.Replace(duration.ReplaceAllString(text, `"duration":"`+someDuration+`"`))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n", s.Notes)
	for i, r := range records {
		fmt.Fprintf(&text, "\n> %s\n", requestText(t, s.Steps[i]))
		for _, event := range r.Events {
			fmt.Fprintf(&text, "%s\n", asItCame(event))
		}
		if r.End != "" {
			fmt.Fprintf(&text, "(%s)\n", r.End)
		} else {
			fmt.Fprintf(&text, "%d %s\n", r.Status, asItCame(r.Body))
		}
	}
	return []byte(text.String())
}

func requestText(t *testing.T, s step) string {
	t.Helper()
	if s.Text != nil {
		return *s.Text
	}
	if s.Upload != nil {
		return fmt.Sprintf("(%d bytes of attachment %d)", len(s.Upload.content()), s.Upload.Attachment)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, s.Request); err != nil {
		t.Fatal(err)
	}
	return line.String()
}

package harness

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/client"
)

// Follow follows a run from after the event with the number after.
func (u *User) Follow(session uuid.UUID, run string, after int) *Run {
	u.t.Helper()
	followed := u.openStream(RunPath(session, run)+"/events?after="+strconv.Itoa(after), nil)
	if followed.ID != run {
		u.t.Errorf("the stream is of run %s, want %s", followed.ID, run)
	}
	return followed
}

// openStream sends a GET request and returns the stream that answers it.
func (u *User) openStream(path string, header http.Header) *Run {
	u.t.Helper()
	ctx, cancel := context.WithCancel(u.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.server.URL+path, http.NoBody)
	if err != nil {
		u.t.Fatal(err)
	}
	maps.Copy(request.Header, header)
	request.Header.Set("Authorization", "Bearer "+u.Token)
	response, err := u.http.Do(request) //nolint:bodyclose // Run.Close does
	if err != nil {
		u.t.Fatalf("GET %s: %v", path, err)
	}
	run := &Run{
		ID: response.Header.Get("X-Run-Id"), Header: response.Header,
		t: u.t, body: response.Body, reader: bufio.NewReader(response.Body), cancel: cancel,
	}
	u.t.Cleanup(run.Close)
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(response.Body)
		u.t.Fatalf("GET %s: %s: %s", path, response.Status, body)
	}
	return run
}

// FollowFrom follows a run as an EventSource that reconnects: the number of the
// last event is in the header Last-Event-ID, and the URL has the old one.
func (u *User) FollowFrom(session uuid.UUID, run string, last, old int) *Run {
	u.t.Helper()
	header := http.Header{"Last-Event-Id": {strconv.Itoa(last)}}
	return u.openStream(RunPath(session, run)+"/events?after="+strconv.Itoa(old), header)
}

// GetRun returns a run.
func (u *User) GetRun(session uuid.UUID, run string) client.Run {
	u.t.Helper()
	answer, err := u.API.GetRunWithResponse(u.Context(), session, session, uuid.MustParse(run))
	if err != nil {
		u.t.Fatalf("get run: %v", err)
	}
	if answer.JSON200 == nil {
		u.t.Fatalf("get run: %s: %s", answer.Status(), answer.Body)
	}
	return answer.JSON200.Data
}

// CancelRun cancels a run and returns it as it ended.
func (u *User) CancelRun(session uuid.UUID, run string) client.Run {
	u.t.Helper()
	answer, err := u.API.CancelRunWithResponse(u.Context(), session, session, uuid.MustParse(run))
	if err != nil {
		u.t.Fatalf("cancel run: %v", err)
	}
	if answer.JSON200 == nil {
		u.t.Fatalf("cancel run: %s: %s", answer.Status(), answer.Body)
	}
	return answer.JSON200.Data
}

// RunPath returns the path of a run.
func RunPath(session uuid.UUID, run string) string { return RunsPath(session, session) + "/" + run }

package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	digest    = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	loosePlus = 100
)

func attachmentClauses() []clause {
	return []clause{
		{"StartThread sends attachments", threadAttachments},
		{"CreateAttachment stores the attachment", attachmentStored},
		{"CreateAttachment refuses one too many", attachmentLimit},
		{"CreateAttachment refuses more bytes than a user may have", attachmentBytes},
		{"CreateAttachment keeps the limits when called concurrently", attachmentLimitsAtOnce},
		{"ClaimUpload gives an upload to one", uploadClaimed},
		{"RenewUpload keeps an upload's lease", uploadRenewed},
		{"EndUpload of a deleted attachment", uploadDeleted},
		{"StartRun gives the message its attachments", attachmentsSent},
		{"StartRun refuses attachments it cannot send", attachmentsRefused},
		{"StartRun sends an attachment once when called concurrently", attachmentSentAtOnce},
		{"StartRun sends the same attachments in any order", attachmentsCrosswise},
		{"DeleteAttachment of another user and a missing one", attachmentDeleted},
		{"SweepAttachments returns unusable attachments", attachmentsSwept},
		{"SweepAttachments keeps what is sent", attachmentSentOrSwept},
		{"SweepAttachments called concurrently", attachmentsSweptAtOnce},
	}
}

// unsent returns limits of the number of unsent attachments only.
func unsent(count int) chat.AttachmentLimits { return chat.AttachmentLimits{Unsent: count} }

func newAttachment(user string, at time.Time) chat.Attachment {
	return chat.Attachment{
		ID: uuid.New(), UserID: user, Name: "a ✓.png", MimeType: "image/png", Size: 7, State: chat.AttachmentPending, CreatedAt: at,
	}
}

// announced stores a pending attachment.
func (f *fixture) announced(t *testing.T, user string, at time.Time) chat.Attachment {
	t.Helper()
	a := newAttachment(user, at)
	must(t, f.CreateAttachment(t.Context(), a, unsent(loosePlus)))
	return a
}

// uploaded stores an attachment with its content.
func (f *fixture) uploaded(t *testing.T, user string, at time.Time) chat.Attachment {
	t.Helper()
	a := f.announced(t, user, at)
	must(t, f.EndUpload(t.Context(), a.ID, f.claim(t, a.ID, time.Minute), digest))
	a.State, a.Digest = chat.AttachmentStored, digest
	return a
}

// sending returns a run whose message has the attachments.
func sending(session chat.Session, at time.Time, attachments ...chat.Attachment) chat.NewRun {
	run := newRun(session, "look", at)
	run.Message.Attachments = attachments
	return run
}

func (f *fixture) attachment(t *testing.T, id uuid.UUID) chat.Attachment {
	t.Helper()
	a, err := f.Attachment(t.Context(), id)
	must(t, err)
	return a
}

// claim claims an upload and returns the end of its lease. A negative lease has
// ended already.
func (f *fixture) claim(t *testing.T, id uuid.UUID, lease time.Duration) time.Time {
	t.Helper()
	until, err := f.ClaimUpload(t.Context(), id, lease)
	must(t, err)
	return until
}

// claimError returns the error of a claim.
func (f *fixture) claimError(t *testing.T, id uuid.UUID) error {
	t.Helper()
	_, err := f.ClaimUpload(t.Context(), id, time.Minute)
	return err
}

// renewError returns the error of a renewal.
func (f *fixture) renewError(t *testing.T, id uuid.UUID, until time.Time) error {
	t.Helper()
	_, err := f.RenewUpload(t.Context(), id, until, time.Minute)
	return err
}

func (f *fixture) sweep(t *testing.T, unsentBefore time.Time) []uuid.UUID {
	t.Helper()
	ids, err := f.SweepAttachments(t.Context(), unsentBefore, limit)
	must(t, err)
	return ids
}

func attachmentStored(t *testing.T, f *fixture) {
	a := f.announced(t, alice, start())
	equal(t, "attachment", f.attachment(t, a.ID), a)
	_, err := f.Attachment(t.Context(), uuid.New())
	wantCode(t, "missing", err, chat.CodeAttachmentNotFound)
	b := f.uploaded(t, alice, start())
	equal(t, "uploaded", f.attachment(t, b.ID), b)
}

func attachmentLimit(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	a := f.uploaded(t, alice, start())
	must(t, f.CreateAttachment(t.Context(), newAttachment(alice, start()), unsent(2)))
	err := f.CreateAttachment(t.Context(), newAttachment(alice, start()), unsent(2))
	wantCode(t, "a third", err, chat.CodeAttachmentLimit)
	must(t, f.CreateAttachment(t.Context(), newAttachment(bob, start()), unsent(2)))
	_, err = f.StartRun(t.Context(), sending(session, start(), a), limit)
	must(t, err)
	must(t, f.CreateAttachment(t.Context(), newAttachment(alice, start()), unsent(2))) // One is sent.
}

// attachmentBytes: all attachments of the user count, sent or not. Deleted ones do
// not count, whether deleted by id, with their session or as unsent.
func attachmentBytes(t *testing.T, f *fixture) {
	const size = 1 << 20
	limits := chat.AttachmentLimits{Unsent: loosePlus, Bytes: 4 * size}
	next := func(user string, size int64) (chat.Attachment, error) {
		a := newAttachment(user, start())
		a.Size = size
		return a, f.CreateAttachment(t.Context(), a, limits)
	}
	add := func() chat.Attachment {
		t.Helper()
		a, err := next(alice, size)
		must(t, err)
		must(t, f.EndUpload(t.Context(), a.ID, f.claim(t, a.ID, time.Minute), digest))
		return a
	}
	full := func(when string) {
		t.Helper()
		_, err := next(alice, 1)
		wantCode(t, when, err, chat.CodeAttachmentLimit)
	}
	session := f.create(t, alice, start())
	sent, deleted := add(), add()
	f.beginWith(t, session, sent)
	add()
	add()
	full("four of four")
	must(t, f.CreateAttachment(t.Context(), newAttachment(alice, start()), unsent(loosePlus))) // without a limit
	_, err := next(bob, 4*size+1)
	wantCode(t, "a first that is too large", err, chat.CodeAttachmentLimit)
	_, err = next(bob, 4*size)
	must(t, err)
	must(t, f.DeleteAttachment(t.Context(), alice, deleted.ID))
	_, err = next(alice, size-4096) // The one without a limit counts as 4 KiB.
	must(t, err)
	full("after one was deleted")
	must(t, f.DeleteSession(t.Context(), alice, session.ID))
	add()
	full("after a session was deleted")
	f.sweep(t, after(time.Hour))
	for range 4 {
		add()
	}
	full("after a sweep")
}

func attachmentLimitsAtOnce(t *testing.T, f *fixture) {
	for name, limits := range map[string]chat.AttachmentLimits{
		"files": {Unsent: 5}, "bytes": {Unsent: loosePlus, Bytes: 5*4096 + 1},
	} {
		errs := atOnce(16, func(int) error { return f.CreateAttachment(t.Context(), newAttachment(name, start()), limits) })
		wantOutcomes(t, errs, 5, chat.CodeAttachmentLimit)
	}
	f.wantRows(t, "attachments", 10)
}

func uploadClaimed(t *testing.T, f *fixture) {
	a := f.announced(t, alice, start())
	ends := make([]time.Time, 8)
	errs := atOnce(8, func(n int) (err error) {
		ends[n], err = f.ClaimUpload(t.Context(), a.ID, time.Minute)
		return err
	})
	wantOutcomes(t, errs, 1, chat.CodeAttachmentConflict)
	until := ends[slices.Index(errs, nil)]
	wantCode(t, "missing", f.claimError(t, uuid.New()), chat.CodeAttachmentNotFound)
	must(t, f.EndUpload(t.Context(), a.ID, until, "")) // It failed, and is free again.
	equal(t, "attachment", f.attachment(t, a.ID), a)
	// The lease of an upload has ended; another upload takes over.
	ended := f.claim(t, a.ID, -time.Minute)
	until = f.claim(t, a.ID, time.Minute)
	wantError(t, "a late renewal", f.renewError(t, a.ID, ended), chat.ErrUploadSuperseded())
	wantError(t, "a late release", f.EndUpload(t.Context(), a.ID, ended, ""), chat.ErrUploadSuperseded())
	wantError(t, "a late end", f.EndUpload(t.Context(), a.ID, ended, digest), chat.ErrUploadSuperseded())
	wantError(t, "beside the upload", f.claimError(t, a.ID), chat.ErrAttachmentBeingUploaded())
	must(t, f.EndUpload(t.Context(), a.ID, until, digest))
	wantError(t, "a second upload", f.claimError(t, a.ID), chat.ErrAttachmentUploaded())
	equal(t, "state", f.attachment(t, a.ID).State, chat.AttachmentStored)
}

// uploadRenewed: an upload renews its lease as long as no other has claimed the
// attachment, also after the lease has ended.
func uploadRenewed(t *testing.T, f *fixture) {
	a := f.announced(t, alice, start())
	until, err := f.RenewUpload(t.Context(), a.ID, f.claim(t, a.ID, -time.Minute), time.Minute)
	must(t, err)
	wantError(t, "during the renewed lease", f.claimError(t, a.ID), chat.ErrAttachmentBeingUploaded())
	longer, err := f.RenewUpload(t.Context(), a.ID, until, time.Hour)
	must(t, err)
	if added := longer.Sub(until); added < 59*time.Minute || added > time.Hour+time.Minute {
		t.Errorf("an hour's lease ends %s after a minute's", added)
	}
	wantCode(t, "missing", f.renewError(t, uuid.New(), longer), chat.CodeAttachmentNotFound)
	must(t, f.DeleteAttachment(t.Context(), alice, a.ID))
	wantCode(t, "deleted", f.renewError(t, a.ID, longer), chat.CodeAttachmentNotFound)
}

func uploadDeleted(t *testing.T, f *fixture) {
	a, b := f.announced(t, alice, start()), f.announced(t, alice, start())
	until := f.claim(t, a.ID, time.Hour)
	f.claim(t, b.ID, -time.Minute)
	must(t, f.DeleteAttachment(t.Context(), alice, a.ID))
	must(t, f.DeleteAttachment(t.Context(), alice, b.ID))
	equal(t, "swept during one upload and after the other", f.sweep(t, start()), []uuid.UUID{b.ID})
	wantCode(t, "the end", f.EndUpload(t.Context(), a.ID, until, digest), chat.CodeAttachmentNotFound)
}

func attachmentsSent(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	a, b := f.uploaded(t, alice, start()), f.uploaded(t, alice, start())
	run := sending(session, after(time.Second), b, a)
	_, err := f.StartRun(t.Context(), run, limit)
	must(t, err)
	sent := f.items(t, session)[0].Attachments
	for n, want := range []chat.Attachment{b, a} {
		want.SessionID = session.ID
		equal(t, "attachment", f.attachment(t, want.ID), want)
		want.UserID, want.CreatedAt = "", time.Time{} // A message does not keep them.
		equal(t, "attachment of the message", sent[n], want)
	}
	wantCode(t, "deleting", f.DeleteAttachment(t.Context(), alice, a.ID), chat.CodeAttachmentConflict)
}

func attachmentsRefused(t *testing.T, f *fixture) {
	session := f.create(t, alice, start())
	good := f.uploaded(t, alice, start())
	sent := f.uploaded(t, alice, start())
	f.finish(t, f.beginWith(t, session, sent), "seen", after(time.Second))
	before := f.session(t, session)
	for name, bad := range map[string]struct {
		a    chat.Attachment
		code chat.Code
	}{
		"missing":          {newAttachment(alice, start()), chat.CodeAttachmentNotFound},
		"another user's":   {f.uploaded(t, bob, start()), chat.CodeForbidden},
		"not uploaded":     {f.announced(t, alice, start()), chat.CodeAttachmentConflict},
		"sent already":     {sent, chat.CodeAttachmentConflict},
		"twice in the one": {good, chat.CodeAttachmentConflict},
	} {
		_, err := f.StartRun(t.Context(), sending(session, after(time.Minute), good, bad.a), limit)
		wantCode(t, name, err, bad.code)
	}
	equal(t, "session", f.session(t, session), before)
	equal(t, "the good one", f.attachment(t, good.ID), good)
	f.wantRows(t, "runs", 1)
}

func (f *fixture) beginWith(t *testing.T, session chat.Session, attachments ...chat.Attachment) chat.Run {
	t.Helper()
	run := sending(session, after(time.Second), attachments...)
	_, err := f.StartRun(t.Context(), run, limit)
	must(t, err)
	return run.Run
}

func attachmentSentAtOnce(t *testing.T, f *fixture) {
	a := f.uploaded(t, alice, start())
	sessions := make([]chat.Session, 6)
	for n := range sessions {
		sessions[n] = f.create(t, alice, start())
	}
	errs := atOnce(len(sessions), func(n int) error {
		_, err := f.StartRun(t.Context(), sending(sessions[n], after(time.Second), a), limit)
		return err
	})
	wantOutcomes(t, errs, 1, chat.CodeAttachmentConflict)
	f.wantRows(t, "items", 1)
}

// attachmentsCrosswise: concurrent messages with the same attachments in different
// orders do not deadlock.
func attachmentsCrosswise(t *testing.T, f *fixture) {
	sessions := make([]chat.Session, 6)
	for n := range sessions {
		sessions[n] = f.create(t, alice, start())
	}
	for range 10 {
		some := make([]chat.Attachment, 8)
		for n := range some {
			some[n] = f.uploaded(t, alice, start())
		}
		other := slices.Clone(some)
		slices.Reverse(other)
		runs := make([]chat.NewRun, len(sessions))
		errs := atOnce(len(sessions), func(n int) error {
			runs[n] = sending(sessions[n], after(time.Second), [][]chat.Attachment{some, other}[n%2]...)
			_, err := f.StartRun(t.Context(), runs[n], limit)
			return err
		})
		wantOutcomes(t, errs, 1, chat.CodeAttachmentConflict)
		f.finish(t, runs[slices.Index(errs, nil)].Run, "seen", after(time.Second))
	}
}

func attachmentDeleted(t *testing.T, f *fixture) {
	a := f.uploaded(t, alice, start())
	wantCode(t, "another user's", f.DeleteAttachment(t.Context(), bob, a.ID), chat.CodeForbidden)
	wantCode(t, "missing", f.DeleteAttachment(t.Context(), alice, uuid.New()), chat.CodeAttachmentNotFound)
	must(t, f.DeleteAttachment(t.Context(), alice, a.ID))
	wantCode(t, "again", f.DeleteAttachment(t.Context(), alice, a.ID), chat.CodeAttachmentNotFound)
	_, err := f.Attachment(t.Context(), a.ID)
	wantCode(t, "reading", err, chat.CodeAttachmentNotFound)
	equal(t, "swept", f.sweep(t, start()), []uuid.UUID{a.ID})
}

func attachmentsSwept(t *testing.T, f *fixture) {
	day := 24 * time.Hour
	gone, kept := f.create(t, alice, start()), f.create(t, alice, start())
	ofGone, ofKept := f.uploaded(t, alice, start()), f.uploaded(t, alice, start())
	f.beginWith(t, gone, ofGone)
	f.beginWith(t, kept, ofKept)
	old, pending, young := f.uploaded(t, alice, start()), f.announced(t, alice, start()), f.uploaded(t, alice, after(day))
	must(t, f.DeleteSession(t.Context(), alice, gone.ID))
	_, err := f.Attachment(t.Context(), ofGone.ID)
	wantCode(t, "of a session that is gone", err, chat.CodeAttachmentNotFound)
	for round := range 2 { // What is not forgotten is told again.
		found := f.sweep(t, after(time.Second))
		want := []uuid.UUID{ofGone.ID, old.ID, pending.ID}
		for _, id := range want {
			if !slices.Contains(found, id) || len(found) != len(want) {
				t.Errorf("round %d found %v, want %v", round, found, want)
			}
		}
	}
	must(t, f.ForgetAttachments(t.Context(), append(f.sweep(t, after(time.Second)), young.ID, ofKept.ID)))
	must(t, f.ForgetAttachments(t.Context(), nil))
	equal(t, "swept when all is forgotten", len(f.sweep(t, after(time.Second))), 0)
	f.wantRows(t, "attachments", 2) // Forgetting takes garbage alone.
	f.attachment(t, young.ID)
	f.attachment(t, ofKept.ID)
}

// attachmentSentOrSwept: an old attachment that is sent while sweeps go on is
// either sent and kept, or swept and not sent.
func attachmentSentOrSwept(t *testing.T, f *fixture) {
	for n := range 8 {
		session := f.create(t, fmt.Sprint("user ", n), start())
		a := f.uploaded(t, session.UserID, start())
		var swept []uuid.UUID
		errs := atOnce(2, func(i int) error {
			if i == 0 {
				_, err := f.StartRun(t.Context(), sending(session, after(time.Second), a), limit)
				return err
			}
			var err error
			swept, err = f.SweepAttachments(t.Context(), after(time.Hour), limit)
			return err
		})
		must(t, errs[1])
		if sent := errs[0] == nil; sent == slices.Contains(swept, a.ID) {
			t.Errorf("sent: %v, swept: %v", errs[0], swept)
		}
		must(t, f.ForgetAttachments(t.Context(), swept))
	}
}

// attachmentsSweptAtOnce: concurrent sweeps neither wait for each other nor leave
// anything.
func attachmentsSweptAtOnce(t *testing.T, f *fixture) {
	for range 40 {
		f.announced(t, alice, start())
	}
	kept := f.announced(t, alice, after(time.Hour))
	errs := atOnce(4, func(int) error {
		for {
			ids, err := f.SweepAttachments(t.Context(), after(time.Minute), limit)
			if err != nil || len(ids) == 0 {
				return err
			}
			if err := f.ForgetAttachments(t.Context(), ids); err != nil {
				return err
			}
		}
	})
	wantOutcomes(t, errs, len(errs), "")
	equal(t, "left to sweep", len(f.sweep(t, after(time.Minute))), 0)
	f.wantRows(t, "attachments", 1)
	f.attachment(t, kept.ID)
}

// wantError checks that an error has the code and the message of another.
func wantError(t *testing.T, what string, err error, want *chat.Error) {
	t.Helper()
	if got, ok := errors.AsType[*chat.Error](err); !ok || got.Code != want.Code || got.Message != want.Message {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

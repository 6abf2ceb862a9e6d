package chat_test

import (
	"testing"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

// A retry is offered where the same message may get an answer the next time.
func TestFailureIsRetryable(t *testing.T) {
	t.Parallel()
	for code, want := range map[chat.FailureCode]bool{
		chat.FailureClientLeft:                        true,
		chat.FailureCancelled:                         true,
		chat.FailureServerStopped:                     true,
		chat.FailureUnavailable:                       true,
		chat.FailureInternal:                          true,
		chat.FailureTimeLimit:                         true,
		chat.FailureCode(chat.UpstreamUnreachable):    true,
		chat.FailureCode(chat.UpstreamBusy):           true,
		chat.FailureCode(chat.UpstreamTimeout):        true,
		chat.FailureCode(chat.UpstreamEmpty):          true,
		chat.FailureCode(chat.UpstreamBroken):         true,
		chat.FailureSessionGone:                       false,
		chat.FailureAnswerTooLong:                     false,
		chat.FailureTooManySteps:                      false,
		chat.FailureCode(chat.UpstreamCredentials):    false,
		chat.FailureCode(chat.UpstreamPayment):        false,
		chat.FailureCode(chat.UpstreamRefused):        false,
		chat.FailureCode(chat.UpstreamBadRequest):     false,
		chat.FailureCode("a code of a later version"): true,
	} {
		if got := code.Retryable(); got != want {
			t.Errorf("%s is retryable: %t, want %t", code, got, want)
		}
	}
}

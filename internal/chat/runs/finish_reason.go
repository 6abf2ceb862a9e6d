package runs

import "github.com/chatkit-rest/chatkit-rest/internal/chat"

// incompleteReason returns a finish reason that says that the answer is
// incomplete, and nothing for any other.
func incompleteReason(finish string) string {
	switch finish {
	case chat.FinishLength, chat.FinishContentFilter, chat.FinishUnknown:
		return finish
	}
	return ""
}

// incompleteNotice tells a user why an answer is incomplete; it is empty for
// one that is complete.
func incompleteNotice(finish string) string {
	switch finish {
	case chat.FinishLength:
		return "The answer is cut: it reached the model's limit of tokens."
	case chat.FinishContentFilter:
		return "The answer is cut: the model provider's content filter ended it."
	case chat.FinishUnknown:
		return "The answer may be incomplete: the model stopped for a reason that this server does not know."
	}
	return ""
}

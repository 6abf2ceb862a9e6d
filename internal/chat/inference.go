package chat

import "slices"

// RequestedModel returns the model that the last user message of a history asks
// for. It is empty where the message asks for none, or for one that is not
// among the offered: then the server's default model answers.
func RequestedModel(history []Item, offered []string) string {
	message := lastUserMessage(history)
	if message == nil || message.Inference.Model == "" || !slices.Contains(offered, message.Inference.Model) {
		return ""
	}
	return message.Inference.Model
}

// lastUserMessage is the last user message of a history; nil where there is
// none.
func lastUserMessage(history []Item) *Item {
	for n := len(history) - 1; n >= 0; n-- {
		if history[n].Type == ItemUserMessage {
			return &history[n]
		}
	}
	return nil
}

// LastUserText is the text of the last user message; empty where there is none.
func LastUserText(history []Item) string {
	if message := lastUserMessage(history); message != nil {
		return message.Text()
	}
	return ""
}

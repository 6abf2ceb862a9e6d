package config

import (
	"fmt"
	"slices"
	"strings"
)

const (
	minJWTSecretBytes    = 32 // RFC 7518, section 3.2
	minDifferentBytes    = 6
	minRandomPeriodBytes = 17
	secretHint           = "create one with: openssl rand -base64 48"
)

// checkSecret rejects secrets that are short or easy to guess.
func checkSecret(value string) (problem, fix string) {
	switch {
	case strings.TrimSpace(value) != value:
		return "begins or ends with white space", "remove it, also a line break at its end"
	case len(value) < minJWTSecretBytes:
		return fmt.Sprintf("is shorter than %d bytes", minJWTSecretBytes), secretHint
	case isPlaceholder(value):
		return "is a well-known placeholder", secretHint
	case isRepetitive(value):
		return "repeats itself and is easy to guess", secretHint
	}

	return "", ""
}

func (l *loader) apiKey(required bool) Secret {
	const name = "OPENROUTER_API_KEY"

	const hint = "get one from https://openrouter.ai/keys, or set any word for a local model that needs no key"

	value := l.value(name)
	switch {
	case value == "":
		if required {
			l.fault(name, "is not set", hint+"; or start the demo with --demo, which needs none")
		}
	case strings.ContainsFunc(value, notPrintable):
		l.fault(name, "has white space or a character that is not valid in a key", "copy it again")
	case isPlaceholder(value):
		l.fault(name, "is a placeholder", hint)
	default:
		return NewSecret(value)
	}

	return Secret{}
}

// isPlaceholder reports whether the value looks like the placeholder of an example
// file.
func isPlaceholder(value string) bool {
	value = strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(value))
	words := []string{
		"changeme", "changethis", "replaceme", "replacethis", "placeholder", "example",
		"yoursecret", "yourjwt", "yourkey", "yourapi", "youropenrouter",
	}

	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(value, word) })
}

// isRepetitive reports whether the value has few different bytes or repeats a short
// pattern.
func isRepetitive(value string) bool {
	different := make(map[byte]bool)
	for i := range len(value) {
		different[value[i]] = true
	}

	if len(different) < minDifferentBytes {
		return true
	}

	for period := 1; period < minRandomPeriodBytes; period++ {
		if value[period:] == value[:len(value)-period] {
			return true
		}
	}

	return false
}

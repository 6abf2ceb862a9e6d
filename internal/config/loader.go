package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxQuotedRunes  = 40
	minHiddenPart   = 6 // bytes; shorter values occur in any secret by chance
	maxNameBytes    = 200
	maxPromptBytes  = 100_000
	maxMessageChars = 100_000

	maxIdentifierBytes = 2000
)

// loader reads settings one by one and collects the faults.
type loader struct {
	getenv   func(string) string
	defaults map[string]string
	// hidden are the secrets, which no text may contain even if one was put into
	// the wrong setting.
	hidden []string
	faults Faults
}

func newLoader(getenv func(string) string) *loader {
	l := &loader{getenv: getenv, defaults: make(map[string]string)}
	for _, setting := range append(All(), TracingSettings()...) {
		l.defaults[setting.Name] = setting.Default

		if value := strings.TrimSpace(getenv(setting.Name)); setting.Secret && value != "" {
			l.hidden = append(l.hidden, value)
		}
	}

	for secret := range strings.SplitSeq(getenv("JWT_SECRET"), ",") {
		if secret = strings.TrimSpace(secret); len(secret) >= minHiddenPart {
			l.hidden = append(l.hidden, secret)
		}
	}

	return l
}

// value returns the value of a setting, or its default.
func (l *loader) value(name string) string {
	if value := strings.TrimSpace(l.getenv(name)); value != "" {
		return value
	}

	return l.defaults[name]
}

// isSet is false if the default is used.
func (l *loader) isSet(name string) bool { return strings.TrimSpace(l.getenv(name)) != "" }

// fault adds a fault.
func (l *loader) fault(name, problem, fix string) {
	l.faults = append(l.faults, Fault{Name: name, Problem: problem, Fix: fix})
}

// quote returns the quoted value, shortened, or a replacement if it contains a
// secret or is part of one.
func (l *loader) quote(value string) string {
	for _, hidden := range l.hidden {
		isPart := len(value) >= minHiddenPart && strings.Contains(hidden, value)
		if isPart || strings.Contains(value, hidden) {
			return "a value that is not shown"
		}
	}

	runes := []rune(value)
	if len(runes) > maxQuotedRunes {
		return strconv.Quote(string(runes[:maxQuotedRunes])) + "…"
	}

	return strconv.Quote(value)
}

func (l *loader) number(name string, least, most int) int {
	value := l.value(name)

	n, err := strconv.Atoi(value)
	if err == nil && n >= least && n <= most {
		return n
	}

	l.fault(name, "is "+l.quote(value), fmt.Sprintf("set it to a whole number from %d to %d", least, most))

	n, _ = strconv.Atoi(l.defaults[name])

	return n
}

func (l *loader) duration(name string, least time.Duration) time.Duration {
	return l.durationUpTo(name, least, maxTimeout)
}

func (l *loader) durationUpTo(name string, least, most time.Duration) time.Duration {
	value := l.value(name)

	d, err := time.ParseDuration(value)
	if err == nil && d >= least && d <= most {
		return d
	}

	l.fault(name, "is "+l.quote(value), fmt.Sprintf("set it to a time from %s to %s with its unit, such as %s",
		least, inHours(most), l.defaults[name]))

	d, _ = time.ParseDuration(l.defaults[name])

	return d
}

// inHours formats a bound of whole hours as hours alone: 1h rather than 1h0m0s.
func inHours(bound time.Duration) string { return strconv.Itoa(int(bound.Hours())) + "h" }

func (l *loader) boolean(name string) bool {
	value := l.value(name)
	switch strings.ToLower(value) {
	case "true":
		return true
	case "false":
		return false
	}

	l.fault(name, "is "+l.quote(value)+", neither true nor false", "set it to true or false")

	return l.defaults[name] == "true"
}

// text reads a text of at most maxBytes. Line breaks and tabs are accepted if lines
// is true.
func (l *loader) text(name string, maxBytes int, lines bool) string {
	value := l.value(name)
	forbidden := func(r rune) bool {
		return unicode.IsControl(r) && (!lines || r != '\n' && r != '\r' && r != '\t')
	}

	switch {
	case !utf8.ValidString(value):
		l.fault(name, "is not valid UTF-8", "write it in UTF-8")
	case strings.ContainsFunc(value, forbidden):
		l.fault(name, "has a control character", "remove it")
	case len(value) > maxBytes:
		l.fault(name, fmt.Sprintf("has %d bytes", len(value)), fmt.Sprintf("shorten it to %d", maxBytes))
	default:
		return value
	}

	return l.defaults[name]
}

// notPrintable reports whether r is not a visible ASCII character.
func notPrintable(r rune) bool {
	return r <= ' ' || r > '~'
}

package config

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// minMCPHidden is the minimum length, in bytes, of a value of env that is hidden.
// Shorter values are words such as "true".
const minMCPHidden = 8

// checkURL checks the URL. Its faults show no part of it, since any part may be a
// key.
func (r *mcpReader) checkURL() {
	value := r.server.URL.Reveal()
	u, err := url.Parse(value)
	switch {
	case err != nil, strings.ContainsFunc(value, notPrintable), !isWebScheme(u.Scheme), !validHostPort(u):
		r.fault("url", "is not an http or https URL", "use a full URL, such as https://tools.example.com/mcp")
	case u.User != nil:
		r.fault("url", "has a user or a password", "set the header Authorization instead")
	case u.Fragment != "":
		r.fault("url", "has a fragment", "remove it")
	}
}

func (r *mcpReader) text(field string, value json.RawMessage) string {
	var text *string
	if json.Unmarshal(value, &text) != nil || text == nil {
		r.fault(field, "is not a string", "write it in quotes")
		return ""
	}
	return r.expand(field, *text)
}

func (r *mcpReader) texts(field string, value json.RawMessage) []string {
	var list []*string
	if json.Unmarshal(value, &list) != nil || list == nil || slices.Contains(list, nil) {
		r.fault(field, "is not a list of strings", `write ["…", "…"]`)
		return nil
	}
	texts := make([]string, len(list))
	for i, text := range list {
		texts[i] = r.expand(field, *text)
	}
	return texts
}

// pairs reads the variables of a command or the headers of a request.
func (r *mcpReader) pairs(field string, value json.RawMessage) map[string]Secret {
	var pairs map[string]*string
	if json.Unmarshal(value, &pairs) != nil || pairs == nil {
		r.fault(field, "is not an object of strings", `write {"NAME": "…"}`)
		return nil
	}
	filled := make(map[string]Secret, len(pairs))
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		where := field + "." + name
		switch {
		case pairs[name] == nil:
			r.fault(where, "is not a string", "write it in quotes")
			continue
		case name == "", strings.ContainsFunc(name, notPrintable), strings.ContainsAny(name, "=:"):
			r.fault(where, "is not a valid name", "use letters, digits, - and _")
			continue
		}
		text := r.expand(where, *pairs[name])
		if strings.ContainsFunc(text, unicode.IsControl) && field == "headers" || strings.Contains(text, "\x00") {
			r.fault(where, "has a control character or a line break", "remove it")
			continue
		}
		filled[name] = NewSecret(text)
		if len(text) >= minMCPHidden || field == "headers" {
			r.hideText(name, text)
		}
		if field == "headers" { // An error may contain the token without its scheme.
			if _, token, ok := strings.Cut(text, " "); ok {
				r.hideText(name, token)
			}
		}
	}
	return filled
}

// secretName matches the names of values that are secret.
var secretName = regexp.MustCompile(`(?i)key|token|secret|passw|passphrase|pass([_-]|$)|authorization|auth$|credential|cookie`)

func (r *mcpReader) hideText(name, text string) {
	if secretName.MatchString(name) {
		r.server.Secrets = append(r.server.Secrets, NewSecret(text))
		return
	}
	r.server.Hidden = append(r.server.Hidden, NewSecret(text))
}

var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}`)

// expand replaces ${NAME} and ${NAME:-default} with values of the environment.
func (r *mcpReader) expand(field, text string) string {
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		parts := reference.FindStringSubmatch(found)
		value := r.l.getenv(parts[1])
		switch {
		case value == "" && parts[2] == "":
			r.fault(field, "needs "+found+", which is not set", "set it, or write ${"+parts[1]+":-a default}")
			return ""
		case value == "":
			return strings.TrimPrefix(parts[2], ":-")
		}
		if !slices.Contains([]string{"HOME", "PATH", "PWD", "TMPDIR", "USER"}, parts[1]) {
			r.hideText(parts[1], value)
		}
		return value
	})
}

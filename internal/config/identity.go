package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Identity describes the identity server whose tokens are accepted. The zero value
// means that there is none.
type Identity struct {
	// JWKSURL is the URL of the server's public keys.
	JWKSURL string
	// Issuer is the exact iss of its tokens.
	Issuer string
	// Audiences are the values of aud that are meant for this server. A token
	// needs one of them.
	Audiences []string
}

// IsSet is false for the zero value.
func (i Identity) IsSet() bool { return i.JWKSURL != "" }

// identity reads the settings of an identity server: all must be set, or none.
func (l *loader) identity() Identity {
	i := Identity{JWKSURL: l.jwksURL("JWKS_URL"), Issuer: l.issuer("JWT_ISSUER"), Audiences: l.audiences("JWT_AUDIENCE")}

	wanted := l.value("JWKS_URL") != ""
	for _, name := range []string{"JWT_ISSUER", "JWT_AUDIENCE"} {
		switch given := l.value(name) != ""; {
		case wanted && !given:
			l.fault(name, "is not set beside JWKS_URL, so that tokens for other servers would be accepted",
				"set it as your identity server's documentation says")
		case !wanted && given:
			l.fault(name, "is set without JWKS_URL; it does not apply to tokens signed with JWT_SECRET",
				"set JWKS_URL, or unset it")
		}
	}

	return i
}

// jwksURL reads a URL that must be https, except for a server on the same machine:
// an attacker who changed the keys in transit could act as any user.
func (l *loader) jwksURL(name string) string {
	value := l.value(name)
	if value == "" {
		return ""
	}

	u, err := url.Parse(value)

	switch {
	case strings.Contains(value, "@"), strings.Contains(value, "#"):
		l.fault(name, "has a user, a password or a fragment", "write only https://, host, port, path and parameters")
	case err != nil, strings.ContainsFunc(value, notPrintable), !isWebScheme(u.Scheme), !validHostPort(u):
		l.fault(name, "is "+l.quote(value)+", not an https URL",
			"use the jwks_uri that your identity server's /.well-known/openid-configuration names")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		l.fault(name, "is not https, so that an attacker could replace the keys in transit", "use https; http is accepted only for 127.0.0.1, ::1 and localhost")
	default:
		return value
	}

	return ""
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)

	return err == nil && addr.IsLoopback() || strings.EqualFold(host, "localhost")
}

func (l *loader) issuer(name string) string {
	value := l.value(name)
	if len(value) <= maxIdentifierBytes && !strings.ContainsFunc(value, notPrintable) {
		return value
	}

	l.fault(name, "is "+l.quote(value)+", not an issuer", "write the iss of its tokens exactly, with or without a slash at the end")

	return ""
}

func (l *loader) audiences(name string) []string {
	entries, ok := splitList(l.value(name))
	if !ok {
		l.fault(name, "is not a JSON array of strings", `use ["a","b"] or a comma-separated list`)

		return nil
	}

	for _, entry := range entries {
		if entry == "" || len(entry) > maxIdentifierBytes || strings.ContainsFunc(entry, notPrintable) {
			l.fault(name, "has the value "+l.quote(entry)+", not an audience", "write the aud of tokens that are meant for this server")

			return nil
		}
	}

	if l.value(name) != "" && len(entries) == 0 {
		l.fault(name, "names no audience", "write the aud of tokens that are meant for this server")
	}

	return entries
}

// jwtSecrets reads a comma-separated list. The first secret signs, each verifies.
// White space is rejected rather than trimmed, since the backend that signs tokens
// may not trim it.
func (l *loader) jwtSecrets(required bool) []Secret {
	const name = "JWT_SECRET"

	value := l.getenv(name)
	if strings.TrimSpace(value) == "" {
		if required {
			l.fault(name, "is not set", secretHint)
		}

		return nil
	}

	var secrets []Secret

	entries := strings.Split(value, ",")
	for n, entry := range entries {
		which, hint := "", ""
		if len(entries) > 1 {
			which = fmt.Sprintf("has a secret, number %d of its comma-separated list, that ", n+1)
			hint = "; a comma separates secrets, so a secret cannot contain one"
		}

		problem, fix := checkSecret(entry)
		if problem == "" && slices.Contains(entries[:n], entry) {
			problem, fix = "is repeated", "remove one"
		}

		if problem != "" {
			l.fault(name, which+problem, fix+hint)

			return nil
		}

		secrets = append(secrets, NewSecret(entry))
	}

	return secrets
}

package config

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/internal/origin"
)

func (l *loader) host(name string) string {
	value := l.value(name)

	host := value
	if strings.HasPrefix(value, "[") && strings.HasSuffix(value, "]") {
		host = value[1 : len(value)-1]
	}

	if validHost(host) {
		return host
	}

	l.fault(name, "is "+l.quote(value)+", not an address or a host name",
		"use an IP address or a name alone, such as 127.0.0.1 or 0.0.0.0; the port goes into PORT")

	return l.defaults[name]
}

// hostNames reads a list of host names, and removes repetitions.
func (l *loader) hostNames(name string) []string {
	entries, ok := splitList(l.value(name))
	if !ok {
		l.fault(name, "is not a JSON array of strings", `use ["images.example.com"] or a comma-separated list`)

		return nil
	}

	var hosts []string

	for _, entry := range entries {
		host := strings.ToLower(entry)

		switch {
		case !validHost(host):
			l.fault(name, "has the value "+l.quote(entry)+", not a host name",
				"write the name alone, such as images.example.com, without scheme, port, path or *")
		case !slices.Contains(hosts, host):
			hosts = append(hosts, host)
		}
	}

	return hosts
}

// webURL reads an absolute http or https URL, and removes a slash at its end.
func (l *loader) webURL(name string) string {
	value := l.value(name)
	if value == "" {
		return ""
	}

	u, err := url.Parse(value)

	switch {
	case strings.Contains(value, "@"), strings.ContainsAny(value, "?#"):
		// The value is not shown: it may contain a password or a key.
		l.fault(name, "has a user, a password, parameters or a fragment", "write only http:// or https://, host, port and path")
	case err != nil, strings.ContainsFunc(value, notPrintable), !isWebScheme(u.Scheme), !validHostPort(u):
		l.fault(name, "is "+l.quote(value)+", not an http or https URL", "use a full URL, such as https://chat.example.com")
	default:
		return strings.TrimRight(value, "/")
	}

	return l.defaults[name]
}

func (l *loader) origins(name string) []string {
	entries, ok := splitList(l.value(name))
	if !ok {
		l.fault(name, "is not a JSON array of strings", `use ["https://a.example.com"] or a comma-separated list`)

		return nil
	}

	var found []string

	for _, entry := range entries {
		if strings.Contains(entry, "*") {
			l.fault(name, "has the value "+l.quote(entry)+", a wildcard", "list each origin; * is never accepted because credentials are allowed")

			continue
		}

		canonical, ok := parseOrigin(entry)
		if !ok {
			l.fault(name, "has the value "+l.quote(entry)+", not an origin", "write the scheme, :// and the host, and perhaps a port, "+
				"without a path or a slash at the end: https://app.example.com or capacitor://localhost")

			continue
		}

		if !slices.Contains(found, canonical) {
			found = append(found, canonical)
		}
	}

	return found
}

// parseOrigin returns an origin as browsers write it. The host of a web origin must
// be valid; apps and extensions choose their own names.
func parseOrigin(entry string) (string, bool) {
	parsed, ok := origin.Parse(entry)
	if !ok {
		return "", false
	}

	if parsed.IsWeb() {
		u, err := url.Parse(strings.ToLower(entry))
		if err != nil || !validHostPort(u) {
			return "", false
		}
	}

	return parsed.String(), true
}

func (l *loader) prefixes(name string) []netip.Prefix {
	entries, ok := splitList(l.value(name))
	if !ok {
		l.fault(name, "is not a JSON array of strings", "use a comma-separated list, such as 10.0.0.0/8, 192.0.2.1")

		return nil
	}

	var prefixes []netip.Prefix

	for _, entry := range entries {
		prefix, ok := parsePrefix(entry)

		switch {
		case !ok:
			l.fault(name, "has the value "+l.quote(entry)+", not an address or a CIDR range", "write 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32")
		case prefix.Bits() == 0:
			l.fault(name, "has the value "+l.quote(entry)+", which is every address, so that any client could forge its address",
				"list the addresses of your proxies")
		default:
			prefixes = append(prefixes, prefix)
		}
	}

	return prefixes
}

// parsePrefix converts an address to the range of that address alone, and an
// IPv4-mapped range to the IPv4 range, because addresses are compared unmapped.
func parsePrefix(entry string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(entry)
	if err != nil {
		addr, err := netip.ParseAddr(entry)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, false
		}

		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}

	const mappedBits = 96
	if prefix.Addr().Is4In6() && prefix.Bits() >= mappedBits {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mappedBits)
	}

	return prefix.Masked(), true
}

// splitList parses a JSON array of strings or a comma-separated list. Blank entries
// of a comma-separated list are ignored.
func splitList(value string) ([]string, bool) {
	if strings.HasPrefix(value, "[") {
		var entries []string

		err := json.Unmarshal([]byte(value), &entries)

		return entries, err == nil
	}

	var entries []string

	for entry := range strings.SplitSeq(value, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}

	return entries, true
}

func isWebScheme(scheme string) bool {
	return scheme == "http" || scheme == "https"
}

// validHostPort reports whether the URL has a valid host, and a valid port or none.
func validHostPort(u *url.URL) bool {
	if !validHost(u.Hostname()) || strings.HasSuffix(u.Host, ":") {
		return false
	}

	return u.Port() == "" || validPort(u.Port())
}

// validHost accepts IP addresses without a zone, and host names. International names
// must have the ASCII form (xn--…) that browsers send.
func validHost(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Zone() == ""
	}

	const maxHostBytes = 253
	if host == "" || len(host) > maxHostBytes {
		return false
	}

	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || strings.ContainsFunc(label, notInLabel) {
			return false
		}
	}

	// A name that ends in a number is an IPv4 address, here an invalid one.
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

func notInLabel(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
		return false
	default:
		return true
	}
}

package config

import (
	"net"
	"net/netip"
	"strconv"
)

// metricsAddr reads the address of the metrics listener. Empty means no metrics.
func (l *loader) metricsAddr(name string, s Settings) string {
	value := l.value(name)
	if value == "" {
		return ""
	}

	host, port, err := net.SplitHostPort(value)
	if err != nil || (host != "" && !validHost(host)) || !validListenPort(port) {
		l.fault(name, "is "+l.quote(value)+", not an address to listen on", "write host:port, such as 127.0.0.1:9090, or :9090 for all addresses")

		return ""
	}

	if port != "0" && port == strconv.Itoa(s.Port) && overlap(host, s.Host) {
		l.fault(name, "is the address of HOST and PORT, which never serves metrics", "give it another port, such as 9090")

		return ""
	}

	return value
}

func validListenPort(port string) bool {
	n, err := strconv.Atoi(port)

	return err == nil && n >= 0 && n <= maxPort && port == strconv.Itoa(n)
}

// overlap reports whether listeners on the same port of both hosts would conflict.
func overlap(a, b string) bool {
	return a == b || isEveryAddress(a) || isEveryAddress(b) || isLoopback(a) && isLoopback(b)
}

func isEveryAddress(host string) bool {
	addr, err := netip.ParseAddr(host)

	return host == "" || err == nil && addr.IsUnspecified()
}

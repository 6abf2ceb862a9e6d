package web

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
)

const demoTokenPath = "/demo-token"

// demoToken returns the demo's token to the demo's own page only: the browser must
// state that a script of this origin sent the request, and client and server must
// be this machine. The Host is checked too, since DNS rebinding makes a foreign
// page the same origin. A proxy on this machine is refused, since its client can
// be anywhere.
type demoToken struct {
	mint func() (string, error)
}

func (d demoToken) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header(), playgroundPolicy)
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
	case r.Header.Get("Sec-Fetch-Site") != "same-origin" || r.Header.Get("Sec-Fetch-Dest") != "empty":
		refuse(w, "Only the playground's own page may request the demo's token.")
	case !isLoopback(r.Host) || !isLoopback(r.RemoteAddr) || throughProxy(r.Header):
		refuse(w, "The demo's token is for a browser on the server's own machine; "+
			"elsewhere paste the token that the server printed when it started.")
	default:
		d.send(w)
	}
}

func (d demoToken) send(w http.ResponseWriter) {
	token, err := d.mint()
	if err != nil {
		fail(w, http.StatusInternalServerError, api.ErrorCodeInternalError, "The demo's token could not be created.")
		return
	}
	data, err := json.Marshal(map[string]string{"token": token})
	writeJSON(w, http.StatusOK, data, err)
}

func refuse(w http.ResponseWriter, message string) {
	fail(w, http.StatusForbidden, api.ErrorCodeForbidden, message)
}

// fail sends an error in the server's error envelope.
func fail(w http.ResponseWriter, status int, code api.ErrorCode, message string) {
	data, err := json.Marshal(api.ErrorResponse{Error: api.ErrorDetail{Code: code, Message: message}})
	writeJSON(w, status, data, err)
}

func writeJSON(w http.ResponseWriter, status int, data []byte, err error) {
	if err != nil { // Strings can always be encoded.
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // It fails if the client disconnected.
}

// throughProxy reports whether the headers show that a proxy forwarded the
// request.
func throughProxy(header http.Header) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via"} {
		if len(header.Values(name)) > 0 {
			return true
		}
	}
	return false
}

// isLoopback reports whether an address, with or without a port, is this machine.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

package web

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
)

const demoTokenPath = "/demo-token"

// demoToken hands the demo's token to the demo's own page and to nobody else:
// the browser must say that a script of this origin asks, and both ends of the
// connection must be this machine. The Host is looked at too, since a foreign
// name that was pointed here makes a foreign page the "same origin"; and a
// proxy on this machine is refused, since it may ask for anybody.
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
		refuse(w, "Only the playground's own page may ask for the demo's token.")
	case !isLoopback(r.Host) || !isLoopback(r.RemoteAddr) || throughProxy(r.Header):
		refuse(w, "The demo's token is for a browser on the server's own machine; "+
			"elsewhere paste the one that the server printed when it started.")
	default:
		d.answer(w)
	}
}

func (d demoToken) answer(w http.ResponseWriter) {
	token, err := d.mint()
	if err != nil {
		fail(w, http.StatusInternalServerError, api.ErrorCodeInternalError, "The demo's token could not be made.")
		return
	}
	data, err := json.Marshal(map[string]string{"token": token})
	writeJSON(w, http.StatusOK, data, err)
}

func refuse(w http.ResponseWriter, message string) {
	fail(w, http.StatusForbidden, api.ErrorCodeForbidden, message)
}

// fail answers with the envelope that every failure of the server has.
func fail(w http.ResponseWriter, status int, code api.ErrorCode, message string) {
	data, err := json.Marshal(api.ErrorResponse{Error: api.ErrorDetail{Code: code, Message: message}})
	writeJSON(w, status, data, err)
}

func writeJSON(w http.ResponseWriter, status int, data []byte, err error) {
	if err != nil { // strings are always JSON
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // it fails when the client has gone: nobody to tell
}

// throughProxy tells whether a proxy says that it passed the request on.
func throughProxy(header http.Header) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via"} {
		if len(header.Values(name)) > 0 {
			return true
		}
	}
	return false
}

// isLoopback tells whether an address, with a port or without, is this machine.
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

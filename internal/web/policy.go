package web

import "net/http"

// The policies permit only files of this server: no inline script or style, no
// other host, no embedding in a frame.
const (
	ownOnly = "default-src 'none'; " +
		"script-src 'self'; " +
		"style-src 'self'; " +
		"connect-src 'self'; " +
		"frame-ancestors 'none'; " +
		"base-uri 'none'; " +
		"form-action 'none'; "
	// playgroundPolicy also forbids creating elements, scripts and script URLs from
	// text, since the page shows text of a model.
	playgroundPolicy = ownOnly + "img-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
	// docsPolicy is for Swagger UI: its style sheet has images in data: URLs, and it
	// shows an image response from a blob: URL.
	docsPolicy = ownOnly + "img-src 'self' data: blob:"
)

// secure sets the security headers of a response.
func secure(header http.Header, policy string) {
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY") // For browsers without frame-ancestors.
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
}

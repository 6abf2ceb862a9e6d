package web

import "net/http"

// The policies let a page use what this server sends and nothing else: no
// inline script or style, no other host, no frame around it.
const (
	ownOnly = "default-src 'none'; " +
		"script-src 'self'; " +
		"style-src 'self'; " +
		"connect-src 'self'; " +
		"frame-ancestors 'none'; " +
		"base-uri 'none'; " +
		"form-action 'none'; "
	// playgroundPolicy also forbids to make elements, scripts or addresses of
	// scripts from text: the page shows what a model wrote.
	playgroundPolicy = ownOnly + "img-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
	// docsPolicy is what Swagger UI works under: its style sheet has images in
	// data: URLs, and it shows an image that it was answered with from a blob.
	docsPolicy = ownOnly + "img-src 'self' data: blob:"
)

// secure sets what a browser needs to know before it trusts an answer.
func secure(header http.Header, policy string) {
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
}

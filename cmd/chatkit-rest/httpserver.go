package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/document"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chatkit"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/rest"
	"github.com/chatkit-rest/chatkit-rest/internal/server"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
	"github.com/chatkit-rest/chatkit-rest/internal/web"
)

const (
	// streamWriteTimeout is how long a client may accept no data of a stream or
	// a file before it is disconnected.
	streamWriteTimeout = 30 * time.Second
	// readyTimeout bounds the database check of /readyz.
	readyTimeout = 3 * time.Second
	// minBody is the smallest bound of a request's body, in bytes. A character
	// may take 12 bytes, as two \u escapes.
	minBody      = 1 << 20
	bytesPerChar = 12
)

// newHTTPServer makes a.http, the server of the API and the pages, for the
// address on which it will listen.
func (a *assembly) newHTTPServer(ctx context.Context, settings config.Settings, listening string) error {
	verifier, err := a.newVerifier(settings)
	if err != nil {
		return err
	}
	authenticator, err := auth.NewAuthenticator(verifier, allowedOrigins(settings))
	if err != nil {
		return fmt.Errorf("CORS_ORIGINS: %w", err)
	}
	doc, err := server.NewDocument(ctx, document.YAML, documentValues(settings, listening))
	if err != nil {
		return err
	}
	pages, err := web.Routes(pageOptions(settings))
	if err != nil {
		return err
	}
	limiter, err := a.newLimiter(ctx, settings)
	if err != nil {
		return err
	}
	urls := stream.AttachmentURLs{Attachments: a.attachments, ServerURL: settings.ServerURL(listening)}
	options := server.Options{
		API: apiHandlers{
			restHandler{rest.New(rest.Options{
				Service: a.service, Attachments: a.attachments, Ready: a.checkReadiness, WriteTimeout: streamWriteTimeout, KeepAlive: sse.KeepAlive,
				AttachmentURLs: urls,
			})},
			chatkitHandler{chatkit.New(chatkit.Options{
				Service: a.service, Attachments: a.attachments, WriteTimeout: streamWriteTimeout, KeepAlive: sse.KeepAlive,
				AttachmentURLs: urls, ImageDomains: settings.AllowedImageDomains, Live: a.metrics.LiveStreams,
			})},
		},
		Document: doc, Pages: pages, TrustedProxies: settings.TrustedProxies, Auth: authenticator,
		MaxBody: max(minBody, int64(settings.MaxMessageChars)*bytesPerChar), Limiter: limiter, Logger: a.logger,
		Locale:  settings.SendLocale,
		Metrics: a.metrics, Tracing: a.tracing,
	}
	a.http, err = server.New(options)
	return err
}

// apiHandlers has a method for each operation of the OpenAPI document.
type apiHandlers struct {
	restHandler
	chatkitHandler
}

// Two embedded fields need different names; both types are called Handler.
type (
	restHandler    struct{ *rest.Handler }
	chatkitHandler struct{ *chatkit.Handler }
)

// pageOptions returns the options of the pages. Only the demo's page gets a token.
func pageOptions(settings config.Settings) web.Options {
	options := web.Options{MessageChars: settings.MaxMessageChars}
	if settings.Demo {
		options.DemoToken = func() (string, error) { return mintDemoToken(settings) }
	}
	return options
}

// allowedOrigins returns the origins whose pages may call: those of CORS_ORIGINS,
// and that of PUBLIC_URL, which a proxy may hide from the server.
func allowedOrigins(settings config.Settings) []string {
	public, err := url.Parse(settings.PublicURL)
	if err != nil || public.Host == "" {
		return settings.CORSOrigins
	}
	return append([]string{public.Scheme + "://" + public.Host}, settings.CORSOrigins...)
}

// documentValues returns the settings that the served OpenAPI document states.
func documentValues(settings config.Settings, listening string) server.DocumentValues {
	values := server.DocumentValues{
		ServerURL: settings.ServerURL(listening), MessageChars: settings.MaxMessageChars,
		SessionsPerUser: settings.MaxSessionsPerUser, RequestsPerMinute: settings.RateLimitPerMinute,
		Models: append([]string{settings.OpenRouterModel}, otherModels(settings)...),
	}
	if settings.Attachments.IsSet() {
		values.AttachmentTypes, values.AttachmentBytes = settings.Attachments.Types, settings.Attachments.MaxBytes
	}
	return values
}

// checkReadiness checks the database and its schema. The reason of a failure is
// only logged.
func (a *assembly) checkReadiness(ctx context.Context) rest.Readiness {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	ready := rest.Readiness{Database: a.db.Ping(ctx), RateLimit: a.rateLimitState()}
	if ready.Database == nil {
		ready.Migrations = checkMigrated(ctx, a.db)
	} else {
		ready.Migrations = ready.Database
	}
	if ready.Migrations != nil {
		a.logger.WarnContext(ctx, "not ready", "error", ready.Migrations)
	}
	return ready
}

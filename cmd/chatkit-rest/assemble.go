package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/chatkit-rest/chatkit-rest/gen/document"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chatkit"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/demo"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/internal/rest"
	"github.com/chatkit-rest/chatkit-rest/internal/server"
	"github.com/chatkit-rest/chatkit-rest/internal/sse"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/stream"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
	"github.com/chatkit-rest/chatkit-rest/internal/web"
)

const (
	// streamWriteTimeout is how long a client may take nothing of its stream or
	// its file.
	streamWriteTimeout = 30 * time.Second
	// readyTimeout bounds a look at the database.
	readyTimeout = 3 * time.Second
	// minBody is the least bound of a request's body, in bytes; a character
	// may take 12 of them, as two \u escapes.
	minBody      = 1 << 20
	bytesPerChar = 12
)

// assembly is the server with its parts, wired.
type assembly struct {
	logger  *slog.Logger
	db      *store.Store
	service *chat.Service
	tools   chat.Toolbox // nil: none
	http    *http.Server
	metrics *telemetry.Metrics // nil: none
	tracing *telemetry.Tracing // nil: none
	// shared is nil where no rate limit is shared with other replicas.
	shared  *ratelimit.Shared
	closers []func()
}

// assemble wires the parts. What it opened is closed if it fails.
func assemble(
	ctx context.Context, settings config.Settings, logger *slog.Logger, migrate bool,
) (_ *assembly, err error) {
	a := &assembly{logger: logger}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if settings.Demo {
		upstream, err := demo.Start(ctx, demo.Options{})
		if err != nil {
			return nil, fmt.Errorf("start the demo's model: %w", err)
		}
		a.closers = append(a.closers, upstream.Close)
		settings.OpenRouterBaseURL = upstream.URL()
		settings.OpenRouterAPIKey = config.NewSecret(upstream.Key())
	}
	db, err := openStore(ctx, settings, logger, migrate)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, func() { _ = db.Close() })
	model, err := newModel(settings)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, model.CloseIdle)
	pseudonym, err := newPseudonym(ctx, db)
	if err != nil {
		return nil, err
	}
	a.db = db
	if err := a.observe(ctx, settings); err != nil {
		return nil, err
	}
	a.tools = a.newTools(ctx, settings)
	attachments, err := a.newAttachments(ctx, settings)
	if err != nil {
		return nil, err
	}
	a.service = a.newService(settings, model, pseudonym, attachments)
	return a, nil
}

func (a *assembly) close() {
	for _, closeIt := range slices.Backward(a.closers) {
		closeIt()
	}
}

// openStore opens the database and sees that its schema is this version's.
func openStore(ctx context.Context, settings config.Settings, logger *slog.Logger, migrate bool) (*store.Store, error) {
	db, err := store.Open(ctx, storeConfig(settings, logger))
	if err != nil {
		return nil, fmt.Errorf("open the database of DATABASE_URL: %w", err)
	}
	if migrate || settings.Database.Driver == config.SQLite {
		err = db.Migrate(ctx)
	} else {
		err = checkMigrated(ctx, db)
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

func checkMigrated(ctx context.Context, db *store.Store) error {
	pending, err := db.MigrationsPending(ctx)
	if err != nil {
		return fmt.Errorf("look at the database's schema: %w", err)
	}
	if pending {
		return errors.New("the database's schema is not up to date: " +
			"run chatkit-rest migrate up, or serve with --migrate")
	}
	return nil
}

func newModel(settings config.Settings) (*openrouter.Client, error) {
	model, err := openrouter.New(openrouter.Options{
		BaseURL: settings.OpenRouterBaseURL, Key: settings.OpenRouterAPIKey.Reveal(), Model: settings.OpenRouterModel,
		FallbackModels: settings.OpenRouterFallbackModels, MaxTokens: settings.OpenRouterMaxTokens,
		SiteURL: settings.OpenRouterSiteURL, AppName: settings.OpenRouterAppName, UserAgent: "chatkit-rest/" + version,
		FirstByteTimeout: settings.UpstreamFirstByteTimeout, IdleTimeout: settings.UpstreamIdleTimeout,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the model provider: %w", err)
	}
	return model, nil
}

// observedModel is the model with its spans and metrics.
func (a *assembly) observedModel(model chat.Model, settings config.Settings) chat.Model {
	return telemetry.Model(a.metrics, a.tracing, model,
		telemetry.Upstream{BaseURL: settings.OpenRouterBaseURL, Model: settings.OpenRouterModel})
}

func (a *assembly) newService(
	settings config.Settings, model *openrouter.Client, pseudonym func(string) string, attachments *chat.AttachmentOptions,
) *chat.Service {
	return chat.NewService(chat.Options{
		Store: a.tracing.Store(a.db, databaseName(settings)), Model: a.observedModel(model, settings),
		WholeDetails: openrouter.WholeDetails,
		Observer:     telemetry.Runs(a.metrics, a.tracing),
		ModelName:    settings.OpenRouterModel, Models: otherModels(settings), TitleModel: settings.TitleModel,
		Tools: a.tools, SystemPrompt: settings.SystemPrompt,
		Limits: chat.Limits{
			SessionsPerUser: settings.MaxSessionsPerUser, MessageChars: settings.MaxMessageChars,
			HistoryMessages: settings.HistoryMaxMessages, HistoryChars: settings.HistoryMaxChars,
		},
		Pseudonym: pseudonym, Detach: telemetry.Detach, Logger: a.logger, Attachments: attachments,
	})
}

// mount puts the doors into an HTTP server that listens at the address.
func (a *assembly) mount(ctx context.Context, settings config.Settings, listening string) error {
	verifier, err := a.newVerifier(settings)
	if err != nil {
		return err
	}
	authenticator, err := auth.NewAuthenticator(verifier, origins(settings))
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
	urls := stream.AttachmentURLs{Service: a.service, ServerURL: settings.ServerURL(listening)}
	options := server.Options{
		API: doors{
			restDoor{rest.New(rest.Options{
				Service: a.service, Ready: a.readiness, WriteTimeout: streamWriteTimeout, KeepAlive: sse.KeepAlive,
				AttachmentURLs: urls,
			})},
			chatkitDoor{chatkit.New(chatkit.Options{
				Service: a.service, WriteTimeout: streamWriteTimeout, KeepAlive: sse.KeepAlive,
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

// doors are together all the operations of the document.
type doors struct {
	restDoor
	chatkitDoor
}

type (
	restDoor    struct{ *rest.Handler }
	chatkitDoor struct{ *chatkit.Handler }
)

// pageOptions lets the demo's page have the demo's token.
func pageOptions(settings config.Settings) web.Options {
	options := web.Options{MessageChars: settings.MaxMessageChars}
	if settings.Demo {
		options.DemoToken = func() (string, error) { return mintDemoToken(settings) }
	}
	return options
}

// origins are those whose pages may call: the allowed ones, and the server's
// own as clients see it, where a proxy hides it from the server.
func origins(settings config.Settings) []string {
	public, err := url.Parse(settings.PublicURL)
	if err != nil || public.Host == "" {
		return settings.CORSOrigins
	}
	return append([]string{public.Scheme + "://" + public.Host}, settings.CORSOrigins...)
}

// documentValues are the settings that the served document states.
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

// otherModels are those that clients may pick beside the one that answers when
// they pick none.
func otherModels(settings config.Settings) []string {
	return slices.DeleteFunc(slices.Clone(settings.Models), func(name string) bool { return name == settings.OpenRouterModel })
}

// readiness looks at the database; why it is not well goes to the log alone.
func (a *assembly) readiness(ctx context.Context) rest.Readiness {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	ready := rest.Readiness{Database: a.db.Ping(ctx), RateLimit: a.limitState()}
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

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/attachments"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/demo"
	"github.com/chatkit-rest/chatkit-rest/internal/openrouter"
	"github.com/chatkit-rest/chatkit-rest/internal/ratelimit"
	"github.com/chatkit-rest/chatkit-rest/internal/store"
	"github.com/chatkit-rest/chatkit-rest/internal/store/database"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// assembly is the server and its parts.
type assembly struct {
	logger      *slog.Logger
	db          *database.DB
	store       *store.Store
	service     *runs.Service
	attachments *attachments.Service
	tools       chat.Toolbox // nil without MCP_SERVERS
	http        *http.Server
	metrics     *telemetry.Metrics // nil without METRICS_ADDR
	tracing     *telemetry.Tracing // nil without a collector of traces
	// sharedLimiter is nil unless the rate limit is shared with other replicas.
	sharedLimiter *ratelimit.Shared
	// closers are called by close, the last one first.
	closers []func()
}

// assemble opens the parts and connects them. If it fails, it closes what it has
// opened. It does not start background work of the service, nor listen.
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
	db, err := openDatabase(ctx, settings, logger, migrate)
	if err != nil {
		return nil, err
	}
	a.db, a.store = db, store.New(db)
	a.closers = append(a.closers, func() { _ = db.Close() })
	model, err := adapters.NewModel(settings, version)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, model.CloseIdle)
	pseudonym, err := newPseudonym(ctx, a.store)
	if err != nil {
		return nil, err
	}
	if err := a.startTelemetry(ctx, settings); err != nil {
		return nil, err
	}
	a.tools = a.newTools(ctx, settings)
	store := a.tracing.Store(a.store, databaseName(settings))
	if a.attachments, err = a.newAttachments(ctx, settings, store); err != nil {
		return nil, err
	}
	log, err := a.newEventLog(settings)
	if err != nil {
		return nil, err
	}
	a.service = a.newService(settings, store, log, model, pseudonym)
	return a, nil
}

// close closes the parts in the reverse order of their opening.
func (a *assembly) close() {
	for _, closer := range slices.Backward(a.closers) {
		closer()
	}
}

// observedModel returns the model with spans and metrics.
func (a *assembly) observedModel(model chat.Model, settings config.Settings) chat.Model {
	return telemetry.Model(a.metrics, a.tracing, model,
		telemetry.Upstream{BaseURL: settings.OpenRouterBaseURL, Model: settings.OpenRouterModel})
}

// newService makes the core from its parts.
func (a *assembly) newService(
	settings config.Settings, store chat.Store, log chat.EventLog, model *openrouter.Client, pseudonym func(string) string,
) *runs.Service {
	return runs.NewService(runs.Options{
		Store: store, Model: a.observedModel(model, settings),
		Log: log, JoinDetails: openrouter.JoinDetails,
		Observer:  telemetry.Runs(a.metrics, a.tracing),
		ModelName: settings.OpenRouterModel, Models: otherModels(settings), TitleModel: settings.TitleModel,
		Tools: a.tools, SystemPrompt: settings.SystemPrompt,
		Limits: runs.Limits{
			SessionsPerUser: settings.MaxSessionsPerUser, MessageChars: settings.MaxMessageChars,
			HistoryMessages: settings.HistoryMaxMessages, HistoryChars: settings.HistoryMaxChars,
			RunTime: settings.RunMaxTime,
		},
		Pseudonym: pseudonym, Detach: telemetry.Detach, Logger: a.logger, Attachments: a.attachments,
	})
}

// otherModels returns the models that clients may choose beside the default one.
func otherModels(settings config.Settings) []string {
	return slices.DeleteFunc(slices.Clone(settings.Models), func(name string) bool { return name == settings.OpenRouterModel })
}

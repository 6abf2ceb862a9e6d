package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/chat/runs"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

const (
	demoUser     = "demo"
	demoTokenTTL = 24 * time.Hour
)

// printDemoInstructions prints the addresses, a token and a curl command for a
// first message.
func printDemoInstructions(ctx context.Context, w io.Writer, a *assembly, settings config.Settings, addr net.Addr) error {
	signed, err := mintDemoToken(settings)
	if err != nil {
		return err
	}
	session, err := demoSession(ctx, a.service)
	if err != nil {
		return fmt.Errorf("make the demo's session: %w", err)
	}
	url := settings.ServerURL(addr.String())
	_, err = fmt.Fprintf(w, `
This is the demo: a built-in replacement answers, not a model. Set OPENROUTER_API_KEY for real answers.

Playground  %s/
Docs        %s/docs
Token       %s

Say something and watch the answer stream:

curl -N %s/api/v1/chatkit/sessions/%s/threads/%s/runs \
  -H 'Authorization: Bearer %s' \
  -H 'Content-Type: application/json' \
  -d '{"message":{"role":"user","content":[{"type":"input_text","text":"Hello! What can you do?"}]}}'

`, url, url, signed, url, session.ID, session.ID, signed)
	return err
}

// mintDemoToken makes a token of the demo user.
func mintDemoToken(settings config.Settings) (string, error) {
	secret, err := signingSecret(settings)
	if err != nil {
		return "", err
	}
	signed, err := auth.Mint(secret, demoUser, demoTokenTTL, time.Now())
	if err != nil {
		return "", fmt.Errorf("make the demo's token: %w", err)
	}
	return signed, nil
}

// demoSession returns the demo user's newest session, or makes one.
func demoSession(ctx context.Context, service *runs.Service) (chat.Session, error) {
	page, err := service.ListSessions(ctx, demoUser, chat.SessionQuery{Limit: 1})
	if err != nil {
		return chat.Session{}, err
	}
	if len(page.Sessions) > 0 {
		return page.Sessions[0], nil
	}
	return service.CreateSession(ctx, demoUser)
}

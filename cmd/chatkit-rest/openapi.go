package main

import (
	"context"
	"flag"

	"github.com/chatkit-rest/chatkit-rest/gen/document"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
	"github.com/chatkit-rest/chatkit-rest/internal/server"
)

// openapi prints the OpenAPI document as the server would serve it. It needs no
// required setting, so that a build can run it.
func openapi(ctx context.Context, p process, args []string) error {
	flags := flag.NewFlagSet("openapi", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print JSON instead of YAML")
	if ok, err := parse(p, flags, args); !ok {
		return err
	}
	settings, err := loadSettings(p, config.Options{Only: []string{
		"HOST", "PORT", "PUBLIC_URL", "MAX_MESSAGE_CHARS", "MAX_SESSIONS_PER_USER", "RATE_LIMIT_PER_MINUTE",
		"OPENROUTER_MODEL", "MODELS", "ATTACHMENTS_URL", "ATTACHMENT_MAX_BYTES", "ATTACHMENT_TYPES",
	}})
	if err != nil {
		return err
	}
	doc, err := server.NewDocument(ctx, document.YAML, documentValues(settings, settings.ListenAddress()))
	if err != nil {
		return err
	}
	content := doc.YAML()
	if *asJSON {
		content = append(doc.JSON(), '\n')
	}
	_, err = p.stdout.Write(content)
	return err
}

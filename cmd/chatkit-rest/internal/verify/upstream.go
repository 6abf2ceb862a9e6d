package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chatkit-rest/chatkit-rest/cmd/chatkit-rest/internal/adapters"
	"github.com/chatkit-rest/chatkit-rest/internal/chat"
	"github.com/chatkit-rest/chatkit-rest/internal/config"
)

// checkKey reports whether the model service accepts the key, and its credits.
func (c checker) checkKey(ctx context.Context) (string, error) {
	model, err := adapters.NewModel(c.settings, c.version)
	if err != nil {
		return "", err
	}
	defer model.CloseIdle()
	state, err := model.CheckKey(ctx)
	switch {
	case err != nil:
		return "", upstreamAdvice(err)
	case !state.Known:
		return "accepted", nil
	case state.Remaining == nil:
		return "accepted; it has no credit limit of its own", nil
	case state.Limit == nil:
		return fmt.Sprintf("accepted; %.2f credits left", *state.Remaining), nil
	default:
		return fmt.Sprintf("accepted; %.2f of %.2f credits left", *state.Remaining, *state.Limit), nil
	}
}

// upstreamAdvice converts a failure of upstream to an error that says what to do.
func upstreamAdvice(err error) error {
	var upstream *chat.UpstreamError
	if !errors.As(err, &upstream) {
		return err
	}
	switch upstream.Kind {
	case chat.UpstreamCredentials:
		return errors.New("OPENROUTER_API_KEY was rejected; create a new key and set it")
	case chat.UpstreamPayment:
		return errors.New("the account of OPENROUTER_API_KEY has no credit left; add some")
	case chat.UpstreamUnreachable, chat.UpstreamTimeout:
		return fmt.Errorf("OPENROUTER_BASE_URL cannot be reached: %w; check that this machine may call it", err)
	default:
		return fmt.Errorf("OPENROUTER_BASE_URL gave an unexpected answer: %w; check that it is the base URL of an OpenAI-compatible API, or try again later", err)
	}
}

// checkModels checks that upstream lists the models of the settings.
func (c checker) checkModels(ctx context.Context) (string, error) {
	client, err := adapters.NewModel(c.settings, c.version)
	if err != nil {
		return "", err
	}
	defer client.CloseIdle()
	listed, err := client.Models(ctx)
	if err != nil {
		return "", unsureError{"upstream returned no list of models"}
	}
	return compareModels(namedModels(c.settings), listed)
}

// namedModel is a model and the first setting that has it.
type namedModel struct{ setting, model string }

// namedModels returns the models of the settings, without repetitions.
func namedModels(settings config.Settings) []namedModel {
	named := []namedModel{{"OPENROUTER_MODEL", settings.OpenRouterModel}}
	add := func(setting string, models ...string) {
		for _, model := range models {
			isKnown := func(n namedModel) bool { return n.model == model }
			if model != "" && !slices.ContainsFunc(named, isKnown) {
				named = append(named, namedModel{setting, model})
			}
		}
	}
	add("OPENROUTER_FALLBACK_MODELS", settings.OpenRouterFallbackModels...)
	add("MODELS", settings.Models...)
	add("TITLE_MODEL", settings.TitleModel)
	return named
}

// compareModels reports which models upstream's list lacks. The check is unsure of
// a model that upstream may know without listing it.
func compareModels(named []namedModel, listed []string) (string, error) {
	var missing, uncertain []string
	for _, n := range named {
		reason := unlistedReason(n.model, listed)
		switch {
		case isListed(n.model, listed):
		case reason != "":
			uncertain = append(uncertain, n.model+": "+reason)
		default:
			missing = append(missing, fmt.Sprintf("%s: upstream lists %d models, but not %s; set one that it lists",
				n.setting, len(listed), n.model))
		}
	}
	switch {
	case len(missing) > 0:
		return "", errors.New(strings.Join(append(missing, uncertain...), "\n"))
	case len(uncertain) > 0:
		return "", unsureError{strings.Join(uncertain, "\n")}
	case len(named) > 1:
		return fmt.Sprintf("%s and %d more", named[0].model, len(named)-1), nil
	default:
		return named[0].model, nil
	}
}

// isListed reports whether upstream lists the model, possibly under another name:
// Ollama adds ":latest", and every model of OpenRouter has routing variants
// (":nitro", ":online").
func isListed(model string, listed []string) bool {
	if slices.Contains(listed, model) || slices.Contains(listed, model+":latest") {
		return true
	}
	base, variant, _ := strings.Cut(model, ":")
	return !slices.Contains(catalogVariants, variant) && slices.Contains(listed, base)
}

// catalogVariants are the variants that OpenRouter lists as separate models, see
// https://openrouter.ai/docs/guides/routing/model-variants/overview.
var catalogVariants = []string{"free", "extended", "thinking", "batch"}

// unlistedReason says why a model may work although upstream does not list it. It
// is empty if there is no reason.
func unlistedReason(model string, listed []string) string {
	switch {
	case len(listed) == 0:
		return "upstream lists no models"
	case len(listed) == 1: // Such a server may accept any name.
		return "upstream lists only " + listed[0]
	case strings.Contains(model, "@preset/"):
		return "upstream does not list presets"
	case strings.HasPrefix(model, "~"), strings.HasPrefix(model, "openrouter/"):
		return "upstream does not list this alias or router, but may accept it"
	}
	return ""
}

package config

import (
	"fmt"
	"slices"
	"strings"
)

const (
	exampleModel = "~openai/gpt-mini-latest"
	maxModels    = 100
	// maxFallbacks is OpenRouter's limit: it rejects a request with more.
	maxFallbacks = 3
)

// modelName reads the name of one model. It is empty if the setting is not set and
// has no default.
func (l *loader) modelName(name string) string {
	value := l.value(name)
	if value == "" || isModelName(value) {
		return value
	}

	l.fault(name, "is "+l.quote(value)+", not a model name",
		fmt.Sprintf("use up to %d characters without white space, such as %s", maxNameBytes, exampleModel))

	return l.defaults[name]
}

// modelNames reads a list of models without repetitions; most is the maximum number.
func (l *loader) modelNames(name string, most int) []string {
	entries, ok := splitList(l.value(name))
	if !ok {
		l.fault(name, "is not a JSON array of strings", `use ["`+exampleModel+`"] or a comma-separated list`)

		return nil
	}

	if len(entries) == 0 && l.value(name) != "" {
		l.fault(name, "names no model", "list at least one, or leave it unset")
	}

	if len(entries) > most {
		l.fault(name, fmt.Sprintf("names %d models", len(entries)), fmt.Sprintf("list %d at most", most))

		return nil
	}

	var models []string

	for _, entry := range entries {
		switch {
		case !isModelName(entry):
			l.fault(name, "has the value "+l.quote(entry)+", not a model name",
				fmt.Sprintf("use up to %d characters without white space, such as %s", maxNameBytes, exampleModel))
		case slices.Contains(models, entry):
			l.fault(name, "names "+l.quote(entry)+" twice", "list each model once")
		default:
			models = append(models, entry)
		}
	}

	return models
}

// allowedModels returns the models of MODELS, preceded by the default model if it
// is not among them.
func (l *loader) allowedModels(name, byDefault string) []string {
	models := l.modelNames(name, maxModels)
	if slices.Contains(models, byDefault) {
		return models
	}

	return append([]string{byDefault}, models...)
}

func isModelName(value string) bool {
	return value != "" && len(value) <= maxNameBytes && !strings.ContainsFunc(value, notPrintable)
}

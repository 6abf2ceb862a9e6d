package database

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// checkedParameters are the parameters whose values pgx checks before it
// connects. Only these names may be shown: what looks like another may be part
// of a password that is not percent-encoded. sslcert and sslkey are only valid
// together.
var checkedParameters = [][]string{
	{"sslrootcert"},
	{"sslcert"},
	{"sslkey"},
	{"sslcert", "sslkey"},
	{"sslmode"},
	{"sslnegotiation"},
	{"connect_timeout"},
	{"target_session_attrs"},
	{"min_protocol_version"},
	{"max_protocol_version"},
	{"channel_binding"},
	{"require_auth"},
	{"service"},
	{"port"},
	{"default_query_exec_mode"},
	{"statement_cache_capacity"},
	{"description_cache_capacity"},
}

// describeURL returns the error of a URL that pgx refuses. pgx's own error holds
// the URL, and so the password.
func describeURL(databaseURL string, err error) error {
	if failure, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s names a file that cannot be read: %w; correct the path, or let this user read the file",
			parameterWithValue(databaseURL, failure.Path), failure.Err)
	}
	if names := faultyParameters(databaseURL); len(names) > 0 {
		return fmt.Errorf("the value of the URL's parameter %s cannot be used; correct or remove it", strings.Join(names, " or "))
	}
	text := "the PostgreSQL URL is not valid; write postgresql://user:password@host:5432/database"
	if variables := libpqVariables(); len(variables) > 0 {
		text += ", and check the environment variables that complete it: " + strings.Join(variables, ", ")
	}
	return errors.New(text)
}

// parameterWithValue names the parameter that has the value.
func parameterWithValue(databaseURL, value string) string {
	for _, names := range checkedParameters {
		if got, ok := splitParameters(databaseURL).values[names[0]]; ok && got == value {
			return "the URL's parameter " + names[0]
		}
	}
	return "the PostgreSQL URL or an environment variable that completes it"
}

// faultyParameters returns the parameters without which pgx accepts the URL.
func faultyParameters(databaseURL string) []string {
	parameters := splitParameters(databaseURL)
	for _, names := range checkedParameters {
		missing := func(name string) bool { _, ok := parameters.values[name]; return !ok }
		if slices.ContainsFunc(names, missing) {
			continue
		}
		if _, err := pgx.ParseConfig(parameters.without(names)); err == nil {
			return names
		}
	}
	return nil
}

// urlParameters are the parameters of a URL.
type urlParameters struct {
	base   string // the URL without them
	pairs  []string
	values map[string]string
}

func splitParameters(databaseURL string) urlParameters {
	base, query, _ := strings.Cut(databaseURL, "?")
	split := urlParameters{base: base, pairs: strings.Split(query, "&"), values: make(map[string]string)}
	for _, pair := range split.pairs {
		name, value, _ := strings.Cut(pair, "=")
		if decoded, err := url.PathUnescape(value); err == nil {
			split.values[name] = decoded
		}
	}
	return split
}

// without returns the URL without the parameters of these names.
func (p urlParameters) without(names []string) string {
	kept := slices.DeleteFunc(slices.Clone(p.pairs), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(names, name)
	})
	return p.base + "?" + strings.Join(kept, "&")
}

// libpqVariables returns the names of the environment variables from which pgx,
// like libpq, takes what the URL lacks.
func libpqVariables() []string {
	var names []string
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "PG") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

package contract_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// checkReport checks the exit code, that each pattern matches a line of the
// report, and that the report shows no secret.
func checkReport(t *testing.T, result harness.Result, env map[string]string, exitCode int, lines ...string) {
	t.Helper()
	if result.ExitCode != exitCode {
		t.Errorf("the exit code is %d, want %d", result.ExitCode, exitCode)
	}
	for _, line := range lines {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(result.Stdout) {
			t.Errorf("the report has no line %q:\n%s", line, result.Output())
		}
	}
	for _, name := range []string{"JWT_SECRET", "OPENROUTER_API_KEY", "DATABASE_URL"} {
		if value := env[name]; len(value) > 8 && strings.Contains(result.Output(), value) {
			t.Errorf("the report shows %s:\n%s", name, result.Output())
		}
	}
}

// TestVerifyEnvReport checks that the report lists each part with its state,
// and what to do about a failure.
func TestVerifyEnvReport(t *testing.T) {
	t.Parallel()
	harness.OnEach(t, func(t *testing.T, database harness.Database) {
		upstream := harness.NewUpstream(t)
		env := harness.Settings(harness.NewDatabase(t, database), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", upstream)
		env["OPENROUTER_MODEL"], env["RATE_LIMIT_PER_MINUTE"] = "maker/model", "30"
		wantSuccess(t, harness.Execute(t, env, "migrate", "up"))
		upstream.ListModels("maker/model", "maker/other")
		checkReport(t, harness.Execute(t, env, "verify-env"), env, 0,
			`version +ok +chatkit-rest \S+ \(go\S+, \w+/\w+\)`, `settings +ok +complete`,
			`database +ok +`+string(database)+` [\d.]+.*`, `migrations +ok +[1-9]\d* applied, 0 pending`,
			`key +ok +accepted; it has no credit limit of its own`, `model +ok +maker/model`,
			`limits +ok +30 requests a minute for an address .*, 10 sessions a user, 500 characters a message`,
			`result +ok +all checks passed`)

		env["OPENROUTER_MODEL"] = "maker/mode"
		checkReport(t, harness.Execute(t, env, "verify-env"), env, 1,
			`model +FAILED +OPENROUTER_MODEL: upstream lists 2 models, but not maker/mode; set one that it lists`, `result +FAILED +model`)
	})
}

// TestVerifyEnvModel tests model names that upstream accepts and does not list.
func TestVerifyEnvModel(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]string{
		"maker/model:online":      `model +ok +maker/model:online`,
		"llama":                   `model +ok +llama`,
		"maker/model@preset/mine": `model +unsure +.*preset.*`,
		"maker/other:free":        `model +FAILED +.*OPENROUTER_MODEL.*`,
		"maker/model:free":        `model +FAILED +.*OPENROUTER_MODEL.*`, // a free variant is a separate model
		"maker/model:nitro":       `model +ok +maker/model:nitro`,
		"~maker/unlisted-latest":  `model +unsure +.*alias or router.*`,
		"openrouter/auto":         `model +unsure +.*alias or router.*`,
		"llama:8b":                `model +FAILED +.*OPENROUTER_MODEL.*`,
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			upstream := harness.NewUpstream(t)
			upstream.ListModels("maker/model", "llama:latest")
			env := harness.Settings(harness.NewDatabase(t, harness.SQLite), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", upstream)
			env["OPENROUTER_MODEL"] = model
			code := 0
			if strings.Contains(want, "FAILED") {
				code = 1
			}
			checkReport(t, harness.Execute(t, env, "verify-env"), env, code, want)
		})
	}
	upstream := harness.NewUpstream(t)
	env := harness.Settings(harness.NewDatabase(t, harness.SQLite), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", upstream)
	checkReport(t, harness.Execute(t, env, "verify-env"), env, 0, `model +unsure +.*lists no models`)
	upstream.ListModels("one.gguf")
	checkReport(t, harness.Execute(t, env, "verify-env"), env, 0, `model +unsure +.*lists only one.gguf`)
}

// TestVerifyEnvNamesEveryMissingModel checks that each configured model that
// upstream does not list is named with its setting.
func TestVerifyEnvNamesEveryMissingModel(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	upstream.ListModels("maker/a", "maker/b", "maker/c", "maker/d:free")
	env := harness.Settings(harness.NewDatabase(t, harness.SQLite), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", upstream)
	env["OPENROUTER_MODEL"], env["TITLE_MODEL"] = "maker/a", "maker/b:nitro"
	env["MODELS"], env["OPENROUTER_FALLBACK_MODELS"] = "maker/a,maker/d:free", "maker/c"
	checkReport(t, harness.Execute(t, env, "verify-env"), env, 0, `model +ok +maker/a and 3 more`)

	env["TITLE_MODEL"], env["MODELS"], env["OPENROUTER_FALLBACK_MODELS"] = "maker/title", "maker/a,maker/b:free", "maker/gone,maker/c"
	checkReport(t, harness.Execute(t, env, "verify-env"), env, 1,
		`model +FAILED +OPENROUTER_FALLBACK_MODELS: upstream lists 4 models, but not maker/gone; set one that it lists`,
		` +MODELS: upstream lists 4 models, but not maker/b:free; set one that it lists`,
		` +TITLE_MODEL: upstream lists 4 models, but not maker/title; set one that it lists`, `result +FAILED +model`)
}

// TestVerifyEnvExitCodes checks the exit codes: 0 if all checks pass, 1 if one
// fails, 2 for an invalid command line.
func TestVerifyEnvExitCodes(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	env := harness.Settings(harness.NewDatabase(t, harness.Postgres), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", upstream)
	checkReport(t, harness.Execute(t, env, "verify-env"), env, 1,
		`migrations +FAILED +0 applied, \d+ pending; run chatkit-rest migrate up, or serve with --migrate`, `result +FAILED +migrations`)
	wantSuccess(t, harness.Execute(t, env, "migrate", "up"))
	checkReport(t, harness.Execute(t, env, "verify-env"), env, 0, `result +ok +no check failed; unsure: model`)
	upstream.SetKeyStatus(402)
	checkReport(t, harness.Execute(t, env, "verify-env"), env, 1, `key +FAILED +.*credit.*`, `result +FAILED +key`)
	checkReport(t, harness.Execute(t, nil, "verify-env"), nil, 1,
		`settings +FAILED +\d+ faults in the settings:`, `result +FAILED +settings; the remaining checks were skipped`)
	for _, args := range [][]string{{"verify-env", "staging"}, {"verify-env", "--fix"}, {"verfy-env"}, {"serve", "demo"}, {"healthcheck", "now"}} {
		if result := harness.Execute(t, env, args...); result.ExitCode != 2 || result.Stdout != "" || result.Stderr == "" {
			t.Errorf("%q: exit code %d, want 2: %s", args, result.ExitCode, result.Output())
		}
	}
}

// TestChecksCreateNoFile checks that verify-env and migrate status do not
// create the database file.
func TestChecksCreateNoFile(t *testing.T) {
	t.Parallel()
	env := harness.Settings("sqlite:///data/new/chat.db", "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", harness.NewUpstream(t))
	folder := t.TempDir()
	checkReport(t, harness.ExecuteIn(t, folder, env, "verify-env"), env, 0,
		`database +ok +SQLite [\d.]+; the file does not exist yet, serve creates it`,
		`migrations +ok +0 applied, [1-9]\d* pending; serve applies them`)
	status := harness.ExecuteIn(t, folder, env, "migrate", "status")
	wantSuccess(t, status)
	if !strings.Contains(status.Stdout, "pending") || strings.Contains(status.Stdout, "applied") {
		t.Errorf("without a file the status is\n%s", status.Stdout)
	}
	if made, err := os.ReadDir(folder); err != nil || len(made) > 0 {
		t.Errorf("the commands created %v (error %v)", made, err)
	}

	if err := os.WriteFile(filepath.Join(folder, "data"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	checkReport(t, harness.ExecuteIn(t, folder, env, "verify-env"), env, 1,
		`database +FAILED +DATABASE_URL: .*not a directory.*`)
}

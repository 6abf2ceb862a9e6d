package attachments_test

import (
	"maps"
	"regexp"
	"testing"

	"github.com/chatkit-rest/chatkit-rest/tests/harness"
)

// verify-env writes and reads the file store. A failure names the setting.
func TestVerifyEnv(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	s3, files := openS3(t), newDisk(t)
	missing := s3.settings()
	missing["ATTACHMENTS_URL"] = "s3://elsewhere?endpoint=" + s3.url + "&region=us-east-1"
	for name, settings := range map[string]struct {
		env  map[string]string
		line string
		code int
	}{
		"disk":      {files.settings(), `attachments +ok +folder \S+ is readable and writable; 10485760 bytes per file, 1073741824 bytes per user`, 0},
		"S3":        {s3.settings(), `attachments +ok +bucket files is readable and writable; 10485760 bytes per file, 1073741824 bytes per user`, 0},
		"no bucket": {missing, `attachments +FAILED +ATTACHMENTS_URL: cannot write: .*`, 1},
		"no folder": {map[string]string{"ATTACHMENTS_URL": "file:////dev/null/files"}, `attachments +FAILED +ATTACHMENTS_URL: make the folder: .*`, 1},
		"none":      {nil, `result +ok.*`, 0},
	} {
		env := harness.Settings(harness.NewDatabase(t, harness.SQLite), "kq3Wm8ZtYv1xRb6NcP0sLd9FgHj2TuAe", upstream)
		maps.Copy(env, settings.env)
		result := harness.Execute(t, env, "verify-env")
		if !regexp.MustCompile(`(?m)^`+settings.line+`$`).MatchString(result.Stdout) || result.ExitCode != settings.code {
			t.Errorf("%s: exit code %d:\n%s", name, result.ExitCode, result.Output())
		}
	}
	if s3.count(t) != 0 || files.count(t) != 0 {
		t.Error("verify-env left files")
	}
}

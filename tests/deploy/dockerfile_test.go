//go:build deploy

package deploy_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// imageVersion is the version of the build, in the place of a release's tag.
const imageVersion = "v0.0.0-image"

// image is the result of the Dockerfile.
type image struct {
	root        string // has only what the last stage copies
	env         map[string]string
	workdir     string
	uid, gid    int
	entrypoint  []string
	command     []string
	healthcheck []string
	writable    string // the volume
}

var (
	imageOnce  sync.Once
	builtImage *image
)

// theImage is built once, with the Dockerfile's own commands.
func theImage(t *testing.T) *image {
	t.Helper()
	imageOnce.Do(func() { builtImage = buildImage(t) })
	if builtImage == nil {
		t.Fatal("the image could not be built; see the test that came first")
	}
	return builtImage
}

// instruction is an instruction of the Dockerfile with its continuation lines
// joined.
type instruction struct{ name, rest string }

func instructions(t *testing.T) []instruction {
	t.Helper()
	var list []instruction
	text := strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", " ")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		list = append(list, instruction{name, strings.TrimSpace(rest)})
	}
	return list
}

func buildImage(t *testing.T) *image {
	t.Helper()
	source, out := filepath.Join(shared, "context"), filepath.Join(shared, "out")
	i := &image{root: filepath.Join(shared, "root"), env: map[string]string{}}
	for _, folder := range []string{source, out, i.root} {
		makeFolder(t, folder)
	}
	copyContext(t, source)
	stages := 0
	for _, line := range instructions(t) {
		if line.name == "FROM" {
			stages++
			if stages == 1 && !strings.Contains(line.rest, "golang:"+strings.TrimPrefix(runtime.Version(), "go")+"-") {
				t.Errorf("the image is built with %q, the tests with %s", line.rest, runtime.Version())
			}
			if stages == 2 && line.rest != "scratch" {
				t.Fatalf("the image is based on %q; the tests support only scratch", line.rest)
			}
			continue
		}
		if stages == 1 && line.name == "RUN" {
			env := []string{"TARGETOS=linux", "TARGETARCH=" + runtime.GOARCH, "VERSION=" + imageVersion}
			output(t, source, env, "sh", "-ec", strings.ReplaceAll(line.rest, "/out/", out+"/"))
		}
		if stages == 2 {
			i.apply(t, line, out)
		}
	}
	for _, folder := range []string{"proc", "dev", "tmp"} { // mount points of an engine and of the tests
		makeFolder(t, filepath.Join(i.root, folder))
	}
	return i
}

// apply applies an instruction of the last stage.
func (i *image) apply(t *testing.T, line instruction, out string) {
	t.Helper()
	switch line.name {
	case "COPY":
		i.copy(t, strings.Fields(line.rest), out)
	case "ENV":
		for pair := range strings.FieldsSeq(line.rest) {
			name, value, _ := strings.Cut(pair, "=")
			i.env[name] = value
		}
	case "WORKDIR":
		i.workdir = line.rest
	case "VOLUME":
		i.writable = line.rest
	case "USER":
		uid, gid, _ := strings.Cut(line.rest, ":")
		i.uid, i.gid = number(t, uid), number(t, gid)
	case "ENTRYPOINT":
		i.entrypoint = words(t, line.rest)
	case "CMD":
		i.command = words(t, line.rest)
	case "HEALTHCHECK":
		_, command, _ := strings.Cut(line.rest, "CMD ")
		i.healthcheck = words(t, command)
	case "EXPOSE", "STOPSIGNAL":
	default:
		t.Fatalf("the tests do not support %s", line.name)
	}
}

// copy copies from the build stage: a file that it built, or one of the
// builder's Debian.
func (i *image) copy(t *testing.T, args []string, out string) {
	t.Helper()
	for len(args) > 0 && strings.HasPrefix(args[0], "--") {
		args = args[1:]
	}
	from, to := args[0], filepath.Join(i.root, args[1])
	if built, ok := strings.CutPrefix(from, "/out/"); ok {
		from = filepath.Join(out, built)
	}
	info, err := os.Stat(from)
	if err != nil {
		t.Fatalf("COPY %v: %v", args, err)
	}
	if info.IsDir() {
		makeFolder(t, to)
		return
	}
	if err := copyFile(from, to, info.Mode()); err != nil {
		t.Fatalf("COPY %v: %v", args, err)
	}
}

// makeFolder makes a folder that the image's user can read.
func makeFolder(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil { //nolint:gosec // see above
		t.Fatal(err)
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%q is not a number, which Kubernetes' runAsNonRoot needs", text)
	}
	return n
}

func words(t *testing.T, text string) []string {
	t.Helper()
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%s is not in the exec form, and there is no shell in the image: %v", text, err)
	}
	return list
}

// copyContext copies what .dockerignore does not exclude.
func copyContext(t *testing.T, target string) {
	t.Helper()
	lines := strings.Fields(strings.Join(withoutComments(read(t, ".dockerignore")), "\n"))
	if lines[0] != "*" {
		t.Fatal(".dockerignore does not begin by leaving out everything")
	}
	for _, line := range lines {
		name, ok := strings.CutPrefix(line, "!")
		if !ok {
			continue
		}
		root := inRepository(t, name)
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.Name() == "testdata" {
				return fs.SkipDir
			}
			relative, err := filepath.Rel(root, path)
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			return copyFile(path, filepath.Join(target, name, relative), 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func copyFile(from, to string, mode fs.FileMode) error {
	content, err := os.ReadFile(from) //nolint:gosec // the test names it
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // as makeFolder
		return err
	}
	return os.WriteFile(to, content, mode) //nolint:gosec // the test names it
}

func withoutComments(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

//go:build deploy

package deploy_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var platforms = flag.String("platforms", runtime.GOOS+"/"+runtime.GOARCH, "what TestRelease builds, separated by spaces")

const releaseVersion = "v1.2.3"

// TestRelease checks that each archive has a program for its system and
// documents without dead links, that the checksums are right, that the SBOM
// lists the dependencies, and that a second build is identical.
func TestRelease(t *testing.T) {
	t.Parallel()
	first, second := t.TempDir(), t.TempDir()
	for _, folder := range []string{first, second} {
		args := append([]string{releaseVersion, folder}, strings.Fields(*platforms)...)
		output(t, repository, []string{"SOURCE_DATE_EPOCH=1700000000"}, "deploy/release.sh", args...)
	}
	sums := sumsOf(t, first)
	if again := sumsOf(t, second); !maps.Equal(sums, again) {
		t.Errorf("a second build differs: %v, %v", sums, again)
	}
	for platform := range strings.FieldsSeq(*platforms) {
		system, processor, _ := strings.Cut(platform, "/")
		name := fmt.Sprintf("chatkit-rest_%s_%s_%s", releaseVersion, system, processor)
		archive, binary := name+".tar.gz", name+"/chatkit-rest"
		if system == "windows" {
			archive, binary = name+".zip", name+"/chatkit-rest.exe"
		}
		for _, file := range []string{archive, name + ".cdx.json"} {
			content, err := os.ReadFile(filepath.Join(first, file)) //nolint:gosec // made above
			if sum := sha256.Sum256(content); err != nil || sums[file] != hex.EncodeToString(sum[:]) {
				t.Errorf("SHA256SUMS has %q for %s (%v)", sums[file], file, err)
			}
		}
		files := unpack(t, filepath.Join(first, archive))
		for _, want := range []string{binary, name + "/.env.example", name + "/README.md", name + "/openapi.yaml", name + "/docs/operating.md"} {
			if len(files[want]) == 0 {
				t.Errorf("%s has no %s", archive, want)
			}
		}
		checkLinks(t, files)
		if got := kindOf(files[binary]); got != platform {
			t.Errorf("%s is a program for %q", binary, got)
		}
		checkSBOM(t, filepath.Join(first, name+".cdx.json"))
	}
}

// checkLinks checks that the archive has the targets of the documents' links.
func checkLinks(t *testing.T, files map[string][]byte) {
	t.Helper()
	code := regexp.MustCompile("(?ms)^```.*?^```") // may look like a link
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for file, content := range files {
		if path.Ext(file) != ".md" {
			continue
		}
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(string(content), ""), -1) {
			target := path.Join(path.Dir(file), match[1])
			there := slices.ContainsFunc(slices.Collect(maps.Keys(files)), func(name string) bool {
				return name == target || strings.HasPrefix(name, target+"/")
			})
			if !there {
				t.Errorf("%s points at %s, which is not in the archive", file, match[1])
			}
		}
	}
}

// sumsOf reads SHA256SUMS, which must name every other file.
func sumsOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS")) //nolint:gosec // made by the test
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) == 2 {
			sums[fields[1]] = fields[0]
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != len(sums)+1 {
		t.Errorf("SHA256SUMS names %d files, there are %d more (%v)", len(sums), len(entries)-1, err)
	}
	return sums
}

// unpack reads an archive of either kind.
func unpack(t *testing.T, archive string) map[string][]byte {
	t.Helper()
	content, err := os.ReadFile(archive) //nolint:gosec // made by the test
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	if path.Ext(archive) == ".zip" {
		reader, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range reader.File {
			files[file.Name], err = fs.ReadFile(reader, file.Name)
			if err != nil {
				t.Fatal(err)
			}
		}
		return files
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for reader := tar.NewReader(unzipped); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if files[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}

// kindOf returns the operating system and the processor of a program.
func kindOf(program []byte) string {
	file := bytes.NewReader(program)
	if f, err := elf.NewFile(file); err == nil {
		return "linux/" + map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[f.Machine]
	}
	if f, err := macho.NewFile(file); err == nil {
		return "darwin/" + map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}[f.Cpu]
	}
	if f, err := pe.NewFile(file); err == nil {
		return "windows/" + map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64"}[f.Machine]
	}
	return ""
}

func checkSBOM(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file) //nolint:gosec // made by the test
	if err != nil {
		t.Fatal(err)
	}
	var sbom struct {
		Format   string `json:"bomFormat"`
		Metadata struct {
			Component struct {
				Version string `json:"version"`
			} `json:"component"`
		} `json:"metadata"`
		Components []struct {
			Name string `json:"name"`
		} `json:"components"`
	}
	if err := json.Unmarshal(content, &sbom); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var names []string
	for _, component := range sbom.Components {
		names = append(names, component.Name)
	}
	if sbom.Format != "CycloneDX" || sbom.Metadata.Component.Version != releaseVersion {
		t.Errorf("%s: %s of %s", file, sbom.Format, sbom.Metadata.Component.Version)
	}
	for _, name := range []string{"std", "github.com/gin-gonic/gin", "gorm.io/gorm", "modernc.org/sqlite"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s does not list %s", file, name)
		}
	}
}

package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// MCPServer is a server of the file that MCP_SERVERS names. It has either a Command
// or a URL.
type MCPServer struct {
	Name string

	Command string
	Args    []Secret
	Env     map[string]Secret
	Folder  string // empty: the server's own working folder

	URL     Secret
	Headers map[string]Secret

	Tools      []string // the tools that the model may call; nil: all
	Timeout    time.Duration
	SendUserID bool
	// StartTimeout bounds the time from the start until the tools are listed.
	StartTimeout time.Duration
	// Secrets are values whose names say that they are secret. Hidden are other
	// values, which may be secret.
	Secrets, Hidden []Secret
}

const (
	maxMCPFileBytes   = 1 << 20
	defaultMCPTimeout = 30 * time.Second
	// defaultMCPStart allows a package runner to download its package.
	defaultMCPStart = 2 * time.Minute
	maxMCPTimeout   = 10 * time.Minute
	mcpForm         = `write {"mcpServers": {"name": {"command": "…", "args": […]}, "other": {"url": "https://…"}}}`
)

// mcpServers reads the file that the setting names.
func (l *loader) mcpServers(name string) []MCPServer {
	path := l.value(name)
	if path == "" {
		return nil
	}
	content, err := os.ReadFile(path) //nolint:gosec // the operator's own path
	if err != nil {
		l.fault(name, "names "+l.quote(path)+", which cannot be read: "+reason(err), "give the path of a JSON file")
		return nil
	}
	if len(content) > maxMCPFileBytes {
		l.fault(name, fmt.Sprintf("names a file of %d bytes", len(content)), fmt.Sprintf("at most %d are read", maxMCPFileBytes))
		return nil
	}
	var file struct {
		Servers map[string]json.RawMessage `json:"mcpServers"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		l.fault(name, fmt.Sprintf("names a file that is not JSON of the expected form, from line %d on", lineOf(content, err)), mcpForm)
		return nil
	}
	if file.Servers == nil {
		l.fault(name, "names a file without mcpServers", mcpForm)
		return nil
	}
	var servers []MCPServer
	for _, each := range slices.Sorted(maps.Keys(file.Servers)) {
		r := mcpReader{l: l, setting: name, server: MCPServer{Name: each, Timeout: defaultMCPTimeout, StartTimeout: defaultMCPStart}}
		if r.read(file.Servers[each]) {
			servers = append(servers, r.server)
		}
	}
	return servers
}

// reason returns the text of a file error without the path.
func reason(err error) string {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err.Error()
	}
	return err.Error()
}

// lineOf returns the number of the line, from 1, of an error in JSON.
func lineOf(content []byte, err error) int {
	offset := int64(0)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	} else if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = kind.Offset
	}
	return 1 + bytes.Count(content[:min(int(offset), len(content))], []byte("\n"))
}

// mcpReader reads one server and reports its faults by server and field.
type mcpReader struct {
	l       *loader
	setting string
	server  MCPServer
	kind    string // the field type; empty: not set
}

func (r *mcpReader) fault(field, problem, fix string) {
	where := "server " + r.l.quote(r.server.Name)
	if field != "" {
		where += ", " + r.l.quote(field) + ":"
	}
	r.l.fault(r.setting, where+" "+problem, fix)
}

var mcpName = regexp.MustCompile(`^[A-Za-z0-9-]+(_[A-Za-z0-9-]+)*$`)

const maxMCPName = 32

// read reads a server. It returns false if the server is disabled.
func (r *mcpReader) read(content json.RawMessage) bool {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(content, &fields); err != nil || fields == nil {
		r.fault("", "is not a JSON object", mcpForm)
		return true
	}
	if off, ok := fields["disabled"]; ok && r.boolean("disabled", off) {
		return false
	}
	if !mcpName.MatchString(r.server.Name) || len(r.server.Name) > maxMCPName {
		r.fault("", "has a name that model services would not accept",
			fmt.Sprintf("use up to %d letters, digits and -, and single _ between them", maxMCPName))
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		r.field(field, fields[field])
	}
	r.checkKind(fields)
	return true
}

const mcpFields = "command, args, env, cwd, url, headers, type, disabled, allowedTools, timeout, startTimeout, sendUserId"

func (r *mcpReader) field(field string, value json.RawMessage) {
	s := &r.server
	switch field {
	case "command":
		s.Command = r.text(field, value)
	case "args":
		for _, arg := range r.texts(field, value) {
			s.Args = append(s.Args, NewSecret(arg))
		}
	case "env":
		s.Env = r.pairs(field, value)
	case "cwd":
		s.Folder = r.text(field, value)
	case "url":
		s.URL = NewSecret(r.text(field, value))
	case "headers":
		s.Headers = r.pairs(field, value)
	case "type":
		r.kind = r.text(field, value)
	case "disabled": // read already
	case "allowedTools":
		s.Tools = append([]string{}, r.texts(field, value)...)
	case "timeout":
		s.Timeout = r.duration(field, value, "a call", defaultMCPTimeout)
	case "startTimeout":
		s.StartTimeout = r.duration(field, value, "a start", defaultMCPStart)
	case "sendUserId":
		s.SendUserID = r.boolean(field, value)
	default:
		r.fault(field, "is not a known field", "use "+mcpFields)
	}
}

// checkKind checks that there is either a command or a URL, and that the other
// fields belong to it.
func (r *mcpReader) checkKind(fields map[string]json.RawMessage) {
	_, command := fields["command"]
	_, address := fields["url"]
	switch {
	case command == address:
		r.fault("", "needs a command or a url, and not both", mcpForm)
		return
	case command && r.server.Command == "":
		r.fault("command", "is empty", "name the program to run")
	case address:
		r.checkURL()
	}
	ours, others := []string{"stdio"}, []string{"url", "headers"}
	if address {
		ours, others = []string{"http", "streamable-http", "streamableHttp"}, []string{"command", "args", "env", "cwd"}
	}
	for _, field := range others {
		if _, ok := fields[field]; ok {
			r.fault(field, "does not belong to this kind of server", "remove it")
		}
	}
	if r.kind != "" && !slices.Contains(ours, r.kind) {
		r.fault("type", "does not agree with the other fields: a command is stdio, a url is http (the older sse is not supported)",
			"remove it, or write "+ours[0])
	}
}

// duration reads a timeout. what names the operation in the fault.
func (r *mcpReader) duration(field string, value json.RawMessage, what string, otherwise time.Duration) time.Duration {
	var text string
	if json.Unmarshal(value, &text) == nil {
		if d, err := time.ParseDuration(text); err == nil && d >= time.Millisecond && d <= maxMCPTimeout {
			return d
		}
	}
	r.fault(field, "is not a valid time for "+what, `write a time from 1ms to 10m with its unit, as text, such as "30s"`)
	return otherwise
}

func (r *mcpReader) boolean(field string, value json.RawMessage) bool {
	switch strings.TrimSpace(string(value)) {
	case "true":
		return true
	case "false":
		return false
	default:
		r.fault(field, "is neither true nor false", "write one of them, without quotes")
		return false
	}
}

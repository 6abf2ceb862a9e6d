package config

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

const (
	attachmentsHint = "use file:///data/attachments for a folder, or s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1"
	// maxAttachmentBytes bounds ATTACHMENT_MAX_BYTES: a file is in memory during a
	// request to the model.
	maxAttachmentBytes = 100 << 20
	// maxUserBytes is 1 TiB: a create sums up the files of its user.
	maxUserBytes = 1 << 40
	maxTypes     = 100
	defaultTypes = "image/png,image/jpeg,image/webp,image/gif,text/plain,text/markdown,text/csv,application/json"
)

// Attachments says which files are accepted and where they are stored. The
// zero value accepts none.
type Attachments struct {
	// Folder is the path of a folder on disk, relative or absolute.
	Folder string
	// Bucket, Prefix, Endpoint, Region and the keys describe an S3-compatible store.
	Bucket    string
	Prefix    string
	Endpoint  string // empty: Amazon's
	Region    string // empty: the store is asked
	AccessKey Secret // not set: the machine's role
	SecretKey Secret

	MaxBytes int
	// UserBytes is the maximum total size of a user's files; 0 is no limit.
	UserBytes int
	Types     []string // each once
}

// IsSet reports whether files are accepted.
func (a Attachments) IsSet() bool { return a.Folder != "" || a.Bucket != "" }

func (l *loader) attachments() Attachments {
	var a Attachments

	l.attachmentsURL("ATTACHMENTS_URL", &a)

	a.MaxBytes = l.number("ATTACHMENT_MAX_BYTES", 1, maxAttachmentBytes)
	a.UserBytes = l.number("ATTACHMENT_MAX_BYTES_PER_USER", 0, maxUserBytes)
	a.Types = l.attachmentTypes("ATTACHMENT_TYPES")
	a.AccessKey = l.storeKey("AWS_ACCESS_KEY_ID")
	a.SecretKey = l.storeKey("AWS_SECRET_ACCESS_KEY")

	if a.UserBytes > 0 && a.UserBytes < a.MaxBytes {
		l.fault("ATTACHMENT_MAX_BYTES_PER_USER", "is less than ATTACHMENT_MAX_BYTES", "set it to at least ATTACHMENT_MAX_BYTES, or to 0 for no limit")
	}

	if a.Bucket != "" && a.AccessKey.IsSet() != a.SecretKey.IsSet() {
		name, other := "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
		if a.AccessKey.IsSet() {
			name, other = other, name
		}

		l.fault(name, "is not set, and "+other+" is", "set both, or neither to use the machine's role")
	}

	return a
}

func (l *loader) storeKey(name string) Secret {
	value := l.value(name)
	if strings.ContainsFunc(value, notPrintable) {
		l.fault(name, "has white space or a character that is not valid in a key", "copy the key again")
	}

	return NewSecret(value)
}

func (l *loader) attachmentsURL(name string, a *Attachments) {
	value := l.value(name)
	scheme, rest, _ := strings.Cut(value, "://")

	problem, fix := "", ""

	switch strings.ToLower(scheme) {
	case "":
	case "file":
		a.Folder, problem, fix = parseFolder(rest)
	case "s3":
		problem, fix = parseBucket(value, a)
	default:
		problem, fix = "is not a file:// or s3:// URL", attachmentsHint
	}

	if problem != "" {
		l.fault(name, problem, fix)
	}
}

// parseFolder parses what follows "file://". As with sqlite://, the next slash
// only ends the (empty) host: file:///data is the relative path data, and
// file:////data is the absolute path /data.
func parseFolder(rest string) (folder, problem, fix string) {
	path, ok := strings.CutPrefix(rest, "/")

	switch {
	case !ok && rest != "":
		return "", "has two slashes after file:, which makes the path a host", attachmentsHint
	case strings.Trim(path, "/.") == "":
		return "", "names no folder", attachmentsHint
	case strings.ContainsAny(path, "?#") || strings.ContainsFunc(path, unicode.IsControl):
		return "", "has a ? or # or a control character in the path", "name another folder"
	}

	return path, "", ""
}

func parseBucket(value string, a *Attachments) (problem, fix string) {
	u, err := url.Parse(value)
	if err != nil || u.Fragment != "" {
		return "cannot be read as a URL", attachmentsHint
	}

	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "has parameters that cannot be read", attachmentsHint
	}

	for parameter, values := range query {
		if !slices.Contains([]string{"endpoint", "region"}, parameter) || len(values) != 1 {
			return "has a parameter that is not endpoint or region, or one twice", attachmentsHint
		}
	}

	endpoint := query.Get("endpoint")

	switch {
	case u.User != nil:
		return "has a user or key", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead"
	case u.Host == "" || strings.ContainsAny(u.Host, ":_"):
		return "names no bucket", attachmentsHint
	case strings.Contains(u.Path, "//") || strings.Contains(u.Path, ".."):
		return "has a path that is not valid as a prefix of keys", attachmentsHint
	case endpoint != "" && !isEndpoint(endpoint):
		return "has an endpoint that is not http:// or https://, a host and perhaps a port", attachmentsHint
	}

	a.Bucket, a.Prefix, a.Region = u.Host, strings.Trim(u.Path, "/"), query.Get("region")
	a.Endpoint = strings.TrimRight(endpoint, "/")

	return "", ""
}

func isEndpoint(value string) bool {
	at, err := url.Parse(value)

	return err == nil && isWebScheme(at.Scheme) && validHostPort(at) && at.User == nil &&
		strings.Trim(at.Path, "/") == "" && at.RawQuery == "" && at.Fragment == ""
}

// attachmentTypes reads a list of media types. It rejects images that models do
// not accept. It accepts types that a browser would run, such as text/html: such
// a file is served as a download, in a sandbox.
func (l *loader) attachmentTypes(name string) []string {
	entries, ok := splitList(l.value(name))
	if !ok || len(entries) == 0 || len(entries) > maxTypes {
		l.fault(name, "is not a list of types", `use a comma-separated list or a JSON array, such as image/png, text/plain`)

		return nil
	}

	var types []string

	for _, entry := range entries {
		mediaType := strings.ToLower(entry)
		family, kind, _ := strings.Cut(mediaType, "/")

		switch {
		case family == "" || kind == "" || strings.ContainsFunc(mediaType, notTypeRune) || strings.Contains(kind, "/"):
			l.fault(name, "has the value "+l.quote(entry)+", not a media type", "use types such as image/png, each by itself")
		case family == "image" && !slices.Contains([]string{"png", "jpeg", "webp", "gif"}, kind):
			l.fault(name, "has the value "+l.quote(entry), "use image/png, image/jpeg, image/webp and image/gif alone: models accept no others")
		case slices.Contains(types, mediaType):
			l.fault(name, "names "+l.quote(entry)+" twice", "list each type once")
		default:
			types = append(types, mediaType)
		}
	}

	return types
}

func notTypeRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("/.+-_!#$&^", r)
}

// attachmentSettings returns the settings of attachments, for All.
func attachmentSettings() []Setting {
	return []Setting{
		{Name: "ATTACHMENTS_URL", Meaning: "Where the files of messages are stored: `file:///data/attachments` (relative to the working folder; " +
			"four slashes, `file:////var/lib/chatkit`, for an absolute path), or `s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1` " +
			"(any S3-compatible store; without endpoint, Amazon's). Unset: files are not accepted."},
		{Name: "ATTACHMENT_MAX_BYTES", Default: "10485760", Meaning: "Maximum size of a file, in bytes."},
		{Name: "ATTACHMENT_MAX_BYTES_PER_USER", Default: "1073741824", Meaning: "Maximum total size of a user's files, including those of messages, in bytes. " +
			"A file counts as at least 4 KiB. 0: no limit."},
		{Name: "ATTACHMENT_TYPES", Default: defaultTypes, Meaning: "Accepted types of files: a comma-separated list or a JSON array. The model receives images and texts (`text/…`, JSON); " +
			"of files of other types, only the name."},
		{Name: "AWS_ACCESS_KEY_ID", Meaning: "Access key of the S3-compatible store. Unset: the machine's role is used."},
		{Name: "AWS_SECRET_ACCESS_KEY", Secret: true, Meaning: "The secret key that belongs to AWS_ACCESS_KEY_ID."},
	}
}

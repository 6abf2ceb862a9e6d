package server

import (
	"strconv"
	"strings"
)

// DocumentValues are the settings that the served document states.
type DocumentValues struct {
	// ServerURL is where clients reach this server.
	ServerURL       string
	MessageChars    int
	SessionsPerUser int
	// RequestsPerMinute is 0 when there is no limit.
	RequestsPerMinute int
	// Models are those that clients may choose, the default first.
	Models []string
	// AttachmentTypes are the media types of files that are accepted, each of up to
	// AttachmentBytes; none where no files are stored.
	AttachmentTypes []string
	AttachmentBytes int
}

// fill replaces the defaults in the source by the values, and the sentences about
// models and files by those that hold for this server.
func (v DocumentValues) fill(source []byte) string {
	chars := strconv.Itoa(v.MessageChars)
	requests := "any number of requests"
	if v.RequestsPerMinute > 0 {
		requests = strconv.Itoa(v.RequestsPerMinute) + " requests"
	}
	places := []string{
		"- url: http://127.0.0.1:8080", "- url: " + strconv.Quote(v.ServerURL),
		"500 characters", chars + " characters",
		"maxLength: 500", "maxLength: " + chars,
		"10 sessions", strconv.Itoa(v.SessionsPerUser) + " sessions",
		"30 requests", requests,
		"example: 30\n", "example: " + strconv.Itoa(v.RequestsPerMinute) + "\n",
	}
	places = append(places, v.models()...)
	places = append(places, v.attachments()...)
	return strings.NewReplacer(places...).Replace(string(source))
}

// fieldIndent is the indentation of a property's keywords.
const fieldIndent = "          "

// models returns the replacements for the models, as pairs of an old and a new
// text. It writes no `default`: a generated client would send it, and would be
// refused once the operator changes it.
func (v DocumentValues) models() []string {
	const (
		absent       = "description: One of the models that this server offers. If absent, the server's default model answers.\n"
		absentOrNull = "description: One of the models that this server offers. If absent or null, the server's default model answers.\n"
	)
	if len(v.Models) == 0 {
		return nil
	}
	first := "`" + v.Models[0] + "`"
	if len(v.Models) == 1 {
		one := "description: " + strconv.Quote("This server offers no choice of models: "+first+" answers, and any other is rejected.") + "\n"
		// No enum: a generated client would be typed to this one model.
		return []string{absent, one, absentOrNull, one}
	}
	described := func(without string) string {
		return "description: " + strconv.Quote("One of the models that this server offers. If "+without+", "+first+" answers.") + "\n"
	}
	return []string{
		absent, described("absent") + enum(v.Models),
		// OpenAPI 3.0.3 wants null listed, although the field is nullable.
		absentOrNull, described("absent or null") + enum(v.Models, "null"),
	}
}

// attachments returns the replacements for the files, as pairs of an old and a
// new text.
func (v DocumentValues) attachments() []string {
	const (
		noFiles  = "A server that does not accept files returns 404 `NOT_SUPPORTED`."
		size     = "description: The exact number of bytes.\n"
		mimeType = "description: A media type that this server accepts.\n"
	)
	if len(v.AttachmentTypes) == 0 {
		return []string{noFiles, "This server does not accept files and returns 404 `NOT_SUPPORTED`."}
	}
	most := strconv.Itoa(v.AttachmentBytes)
	return []string{
		noFiles, "This server accepts files of " + most + " bytes or fewer.",
		size, size + fieldIndent + "maximum: " + most + "\n",
		mimeType, mimeType + enum(v.AttachmentTypes),
	}
}

// enum writes the keyword with texts, then other values.
func enum(texts []string, others ...string) string {
	values := make([]string, 0, len(texts)+len(others))
	for _, text := range texts {
		values = append(values, strconv.Quote(text))
	}
	return fieldIndent + "enum: [" + strings.Join(append(values, others...), ", ") + "]\n"
}

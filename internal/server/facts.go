package server

import (
	"strconv"
	"strings"
)

// Facts are the settings that the document tells of.
type Facts struct {
	// ServerURL is where clients reach this server.
	ServerURL       string
	MessageChars    int
	SessionsPerUser int
	// RequestsPerMinute is 0 when there is no limit.
	RequestsPerMinute int
	// Models are those that clients may pick, the one that answers when they
	// pick none first.
	Models []string
	// AttachmentTypes are the types of files that are taken, each of up to
	// AttachmentBytes; none where no files are kept.
	AttachmentTypes []string
	AttachmentBytes int
}

// fill puts the values in the places where the source tells the defaults, or
// that there are such values.
func (f Facts) fill(source []byte) string {
	chars := strconv.Itoa(f.MessageChars)
	requests := "any number of requests"
	if f.RequestsPerMinute > 0 {
		requests = strconv.Itoa(f.RequestsPerMinute) + " requests"
	}
	places := []string{
		"- url: http://127.0.0.1:8080", "- url: " + strconv.Quote(f.ServerURL),
		"500 characters", chars + " characters",
		"maxLength: 500", "maxLength: " + chars,
		"10 sessions", strconv.Itoa(f.SessionsPerUser) + " sessions",
		"30 requests", requests,
		"example: 30\n", "example: " + strconv.Itoa(f.RequestsPerMinute) + "\n",
	}
	places = append(places, f.models()...)
	places = append(places, f.attachments()...)
	return strings.NewReplacer(places...).Replace(string(source))
}

// fieldIndent is how deep a property's keywords stand.
const fieldIndent = "          "

// models has no `default`: a client that is made from the document would send
// it, and be refused once the operator changes it.
func (f Facts) models() []string {
	const absent, absentOrNull = "absent is its own choice.\n", "absent or null is its own choice.\n"
	const offers = "description: One of the models this server offers; "
	if len(f.Models) == 0 {
		return nil
	}
	first := "`" + f.Models[0] + "`"
	if len(f.Models) == 1 {
		one := "description: " + strconv.Quote("This server offers no choice of models: "+first+" answers, and no other is taken.") + "\n"
		return []string{offers + absent, one + enum(f.Models), offers + absentOrNull, one + enum(f.Models, "null")}
	}
	told := func(when string) string {
		return "description: " + strconv.Quote("One of the models this server offers; "+when+" is "+first+".") + "\n"
	}
	return []string{
		offers + absent, told("absent") + enum(f.Models),
		// OpenAPI 3.0.3 wants null listed, although the field is nullable.
		offers + absentOrNull, told("absent or null") + enum(f.Models, "null"),
	}
}

func (f Facts) attachments() []string {
	const (
		kept  = "A server that keeps no files answers 404 `NOT_SUPPORTED`."
		size  = "description: The exact number of bytes.\n"
		takes = "description: A type that this server takes.\n"
	)
	if len(f.AttachmentTypes) == 0 {
		return []string{kept, "This server keeps no files; it answers 404 `NOT_SUPPORTED`."}
	}
	most := strconv.Itoa(f.AttachmentBytes)
	return []string{
		kept, "This server takes files of " + most + " bytes or fewer.",
		size, size + fieldIndent + "maximum: " + most + "\n",
		takes, takes + enum(f.AttachmentTypes),
	}
}

// enum is the keyword with texts, and after them what is no text.
func enum(texts []string, others ...string) string {
	values := make([]string, 0, len(texts)+len(others))
	for _, text := range texts {
		values = append(values, strconv.Quote(text))
	}
	return fieldIndent + "enum: [" + strings.Join(append(values, others...), ", ") + "]\n"
}

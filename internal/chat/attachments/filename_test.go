package attachments

import "testing"

func TestCleanFileName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"report.pdf":                 "report.pdf",
		"  a file.txt ":              "a file.txt",
		"../../etc/passwd":           "passwd",
		`C:\Users\alice\notes.txt`:   "notes.txt",
		`..\..\mixed/of both.txt`:    "of both.txt",
		"/absolute.txt":              "absolute.txt",
		"folder/":                    "folder",
		"invoice\u202efdp.exe":       "invoicefdp.exe",
		"\u2066a\u2069\u200f.txt":    "a.txt",
		"a\x00b\r\nc\t\x7f\u0085.go": "abc.go",
		"line\u2028.txt":             "line.txt",
		"hidden\ufeff\u00ad.txt":     "hidden.txt",
		"👩\u200d🚀.png":               "👩\u200d🚀.png",
		"می\u200cخواهم.txt":          "می\u200cخواهم.txt",
		".gitignore":                 ".gitignore",
		"notes ✓ \"quoted\".txt":     "notes ✓ \"quoted\".txt",
		"":                           "",
		"..":                         "",
		"./":                         "",
		"\u202e":                     "",
		" \u200d ":                   "",
	} {
		if got := cleanFileName(name); got != want {
			t.Errorf("%q is cleaned to %q, want %q", name, got, want)
		}
	}
}

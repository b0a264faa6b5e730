package api

import (
	"mime"
	"strings"
	"testing"
)

func TestAttachment(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain.pdf", "Żółw.pdf", "শংসাপত্র.pdf", `a"b\c.pdf`, "a%20b;c.pdf", "it's (1).pdf", "😀.pdf"} {
		value := attachmentDisposition(name)
		kind, parameters, err := mime.ParseMediaType(value)
		if err != nil || kind != "attachment" || parameters["filename"] != name {
			t.Errorf("%s: %s reads as %v, %v", name, value, parameters, err)
		}
		if !strings.Contains(value, `; filename="`) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s: %s is nothing for old clients", name, value)
		}
	}
}

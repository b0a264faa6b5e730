// Package mail makes mails of templates and hands them to a mail server.
package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/vault"
)

// TemplateData is what a template can say. Fields that do not fit a kind of mail are
// empty in it.
type TemplateData struct {
	vault.Content // what the certificate says

	Institution string
	Reference   string
	Share       string // address of the view-and-share page
	Verify      string // address of the verification page
	Account     string // address of "my certificates", where one can sign up
	SignIn      string // the link that proves an address; it serves once
	Minutes     int    // for how long that link serves
	Confirm     string // the link that makes an application count; it serves once
	Hours       int    // for how long that link serves
	Old         string // reference ID of the certificate that this one takes the place of
	Reason      string // why a certificate was revoked, or an application rejected
	Text        string // what a visitor wrote, of several lines
	From        string // address that a visitor gave
	Count       int    // how many applications wait, in a mail to staff
}

// Clean returns the letter with texts that keep to their place: of one line, and
// without the characters that turn the direction of what follows them.
func (l TemplateData) Clean() TemplateData {
	for _, field := range []*string{&l.Institution, &l.Reference, &l.Old, &l.Reason, &l.From} {
		*field = OneLine(*field)
	}
	for _, f := range vault.Fields() {
		clean := OneLine
		if f.Kind == vault.LinesField {
			clean = oneLineEach
		}
		f.Set(&l.Content, clean(f.Get(l.Content)))
	}
	l.Text = oneLineEach(l.Text)
	return l
}

// oneLineEach is OneLine for each line of a text.
func oneLineEach(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = OneLine(lines[i])
	}
	return strings.Join(lines, "\n")
}

// OneLine is a text fit for a header or a line.
func OneLine(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// SampleData is a letter with which templates are tried out.
func SampleData(institution, base string) TemplateData {
	base = strings.TrimRight(base, "/")
	var content vault.Content
	for _, f := range vault.Fields() {
		f.Set(&content, f.Sample)
	}
	content.Name, content.Title, content.IssueDate = "Zoë Müller", "Certificate of Achievement", "2026-06-01"
	return TemplateData{
		Institution: institution, Content: content, Reference: "VEC-IC-202567DAE48425BAD",
		Share: base + "/c/abcdefghijklmnopqrstuvwxyz234567", Verify: base + "/v/VEC-IC-202567DAE48425BAD",
		Account: base + "/me", SignIn: base + "/sign-in/abcdefghijklmnopqrstuvwxyz234567", Minutes: 30,
		Confirm: base + "/apply/confirm/abcdefghijklmnopqrstuvwxyz234567", Hours: 24,
		Old: "VEC-IC-2025000000000000A", Reason: "issued in error",
		Text: "My name is spelt Zoë.\nThank you!", From: "zoe@example.org", Count: 3,
	}
}

// Package mail makes mails of templates and hands them to a mail server.
package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// TemplateData is what a template can say. Fields that do not fit a kind of mail are
// empty in it.
type TemplateData struct {
	Institution string
	Name        string // the recipient's
	Title       string // the certificate's
	Reference   string
	IssueDate   string // YYYY-MM-DD
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
	for _, field := range []*string{&l.Institution, &l.Name, &l.Title, &l.Reference, &l.IssueDate, &l.Old, &l.Reason, &l.From} {
		*field = OneLine(*field)
	}
	lines := strings.Split(strings.ReplaceAll(l.Text, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = OneLine(lines[i])
	}
	l.Text = strings.Join(lines, "\n")
	return l
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
	return TemplateData{
		Institution: institution, Name: "Zoë Müller", Title: "Certificate of Achievement",
		Reference: "VEC-IC-202567DAE48425BAD", IssueDate: "2026-06-01",
		Share: base + "/c/abcdefghijklmnopqrstuvwxyz234567", Verify: base + "/v/VEC-IC-202567DAE48425BAD",
		Account: base + "/me", SignIn: base + "/sign-in/abcdefghijklmnopqrstuvwxyz234567", Minutes: 30,
		Confirm: base + "/apply/confirm/abcdefghijklmnopqrstuvwxyz234567", Hours: 24,
		Old: "VEC-IC-2025000000000000A", Reason: "issued in error",
		Text: "My name is spelt Zoë.\nThank you!", From: "zoe@example.org", Count: 3,
	}
}

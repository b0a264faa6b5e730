package vault

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Limits of the guide's request fields (step 4), in Unicode characters after
// trimming, and of a file, in bytes.
const (
	MaxTitle   = 255
	MaxName    = 255
	MaxEmail   = 255
	MaxDetails = 1000
	MaxFile    = 20 * 1024 * 1024
)

// Trigger says which way a certificate came in or was worked on again; it is
// the trigger_context of events.
type Trigger string

// The triggers that exist.
const (
	SingleUpload       Trigger = "single_upload"
	BulkUpload         Trigger = "bulk_upload"
	DropFolder         Trigger = "drop_folder"
	CustomerSubmission Trigger = "customer_submission"
	ByRetry            Trigger = "retry"
	ByAdmin            Trigger = "admin"
)

// File is the document as it was submitted. Its bytes lie in the blob store
// under SHA256.
type File struct {
	Name   string `json:"name"`
	Format string `json:"format"` // "pdf", "jpeg" or "png"
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // lower-case hexadecimal
	// HashState is SHA-256's running state after the last byte, so that signing
	// need not read the document again. It is dropped on approval.
	HashState []byte `json:"hash_state,omitempty"`
	// Origin is, of a document that was made of a template, what it was made of: a
	// hash of the template and of the row's values but for the date. Two documents
	// of one origin and date say the same, whatever version made them.
	Origin string `json:"origin,omitempty"`
}

// Placement is where a document's code goes; the zero value is the usual place.
type Placement struct {
	Page     int     `json:"page,omitempty"` // from 1; 0 is the first, LastPage the last one
	At       string  `json:"at,omitempty"`   // a corner such as "top-left", "auto", or "X,Y" in millimetres
	SizeMM   float64 `json:"size_mm,omitempty"`
	MarginMM float64 `json:"margin_mm,omitempty"`
}

// LastPage stands for the number of a document's last page.
const LastPage = -1

// Or fills in what is left open from another placement.
func (p Placement) Or(other Placement) Placement {
	return Placement{
		Page: cmp.Or(p.Page, other.Page), At: cmp.Or(p.At, other.At),
		SizeMM: cmp.Or(p.SizeMM, other.SizeMM), MarginMM: cmp.Or(p.MarginMM, other.MarginMM),
	}
}

// Draft is a certificate that is about to be accepted.
type Draft struct {
	Content
	// Person is set where another person's certificate has the same address, title and
	// issue date already, and the institution lets people share addresses: see PersonOf.
	Person string
	// Undated is true when the issue date was not given and the current date
	// stands in for it. Such a row of a manifest keeps that date for good.
	Undated bool
	File    File
	Batch   string
	Trigger Trigger
	// ScanBack asks for the code to be read back from the drawn page before the
	// certificate is approved.
	ScanBack  bool
	Placement Placement
}

// Clean returns the draft with its texts in the form in which they are kept.
func (d Draft) Clean() Draft {
	d.Content = d.Content.cleaned()
	return d
}

// Validate checks the fields of a clean draft. The error's fields are named as
// in the guide's request.
func (d Draft) Validate() error {
	bad := d.textProblems()
	if _, err := ParseDate(string(d.IssueDate)); err != nil {
		bad = append(bad, fault.Field{Name: fields[FieldIssueDate].Key,
			Message: "The issue date field must match the format YYYY-MM-DD."})
	}
	if problem := d.expiryProblem(); problem != "" {
		bad = append(bad, fault.Field{Name: fields[FieldExpiryDate].Key, Message: problem})
	}
	if d.File.SHA256 == "" {
		bad = append(bad, fault.Field{Name: "certificate_file", Message: "The certificate file field is required."})
	}
	return fault.InvalidFields(bad)
}

func checkText(label, value string, required bool, limit int, unfit func(rune) bool) string {
	switch {
	case value == "" && required:
		return fmt.Sprintf("The %s field is required.", label)
	case !utf8.ValidString(value):
		return fmt.Sprintf("The %s field must be valid UTF-8 text.", label)
	case utf8.RuneCountInString(value) > limit:
		return fmt.Sprintf("The %s field must not be greater than %d characters.", label, limit)
	case strings.ContainsFunc(value, unfit):
		return fmt.Sprintf("The %s field must not contain control characters.", label)
	}
	return ""
}

// unfitForLine reports whether a character may not stand in a text of one line, such as a name
// or a title.
func unfitForLine(r rune) bool { return unicode.IsControl(r) || DirectionControl(r) }

// DirectionControl reports whether a character is one of those that cannot be seen and that change the order in
// which the characters around it are shown (Unicode, UAX #9: marks, embeddings, overrides and isolates). With one
// of them a name reads as another than the one that is searched, compared and signed.
func DirectionControl(r rune) bool {
	return r == '\u061c' || r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// ForbiddenRune reports whether a character may not stand in a text of several lines, such
// as the details: control characters but tab and line ends.
func ForbiddenRune(r rune) bool {
	return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
}

// ValidEmail reports whether an address is one that mail can be sent to: a local
// part and a domain with nothing around them, without invisible characters, and
// within the lengths of RFC 5321, section 4.5.3.1, and RFC 1035, section 2.3.4.
func ValidEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || strings.ContainsFunc(s, invisible) {
		return false
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], s[at+1:]
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.ContainsFunc(label, notInDomain) {
			return false
		}
	}
	return len(local) <= 64 && strings.Contains(domain, ".")
}

func invisible(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }

func notInDomain(r rune) bool {
	return r != '-' && !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Number)
}

// DuplicateMessage is the guide's, for a key that is held already.
const DuplicateMessage = "A vault certificate with this email, title, and issue date already exists"

// Key is what may exist only once in an institution: address, title and issue
// date, folded (guide, "Duplicate Prevention").
type Key [sha256.Size]byte

// Key returns the uniqueness key of what a draft says.
func (c Content) Key() Key { return keyOf(c.Email, c.Title, string(c.IssueDate)) }

// Key returns the uniqueness key of the draft.
func (d Draft) Key() Key { return d.keyAs(d.Person) }

// FreezeKey identifies a manifest row that has no issue date: the same person,
// title and document. The date that was put in for it is found under this key,
// so that a run after midnight does not issue a second certificate. A document
// that is made of a template shows the date: what it is made of stands for it.
func (d Draft) FreezeKey() Key {
	return keyOf(d.Email, d.Title, "file "+cmp.Or(d.File.Origin, d.File.SHA256))
}

// keyOf trims less than Clean does: a certificate of an earlier day, whose title has
// marks around it that are not seen, keeps the key that it has.
func keyOf(email, title, last string) Key {
	return sha256.Sum256([]byte(FoldEmail(email) + "\x00" + norm.NFC.String(strings.TrimSpace(title)) + "\x00" + last))
}

// String is the key in hexadecimal.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

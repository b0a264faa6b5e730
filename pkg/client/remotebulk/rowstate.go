package remotebulk

import (
	"fmt"
	"strings"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// stage says how much is known about a row.
type stage uint8

const (
	unsent    stage = iota // nothing is known of it on the vault
	inDoubt                // a call with it got no answer
	accepted               // a call with it was accepted; it must appear
	duplicate              // the vault says that it exists; it must appear
	found                  // the vault lists it
	rejected               // it is not issued, and text says why
)

// rowState is what is known about a row.
type rowState struct {
	stage
	sent      bool // in this run
	suspect   bool // it was in a call that was refused for a duplicate, and not named
	existed   bool // a call with it was refused, and it may be the row that exists
	refusals  int  // how many calls with it were refused for other entries
	lostFiles int  // how many times the vault had lost its file
	cert      *client.Certificate
	text      string // why it was rejected, or what keeps it from being told apart
}

// isOpen reports whether the row is still to be sent.
func (s *rowState) isOpen() bool { return s.stage == unsent || s.stage == inDoubt }

// mustAppear reports whether the vault has the row and does not list it yet.
func (s *rowState) mustAppear() bool { return s.stage == accepted || s.stage == duplicate }

// isMoving reports whether the row's certificate is not finished.
func (s *rowState) isMoving() bool {
	return s.stage == found && s.cert.Status.Is(vault.Processing, vault.Pending, vault.InReview)
}

// Texts about rows whose certificates the vault does not list.
const (
	notListedYet   = "the vault accepted it and does not list it yet; run the same command again to fetch it"
	existsUnlisted = "the vault says that it exists and does not list it; run the same command again to fetch it"
	notSent        = "not sent; run the same command again"
)

// outcome returns the result of a row. before has the certificates that the vault listed
// before anything was sent.
func (c *Uploader) outcome(i int) Outcome {
	s := &c.state[i]
	switch s.stage {
	case rejected:
		return Outcome{Status: client.RowRejected, Certificate: s.cert, Error: s.text}
	case accepted:
		return Outcome{Status: client.RowProcessing, Error: c.unlisted(s, notListedYet), Others: c.others(i)}
	case duplicate:
		if s.text != "" {
			return Outcome{Status: client.RowFailed, Error: s.text}
		}
		return Outcome{Status: client.RowProcessing, Error: c.unlisted(s, existsUnlisted)}
	case unsent, inDoubt:
		o := Outcome{Status: client.RowNotIssued}
		switch {
		case s.stage == inDoubt && c.cause != nil:
			o.Error = "it is not known whether the vault took it; run the same command again: " + messageOf(c.cause)
		case c.cause != nil:
			o.Error = "not sent: " + messageOf(c.cause)
		case !c.isBlocked():
			o.Error = notSent
		}
		return o
	case found:
	}
	o := Outcome{Status: client.RowUnchanged, Certificate: s.cert}
	if s.sent && !c.vault.before[s.cert.UUID] && !(c.Fresh && s.existed) {
		o.Status = client.RowIssued
	} else if o = c.compare(c.rows[i], *s.cert); o.Status == client.RowRejected {
		return o
	}
	switch {
	case s.cert.Status.Is(vault.Failed):
		o.Status, o.Error = client.RowFailed, "processing failed"
		if s.cert.FailureReason != nil {
			o.Error = *s.cert.FailureReason
		}
	case s.cert.Status.Is(vault.Revoked):
		o.Status = client.RowRevoked
	case s.isMoving():
		o.Status = client.RowProcessing
	}
	return o
}

// others returns the certificates without a date that were there before a row was sent.
func (c *Uploader) others(i int) (uuids []string) {
	for _, one := range c.vault.withoutDate(c.keys[i]) {
		if c.vault.before[one.UUID] {
			uuids = append(uuids, one.UUID)
		}
	}
	return uuids
}

// unlisted is the text about a row that is not listed; "" where nobody waited for it.
func (c *Uploader) unlisted(s *rowState, text string) string {
	if s.text != "" {
		return s.text
	}
	if c.NoWait && s.stage == accepted {
		return ""
	}
	return text
}

// compare returns the outcome of a row with an existing certificate.
func (c *Uploader) compare(r Item, issued client.Certificate) Outcome {
	if issued.SupersededBy != nil {
		return Outcome{Status: client.RowUnchanged, Certificate: &issued}
	}
	given, was := r.Certificate.Vault(), issued.Content.Vault()
	for _, f := range vault.Fields() {
		// Not every vault says what it does not require.
		comparable := (f.Required || f.Later) && f.Get(was) != ""
		if comparable && !f.Unique && vault.Clean(f.Get(given)) != f.Get(was) {
			return Outcome{Status: client.RowRejected, Certificate: &issued, Error: fmt.Sprintf("row %d, %s: this differs from what was issued as %s (%q)", r.Number, f.Key, issued.ReferenceID, f.Get(was))}
		}
	}
	if issued.File.SHA256 != "" && issued.File.SHA256 != r.SHA256 && !c.sentBefore(r, issued) {
		return Outcome{Status: client.RowRejected, Certificate: &issued, Error: fmt.Sprintf("row %d, file: this differs from what was issued as %s (%q)", r.Number, issued.ReferenceID, issued.File.Name)}
	}
	return Outcome{Status: client.RowUnchanged, Certificate: &issued}
}

// sentBefore reports whether a certificate's document was made from the same content as the
// row's.
func (c *Uploader) sentBefore(r Item, issued client.Certificate) bool {
	if r.Origin == "" || c.Journal == nil {
		return false
	}
	u, ok := c.Journal.uploaded(r.Number)
	return ok && u.Origin == r.Origin && u.SHA256 == issued.File.SHA256
}

// ambiguous is the text about a row that exists as one of several certificates which the
// vault does not tell apart.
func ambiguous(some []client.Certificate) string {
	names := make([]string, len(some))
	for i, one := range some {
		names[i] = one.ReferenceID
	}
	return "issued, but the vault shows no issue dates, and it may be any of " + strings.Join(names, ", ")
}

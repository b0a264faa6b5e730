package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// VerifyAnswer is the verification page for programs. Fields that do not apply are null.
// It holds no e-mail address.
type VerifyAnswer struct {
	ReferenceID string            `json:"reference_id"`
	Validity    vault.Validity    `json:"status"`
	Valid       bool              `json:"valid"` // genuine, not replaced, and not ended
	Message     string            `json:"message"`
	Institution *string           `json:"institution"`
	Title       *string           `json:"certificate_title"`
	Name        *string           `json:"full_name"`   // in part, where the institution wants that
	IssueDate   *string           `json:"issue_date"`  // YYYY-MM-DD
	ExpiryDate  *string           `json:"expiry_date"` // the last day of validity
	ExpiresAt   *time.Time        `json:"expires_at"`  // the last second of validity
	SHA256      *string           `json:"sha256"`      // of the verified PDF
	Size        *int64            `json:"size"`        // of the verified PDF, in bytes
	Level       *string           `json:"level"`       // of the verified PDF (PAdES), such as B-LT
	LevelOwed   *string           `json:"level_owed"`  // the level that it gets later
	Revocation  *VerifyRevocation `json:"revocation"`
	Successor   *string           `json:"superseded_by"` // reference ID
	Predecessor *string           `json:"supersedes"`    // reference ID
	VerifyURL   *string           `json:"verify_url"`
	Log         *VerifyLog        `json:"log"` // null: in no log
}

// VerifyLog is where a certificate is in which log.
type VerifyLog struct {
	ID    string `json:"id"`
	Index int64  `json:"index"` // of its entry, from 0
}

// VerifyRevocation says when and why a certificate was taken back.
type VerifyRevocation struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// validityMessage is what an answer says of a standing.
func validityMessage(s vault.Validity) string {
	switch s {
	case vault.ValidityGenuine:
		return "The certificate is genuine."
	case vault.ValidityRevoked:
		return "The certificate has been revoked."
	case vault.ValiditySuperseded:
		return "The certificate has been replaced by a corrected one."
	case vault.ValidityExpired:
		return "The certificate is genuine, and its validity has ended."
	case vault.ValidityProcessing:
		return "The certificate is still being processed."
	case vault.ValidityFailed:
		return "The certificate was not issued."
	case vault.ValidityWithdrawn:
		return "The certificate has been withdrawn."
	case vault.ValidityUnknown:
	}
	return "There is no certificate with this reference ID."
}

func (p *verifyPages) writeJSON(w http.ResponseWriter, status int, asked string, f verifyResult, err error) {
	setJSONHeaders(w.Header())
	w.WriteHeader(status)
	var body any = p.toAPI(asked, f)
	if err != nil {
		body = map[string]string{"message": "Server error. If it persists, tell the institution."}
	}
	_ = json.NewEncoder(w).Encode(body) // a client who has gone does not wait for it
}

// setJSONHeaders sets what an answer for programs is sent with.
func setJSONHeaders(h http.Header) {
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept")
	h.Set("X-Content-Type-Options", "nosniff")
	// What is public to people in any browser is so to programs in theirs.
	h.Set("Access-Control-Allow-Origin", "*")
}

func (p *verifyPages) toAPI(asked string, f verifyResult) VerifyAnswer {
	a := VerifyAnswer{ReferenceID: asked, Validity: f.validity, Valid: f.validity == vault.ValidityGenuine, Message: validityMessage(f.validity)}
	if f.validity == vault.ValidityUnknown {
		return a
	}
	c := f.certificate
	verify := p.Institutions.Links().Verify(c.Reference)
	a.ReferenceID, a.Institution, a.VerifyURL = c.Reference, &f.institution.Name, &verify
	if !f.validity.Issued() {
		return a
	}
	name, day := f.displayName(), string(c.IssueDate)
	a.Title, a.Name, a.IssueDate = &c.Title, &name, &day
	a.ExpiryDate = nilIfEmpty(string(c.ExpiryDate))
	if end := c.ExpiresAt(f.institution.Zone()); !end.IsZero() {
		a.ExpiresAt = new(end.UTC())
	}
	a.Successor, a.Predecessor = nilIfEmpty(f.successor), nilIfEmpty(f.predecessor)
	if v := c.Verified; v != nil {
		size := v.Size()
		is, owed := v.Seal()
		a.SHA256, a.Size = &v.SHA256, &size
		a.Level, a.LevelOwed = nilIfEmpty(string(is)), nilIfEmpty(string(owed))
	}
	if c.Log != nil {
		a.Log = &VerifyLog{c.Log.Log, c.Log.Index}
	}
	if why := c.Revocation; why != nil {
		a.Revocation = &VerifyRevocation{At: why.At.UTC().Truncate(time.Second), Reason: why.Reason}
	}
	return a
}

func nilIfEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// wantsJSON reports whether a request's Accept header puts JSON before HTML.
func wantsJSON(accept string) bool { return preferredType(accept) == typeJSON }

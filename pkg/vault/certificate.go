package vault

import (
	"slices"
	"strings"
	"time"
)

// Status is where a certificate stands in its life (guide, "Certificate Status
// Lifecycle").
type Status string

// The states of a certificate. Those of the vault begin with Processing; what
// customers apply for begins with Pending.
const (
	Pending    Status = "pending"
	InReview   Status = "in_review"
	Processing Status = "processing"
	Approved   Status = "approved"
	Failed     Status = "failed"
	Rejected   Status = "rejected"
	Revoked    Status = "revoked"
)

// Statuses lists the states in the order of a life.
func Statuses() []Status {
	return []Status{Pending, InReview, Processing, Approved, Failed, Rejected, Revoked}
}

// ParseStatus finds the state that a word names. VEC.digital's reference says generated
// where the guide says approved.
func ParseStatus(s string) (Status, bool) {
	if s == "generated" {
		return Approved, true
	}
	for _, known := range Statuses() {
		if string(known) == s {
			return known, true
		}
	}
	return "", false
}

// words are the state within a sentence.
func (s Status) words() string { return strings.ReplaceAll(string(s), "_", " ") }

// Label is the state as people read it.
func (s Status) Label() string {
	switch s {
	case Pending:
		return "Pending"
	case InReview:
		return "In Review"
	case Rejected:
		return "Rejected"
	case Processing:
		return "Processing"
	case Approved:
		return "Approved"
	case Failed:
		return "Failed"
	case Revoked:
		return "Revoked"
	}
	return string(s)
}

// Description is a sentence about the state; that of Processing is the guide's.
func (s Status) Description() string {
	switch s {
	case Pending:
		return "Application waits for the institution's review"
	case InReview:
		return "Application is being reviewed by the institution"
	case Rejected:
		return "Application was rejected by the institution"
	case Processing:
		return "Certificate is being processed"
	case Approved:
		return "Certificate is verified and ready for download"
	case Failed:
		return "Certificate processing failed and can be retried"
	case Revoked:
		return "Certificate has been revoked by the institution"
	}
	return ""
}

// Source says who began a certificate: the institution, through its vault, or
// a customer who applied for it.
type Source string

// The sources that there are.
const (
	FromVault    Source = "vault"
	FromCustomer Source = "customer"
)

// Label is the source as people read it.
func (s Source) Label() string {
	switch s {
	case FromVault:
		return "Vault"
	case FromCustomer:
		return "Customer"
	}
	return string(s)
}

// Document is the PDF that the verified one continues: the file as submitted,
// or the page made of it when it is an image. Its bytes lie in the blob store.
type Document struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Verified describes the verified PDF: the document's bytes followed by the
// tail.
type Verified struct {
	Document Document `json:"document"`
	TailSize int64    `json:"tail_size"` // of all that follows the document
	SHA256   string   `json:"sha256"`    // of the whole verified file
	// TimestampOwed says that the file was issued without a time stamp, which is to be added.
	TimestampOwed bool `json:"timestamp_owed,omitempty"`
	// Level is what the file reached; empty where that was not kept, as in earlier versions.
	Level SealLevel `json:"level,omitempty"`
	// LevelOwed is the level that the file is to be brought to, or renewed at.
	LevelOwed SealLevel `json:"level_owed,omitempty"`
	// LevelProblem says why the file was given up on its way to a level; a renewal tries again.
	LevelProblem string `json:"level_problem,omitempty"`
	// TimestampUntil is when the certificate of the newest time stamp ends; zero: there is none,
	// or that was not kept.
	TimestampUntil time.Time `json:"timestamp_until,omitzero"`
	// Updates are the lengths of what was added behind the signed update since, in order.
	Updates []int64 `json:"updates,omitempty"`
	// CosignaturesOwed says that the log proof in the file lacks the cosignatures of witnesses, which
	// are to be added.
	CosignaturesOwed bool `json:"cosignatures_owed,omitempty"`
	// Earlier are the SHA-256 of files of this certificate that were issued before: they lack
	// what was added since, and are genuine.
	Earlier []string `json:"earlier,omitempty"`
}

// Has reports whether a file with a SHA-256 is or was the verified one.
func (v Verified) Has(sum string) bool { return v.SHA256 == sum || slices.Contains(v.Earlier, sum) }

// Size is the verified PDF's length in bytes.
func (v Verified) Size() int64 { return v.Document.Size + v.TailSize }

// Failure says why processing did not succeed.
type Failure struct {
	Code   string `json:"code"` // stable, for grouping: "encrypted", "damaged", ...
	Reason string `json:"reason"`
}

// FailureCode returns the code of why a certificate failed; "" for one that has not.
func (c Certificate) FailureCode() string {
	switch {
	case c.Status != Failed:
		return ""
	case c.Failure == nil || c.Failure.Code == "":
		return CodeInternal
	}
	return c.Failure.Code
}

// The codes of failures that are not about the document itself; what is wrong with
// one has a code of the document engine (reject.Reason).
const (
	CodeCancelled  = "cancelled"        // see CancelledFailure
	CodeCrashed    = "crashed"          // working on it ended the program
	CodeTimeout    = "timeout"          // the engine did not come to an end
	CodeMissing    = "missing_document" // it is not in the home, or not whole
	CodeUnreadable = "unreadable_code"  // the QR code could not be read back
	CodeInternal   = "internal"         // the log says more
)

// Revocation says when and why an institution took a certificate back.
type Revocation struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Certificate is one certificate of one institution, from the moment it was
// accepted.
type Certificate struct {
	ID uint64 `json:"id"` // given by the store, in order of creation
	Identity
	Institution uint32  `json:"institution"`
	Batch       string  `json:"batch,omitempty"`
	Source      Source  `json:"source"`
	Trigger     Trigger `json:"trigger"`
	Status      Status  `json:"status"`

	Content
	// Person is Draft's: part of the uniqueness key where people share an address.
	Person   string `json:"person,omitempty"`
	File     File   `json:"file"`
	ScanBack bool   `json:"scan_back,omitempty"`

	Placement Placement `json:"placement,omitzero"`

	// Application is set where somebody applied for the certificate.
	Application *Application `json:"application,omitempty"`

	Verified *Verified `json:"verified,omitempty"`
	Log      *LogPlace `json:"log,omitempty"`
	// Remote is set where another vault issues the certificate.
	Remote       *Remote     `json:"remote,omitempty"`
	Failure      *Failure    `json:"failure,omitempty"`
	Revocation   *Revocation `json:"revocation,omitempty"`
	Assignment   *Assignment `json:"assignment,omitempty"`
	Supersedes   string      `json:"supersedes,omitempty"`    // UUID
	SupersededBy string      `json:"superseded_by,omitempty"` // UUID
	// Undelivered is set while the recipient is known not to have been reached.
	Undelivered *Undelivered `json:"undelivered,omitempty"`
	// Reminded is how many days before the end the recipient was reminded of it last; 0 is never.
	Reminded int `json:"expiry_reminded,omitempty"`
	// ErasedAt is when the personal data and the document were destroyed.
	ErasedAt *time.Time `json:"erased_at,omitempty"`
	// AdoptedAt is when the certificate was taken back from its verified PDF: see Adopt.
	AdoptedAt time.Time `json:"adopted_at,omitzero"`

	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
	ApprovedAt time.Time `json:"approved_at,omitzero"`
}

// Key is the certificate's uniqueness key; failed and revoked certificates keep
// theirs. An application that is not decided has one without a date: nobody
// applies for the same title twice at a time.
func (c Certificate) Key() Key {
	if c.Open() || c.Status == Rejected {
		return keyOf(c.Email, c.Title, "application")
	}
	return c.keyAs(c.Person)
}

// KeyAliases returns further keys that find the certificate as long as no other one has
// them: a person who is told apart by an external ID is also found by name.
func (c Certificate) KeyAliases() []Key {
	if !strings.HasPrefix(c.Person, personByID) {
		return nil
	}
	return []Key{c.keyAs(personByName + FoldName(c.Name))}
}

// Is reports whether a key is the certificate's or one of its aliases.
func (c Certificate) Is(k Key) bool { return c.Key() == k || slices.Contains(c.KeyAliases(), k) }

// HoldsKey reports whether the certificate keeps others of its key away.
func (c Certificate) HoldsKey() bool { return c.Status != Rejected && c.ErasedAt == nil }

// Documents lists the hashes of the contents that the certificate needs.
func (c Certificate) Documents() (sums []string) {
	if c.File.SHA256 != "" {
		sums = append(sums, c.File.SHA256)
	}
	if v := c.Verified; v != nil && v.Document.SHA256 != c.File.SHA256 {
		sums = append(sums, v.Document.SHA256)
	}
	if a := c.Application; a != nil && a.Evidence != nil && a.Evidence.SHA256 != c.File.SHA256 {
		sums = append(sums, a.Evidence.SHA256)
	}
	return sums
}

// SearchText is what a substring search looks at: name, e-mail, title and reference
// ID, folded, each on a line of its own. The store has an index by lines, so what came
// later stands behind them, and only where there is any.
func (c Certificate) SearchText() string {
	lines := []string{c.Name, c.Email, c.Title, c.Reference}
	for i := range fields {
		if f := &fields[i]; f.Later && f.Searchable && f.Get(c.Content) != "" {
			lines = append(lines, f.Get(c.Content))
		}
	}
	return Fold(strings.Join(lines, "\n"))
}

// Differs says in which fields a draft for the same key differs from what was
// issued, as pairs of field name and the issued value; nil when it says the same.
func (c Certificate) Differs(d Draft) []Difference {
	var diff []Difference
	for i := range fields {
		if f := &fields[i]; f.differs(c.Content, d.Content) {
			diff = append(diff, Difference{f.Key, f.Get(c.Content)})
		}
	}
	// Of a document that was adopted, nobody knows which template it was made of.
	unknown := !c.AdoptedAt.IsZero() && c.File.Origin == "" && d.File.Origin != ""
	if !unknown && (c.File.Origin != d.File.Origin || c.File.Origin == "" && c.File.SHA256 != d.File.SHA256) {
		diff = append(diff, Difference{"file", c.File.Name})
	}
	return diff
}

// Difference is a field whose issued value is not the one now given.
type Difference struct {
	Field  string
	Issued string
}

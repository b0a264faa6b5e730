package vault

import (
	"fmt"
	"io"
	"slices"
	"time"
	"unicode"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Applicants says who may apply for certificates of an institution.
type Applicants string

// Who may apply.
const (
	NoApplicants Applicants = ""         // nobody
	HoldersApply Applicants = "accounts" // whoever is signed in
	AnyoneApply  Applicants = "anyone"   // whoever proves an address by a mail
)

// ParseApplicants reads what a setting says: nobody, accounts or anyone.
func ParseApplicants(s string) (Applicants, error) {
	switch s {
	case "nobody":
		return NoApplicants, nil
	case string(HoldersApply), string(AnyoneApply):
		return Applicants(s), nil
	}
	return "", fault.Newf(fault.Invalid, "%q does not say who may apply; want nobody, accounts or anyone", s)
}

// String is what ParseApplicants reads.
func (a Applicants) String() string {
	if a == NoApplicants {
		return "nobody"
	}
	return string(a)
}

// Applying is what people may apply for, and who. The zero value lets nobody.
type Applying struct {
	Who    Applicants `json:"who,omitempty"`
	Titles []string   `json:"titles,omitempty"` // what the institution certifies
	// FreeTitle lets applicants write a title of their own.
	FreeTitle bool `json:"free_title,omitempty"`
	// EvidenceOptional lets them apply without a file.
	EvidenceOptional bool `json:"evidence_optional,omitempty"`
}

// MaxTitles is how many titles an institution may offer.
const MaxTitles = 200

// Validate checks settings that are about to be kept.
func (a Applying) Validate() error {
	var bad []fault.Field
	complain := func(format string, args ...any) {
		bad = append(bad, fault.Field{Name: "applying", Message: fmt.Sprintf(format, args...)})
	}
	if a.Who != NoApplicants && a.Who != HoldersApply && a.Who != AnyoneApply {
		complain("%q does not say who may apply; want nobody, accounts or anyone", string(a.Who))
	}
	if a.Who != NoApplicants && len(a.Titles) == 0 && !a.FreeTitle {
		complain("nobody can apply without a title; name some, or allow applicants' own")
	}
	if len(a.Titles) > MaxTitles {
		complain("there are %d titles to apply for; want at most %d", len(a.Titles), MaxTitles)
	}
	for i, title := range a.Titles {
		if msg := checkText("title", title, true, MaxTitle, unicode.IsControl); msg != "" || Clean(title) != title {
			complain("title %d cannot be applied for: %q", i+1, title)
		}
		if slices.Contains(a.Titles[:i], title) {
			complain("the title %q is named twice", title)
		}
	}
	return fault.InvalidFields(bad)
}

// Check finds what keeps a clean draft from being applied with, as complaints about
// its fields.
func (a Applying) Check(d ApplicationDraft) error {
	bad := d.Problems()
	if d.Title != "" && !a.FreeTitle && !slices.Contains(a.Titles, d.Title) {
		bad = append(bad, fault.Field{Name: "certificate_title", Message: "The selected certificate title is invalid."})
	}
	if d.Evidence == nil && !a.EvidenceOptional {
		bad = append(bad, fault.Field{Name: "evidence", Message: "The evidence field is required."})
	}
	return fault.InvalidFields(bad)
}

// ConfirmLife is how long an application waits for its address to be proven.
const ConfirmLife = 24 * time.Hour

// Bounds of applications whose address is not proven: of one address, of all
// together, and of the bytes of their evidence.
const (
	MaxWaitingOfOne = 3
	MaxWaiting      = 1000
	MaxWaitingBytes = 2 << 30
)

// Waiting is an application whose address is not proven yet. It counts for nothing
// until the link that was sent to the address is followed.
type Waiting struct {
	Hash        string `json:"hash"` // of the secret in the link, see HashSecret
	Institution uint32 `json:"institution"`
	ApplicationDraft
	CreatedAt time.Time `json:"created_at"`
}

// NewWaiting makes a waiting application and the secret of its link.
func NewWaiting(random io.Reader, institution uint32, d ApplicationDraft, now time.Time) (Waiting, string, error) {
	secret, err := drawSecret(random)
	if err != nil {
		return Waiting{}, "", err
	}
	return Waiting{Hash: HashSecret(secret), Institution: institution, ApplicationDraft: d, CreatedAt: now}, secret, nil
}

// Usable tells whether the address may still be proven.
func (w Waiting) Usable(now time.Time) bool { return now.Before(w.CreatedAt.Add(ConfirmLife)) }

// Size is how many bytes its evidence has.
func (w Waiting) Size() int64 {
	if w.Evidence == nil {
		return 0
	}
	return w.Evidence.Size
}

// ConfirmMail makes the mail with the link that proves the address. A title that is
// not one of the institution's stays out of it: whoever wrote that could have
// the institution mail anything to anybody.
func (w Waiting) ConfirmMail(link string, at Applying) Mail {
	title := ""
	if slices.Contains(at.Titles, w.Title) {
		title = w.Title
	}
	return Mail{Kind: MailConfirm, Institution: w.Institution, To: w.Email, Text: title, Link: link, State: MailWaiting,
		CreatedAt: w.CreatedAt, Expires: w.CreatedAt.Add(ConfirmLife)}
}

package vault

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// WhoMayApply says who may apply for certificates of an institution.
type WhoMayApply string

// Who may apply.
const (
	NobodyMayApply   WhoMayApply = ""         // nobody
	AccountsMayApply WhoMayApply = "accounts" // people who are signed in
	AnyoneMayApply   WhoMayApply = "anyone"   // people who prove an address by a mail
)

// ParseWhoMayApply reads what a setting says: nobody, accounts or anyone.
func ParseWhoMayApply(s string) (WhoMayApply, error) {
	switch s {
	case "nobody":
		return NobodyMayApply, nil
	case string(AccountsMayApply), string(AnyoneMayApply):
		return WhoMayApply(s), nil
	}
	return "", fault.Newf(fault.Invalid, "%q does not say who may apply; want nobody, accounts or anyone", s)
}

// String is what ParseApplicants reads.
func (a WhoMayApply) String() string {
	if a == NobodyMayApply {
		return "nobody"
	}
	return string(a)
}

// ApplicationPolicy is what people may apply for, and who. The zero value lets nobody.
type ApplicationPolicy struct {
	Who    WhoMayApply `json:"who,omitempty"`
	Titles []string    `json:"titles,omitempty"` // what the institution certifies
	// FreeTitle lets applicants write a title of their own.
	FreeTitle bool `json:"free_title,omitempty"`
	// EvidenceOptional lets them apply without a file.
	EvidenceOptional bool `json:"evidence_optional,omitempty"`
}

// MaxTitles is how many titles an institution may offer.
const MaxTitles = 200

// Validate checks settings that are about to be kept.
func (a ApplicationPolicy) Validate() error {
	var bad []fault.Field
	complain := func(format string, args ...any) {
		bad = append(bad, fault.Field{Name: "applying", Message: fmt.Sprintf(format, args...)})
	}
	if a.Who != NobodyMayApply && a.Who != AccountsMayApply && a.Who != AnyoneMayApply {
		complain("%q does not say who may apply; want nobody, accounts or anyone", string(a.Who))
	}
	if a.Who != NobodyMayApply && len(a.Titles) == 0 && !a.FreeTitle {
		complain("nobody can apply without a title; name some, or allow applicants' own")
	}
	if len(a.Titles) > MaxTitles {
		complain("there are %d titles to apply for; want at most %d", len(a.Titles), MaxTitles)
	}
	for i, title := range a.Titles {
		if msg := checkText("title", title, true, MaxTitle, unfitForLine); msg != "" || Clean(title) != title {
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
func (a ApplicationPolicy) Check(d ApplicationDraft) error {
	bad := d.Problems()
	if d.Title != "" && !a.FreeTitle && !slices.Contains(a.Titles, d.Title) {
		bad = append(bad, fault.Field{Name: "certificate_title", Message: "The selected certificate title is invalid."})
	}
	if d.Evidence == nil && !a.EvidenceOptional {
		bad = append(bad, fault.Field{Name: "evidence", Message: "The evidence field is required."})
	}
	return fault.InvalidFields(bad)
}

// ConfirmationTTL is how long an application waits for its address to be proven.
const ConfirmationTTL = 24 * time.Hour

// Bounds of applications whose address is not proven: of one address, of all
// together, and of the bytes of their evidence.
const (
	MaxUnconfirmedPerAddress = 3
	MaxUnconfirmed           = 1000
	MaxUnconfirmedBytes      = 2 << 30
)

// UnconfirmedApplication is an application whose address is not proven yet. It counts for nothing
// until the link that was sent to the address is followed.
type UnconfirmedApplication struct {
	Hash        string `json:"hash"` // of the secret in the link, see HashSecret
	Institution uint32 `json:"institution"`
	ApplicationDraft
	CreatedAt time.Time `json:"created_at"`
}

// NewUnconfirmedApplication makes a waiting application and the secret of its link.
func NewUnconfirmedApplication(random io.Reader, institution uint32, d ApplicationDraft, now time.Time) (UnconfirmedApplication, string, error) {
	secret, err := newSecret(random)
	if err != nil {
		return UnconfirmedApplication{}, "", err
	}
	return UnconfirmedApplication{Hash: HashSecret(secret), Institution: institution, ApplicationDraft: d, CreatedAt: now}, secret, nil
}

// Usable reports whether the address may still be proven.
func (w UnconfirmedApplication) Usable(now time.Time) bool {
	return now.Before(w.CreatedAt.Add(ConfirmationTTL))
}

// Size is how many bytes its evidence has.
func (w UnconfirmedApplication) Size() int64 {
	if w.Evidence == nil {
		return 0
	}
	return w.Evidence.Size
}

// ConfirmationMail makes the mail with the link that proves the address. A title that is
// not one of the institution's stays out of it: its author could have
// the institution mail anything to anybody.
func (w UnconfirmedApplication) ConfirmationMail(link string, at ApplicationPolicy) Mail {
	title := ""
	if slices.Contains(at.Titles, w.Title) {
		title = w.Title
	}
	return Mail{Kind: MailConfirm, Institution: w.Institution, To: w.Email, Text: title, Link: link, State: MailWaiting,
		CreatedAt: w.CreatedAt, Expires: w.CreatedAt.Add(ConfirmationTTL)}
}

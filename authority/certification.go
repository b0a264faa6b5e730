package authority

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/fault"
)

// State is where a certification is in its life.
type State string

// The states. Expired is never kept: it is what an active one becomes as time
// passes.
const (
	Pending    State = "pending"
	Active     State = "active"
	Expired    State = "expired"
	Revoked    State = "revoked"
	Superseded State = "superseded" // renewed
	Rejected   State = "rejected"   // by staff, while pending
)

// Bounds of texts, in characters.
const (
	maxProject = 255
	maxReason  = 500
)

// Certification is one term of a badge on a domain. Times are in whole seconds, as
// the hash has them.
type Certification struct {
	ID       string   `json:"id"` // the request's ID
	Store    string   `json:"store"`
	Domain   string   `json:"domain"`
	Project  string   `json:"project"`
	State    State    `json:"state"`
	Snapshot Snapshot `json:"snapshot"`

	Badge      Badge  `json:"badge"`
	SDKVersion string `json:"sdk_version"`
	Hash       string `json:"hash,omitempty"`
	Key        string `json:"key,omitempty"` // ID of the secret under which the hash was made
	Nonce      string `json:"nonce,omitempty"`

	RequestedAt time.Time `json:"requested_at"`
	IssuedAt    time.Time `json:"issued_at,omitzero"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
	RevokedAt   time.Time `json:"revoked_at,omitzero"`
	Reason      string    `json:"reason,omitempty"` // of a revocation or rejection

	Review    bool   `json:"review,omitempty"` // staff must look at it yet
	Previous  string `json:"previous,omitempty"`
	Successor string `json:"successor,omitempty"`
	// PreviousBadge is that of the certification that this one renewed.
	PreviousBadge Badge `json:"previous_badge,omitempty"`
}

// Claim is what a store asks to have certified.
type Claim struct {
	Domain   string // parsed
	Project  string
	Snapshot Snapshot
}

// check looks at what does not depend on any state.
func (c Claim) check(minSDK string) (Badge, error) {
	if n := utf8.RuneCountInString(c.Project); strings.TrimSpace(c.Project) == "" || n > maxProject ||
		!utf8.ValidString(c.Project) || strings.ContainsFunc(c.Project, unfit) {
		return "", NewContractError(InvalidRequest, "project_name must be a text of 1 to 255 characters")
	}
	return qualify(c.Snapshot, minSDK)
}

// qualify finds the badge that a snapshot earns.
func qualify(s Snapshot, minSDK string) (Badge, error) {
	if err := CheckSDK(s.SDKVersion, minSDK); err != nil {
		return "", err
	}
	badge := Qualify(s)
	if badge == "" {
		return "", NewContractError(NotQualified, "The integration does not qualify for any badge: "+missingText(Missing(s, Base)))
	}
	return badge, nil
}

func missingText(missing []Requirement) string {
	var words []string
	for _, r := range missing {
		words = append(words, r.Message)
	}
	return strings.Join(words, "; ")
}

// NewRequest makes a certification that is asked for. It is pending; Settle says whether
// it must stay so.
func (c Claim) NewRequest(id string, a Account, minSDK string, now time.Time) (Certification, error) {
	badge, err := c.check(minSDK)
	if err != nil {
		return Certification{}, err
	}
	return Certification{
		ID: id, Store: a.Slug, Domain: c.Domain, Project: strings.TrimSpace(c.Project), State: Pending, Snapshot: c.Snapshot,
		Badge: badge, SDKVersion: c.Snapshot.SDKVersion, RequestedAt: seconds(now), Review: a.Review,
	}, nil
}

// Update gives a pending request the store's latest claim; what staff have
// looked at already stays as it was.
func (c Certification) Update(claim Claim, a Account, minSDK string) (Certification, error) {
	badge, err := claim.check(minSDK)
	if err != nil {
		return c, err
	}
	if a.Review && !c.Review {
		return c, nil
	}
	c.Project, c.Snapshot, c.Badge, c.SDKVersion = strings.TrimSpace(claim.Project), claim.Snapshot, badge, claim.Snapshot.SDKVersion
	return c, nil
}

// At is the state at a moment: time ends a term without anybody's doing.
func (c Certification) At(now time.Time) State {
	if c.State == Active && !now.Before(c.ExpiresAt) {
		return Expired
	}
	return c.State
}

// Ready reports whether nothing keeps a pending certification from being granted.
func (c Certification) Ready(d Domain) bool {
	return c.State == Pending && !c.Review && d.Verified()
}

// Grant begins the first term, of a year.
func (c Certification) Grant(s Secret, nonce string, now time.Time) (Certification, error) {
	if c.State != Pending {
		return c, notPending(c)
	}
	return c.startTerm(s, nonce, now)
}

func (c Certification) startTerm(s Secret, nonce string, from time.Time) (Certification, error) {
	c.State, c.Key, c.Nonce = Active, s.ID, nonce
	c.IssuedAt = seconds(from)
	c.ExpiresAt = c.IssuedAt.AddDate(1, 0, 0)
	var err error
	c.Hash, err = c.hash(s)
	return c, err
}

// Approve is what staff say to a pending request.
func (c Certification) Approve() (Certification, error) {
	if c.State != Pending {
		return c, notPending(c)
	}
	c.Review = false
	return c, nil
}

// Reject ends a pending request.
func (c Certification) Reject(reason string) (Certification, error) {
	if c.State != Pending {
		return c, notPending(c)
	}
	if err := checkReason(reason); err != nil {
		return c, err
	}
	c.State, c.Reason = Rejected, strings.TrimSpace(reason)
	return c, nil
}

func notPending(c Certification) error {
	return fault.Newf(fault.Illegal, "the request %s is %s; only a pending one can be decided", c.ID, c.State)
}

// unfit reports whether a character may not stand in a text that everyone reads: control
// characters, and those that cannot be seen and change the order of the others.
func unfit(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// checkReason refuses a reason that says nothing or too much.
func checkReason(reason string) error {
	if n := utf8.RuneCountInString(reason); strings.TrimSpace(reason) == "" || n > maxReason ||
		!utf8.ValidString(reason) || strings.ContainsFunc(reason, unfit) {
		return NewContractError(InvalidRequest, "reason must be a text of 1 to 500 characters")
	}
	return nil
}

// Revoke ends a certification for good. One that is revoked already stays as it
// is, first reason and all: a repeated request gets the same answer.
func (c Certification) Revoke(reason string, now time.Time) (Certification, error) {
	if err := checkReason(reason); err != nil {
		return c, err
	}
	switch c.State {
	case Revoked:
		return c, nil
	case Superseded:
		return c, NewContractError(InvalidRequest, "Certification was renewed; revoke the one that took its place")
	case Active:
		c.State, c.RevokedAt, c.Reason = Revoked, seconds(now), strings.TrimSpace(reason)
		return c, nil
	case Pending, Rejected, Expired:
	}
	return c, ErrNoCertification()
}

// maxYearsAhead is how far in the future a term may begin.
const maxYearsAhead = 5

// Renew makes the next term. It begins where this one ends, whenever within this
// one it is asked for. The first result is this one, superseded.
func (c Certification) Renew(id string, snapshot Snapshot, s Secret, nonce, minSDK string, now time.Time) (old, next Certification, err error) {
	if err := c.renewable(now); err != nil {
		return c, c, err
	}
	badge, err := qualify(snapshot, minSDK)
	if err != nil {
		return c, c, err
	}
	next = Certification{
		ID: id, Store: c.Store, Domain: c.Domain, Project: c.Project, Snapshot: snapshot, Badge: badge,
		SDKVersion: snapshot.SDKVersion, RequestedAt: seconds(now), Previous: c.ID, PreviousBadge: c.Badge,
	}
	if next, err = next.startTerm(s, nonce, c.ExpiresAt); err != nil {
		return c, c, err
	}
	c.State, c.Successor = Superseded, id
	return c, next, nil
}

func (c Certification) renewable(now time.Time) error {
	switch c.At(now) {
	case Active:
		if c.IssuedAt.After(now.AddDate(maxYearsAhead, 0, 0)) {
			return NewContractError(CannotRenew, "Certification has been renewed for years ahead already")
		}
		return nil
	case Revoked:
		return NewContractError(CannotRenew, "Certification has been revoked and cannot be renewed")
	case Expired:
		return NewContractError(CannotRenew, "Certification has expired and cannot be renewed; request a new one")
	case Superseded:
		return NewContractError(CannotRenew, "Certification has been renewed already; ask for the status of the domain")
	case Pending, Rejected:
	}
	return ErrNoCertification()
}

// Upgraded reports whether a renewal earned a higher badge.
func (c Certification) Upgraded() bool {
	return c.PreviousBadge != "" && c.Badge.Rank() > c.PreviousBadge.Rank()
}

// Downgraded says what was missing for the badge before, "" when a renewal earned
// no lower one.
func (c Certification) Downgraded() string {
	if c.PreviousBadge == "" || c.Badge.Rank() >= c.PreviousBadge.Rank() {
		return ""
	}
	return missingText(Missing(c.Snapshot, c.PreviousBadge))
}

// WarnDays is how many days before the end of a term the store is told.
const WarnDays = 30

// WarnAt is when the store is told that the term ends.
func (c Certification) WarnAt() time.Time { return c.ExpiresAt.AddDate(0, 0, -WarnDays) }

// DaysLeft counts the days to the end of the term, a begun one as a whole.
func (c Certification) DaysLeft(now time.Time) int {
	const day = 24 * time.Hour
	return int((c.ExpiresAt.Sub(now) + day - 1) / day)
}

// seconds is a moment in UTC and whole seconds.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

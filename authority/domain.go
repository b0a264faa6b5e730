package authority

import (
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Proof is how a domain's ownership was shown; "" while it was not.
type Proof string

// The proofs.
const (
	ByRecord Proof = "dns"   // a TXT record
	ByTag    Proof = "meta"  // a meta tag in its front page
	ByStaff  Proof = "staff" // staff vouch for it
)

// Names of a domain proof. The record stands at challengeLabel.DOMAIN.
const (
	challengeLabel = "_vendweave-challenge."
	TagName        = "vendweave-domain-verification"
)

// Domain is a domain or App ID that a store has registered.
type Domain struct {
	Name    string    `json:"name"` // see ParseDomain
	Store   string    `json:"store"`
	Token   string    `json:"token"` // what the record or the tag must say
	AddedAt time.Time `json:"added_at"`

	Proof     Proof     `json:"proof,omitempty"`
	ProvenAt  time.Time `json:"proven_at,omitzero"`
	CheckedAt time.Time `json:"checked_at,omitzero"` // last, whatever came of it
	Checks    int       `json:"checks,omitempty"`    // that failed, in a row
	NextCheck time.Time `json:"next_check,omitzero"` // zero for none
	Found     string    `json:"found,omitempty"`     // what the last check that failed met
}

// NewDomain registers a domain for a store. App IDs wait for staff; domains are
// checked from now on.
func NewDomain(random io.Reader, name, store string, now time.Time) (Domain, error) {
	parsed, err := ParseDomain(name)
	if err != nil {
		return Domain{}, fault.Newf(fault.Invalid, "%q is neither a domain, such as mystore.com, nor an App ID without dots", name)
	}
	token, err := draw(random, 16)
	if err != nil {
		return Domain{}, err
	}
	d := Domain{Name: parsed, Store: store, Token: token, AddedAt: now}
	if !IsAppID(parsed) {
		d.NextCheck = now.Add(firstPause)
	}
	return d, nil
}

// RecordName is where the TXT record must stand: absolute, so that no resolver
// puts a search domain behind it.
func (d Domain) RecordName() string { return challengeLabel + d.Name + "." }

// Record is what the TXT record must say.
func (d Domain) Record() string { return TagName + "=" + d.Token }

// Tag is the meta tag that proves the domain instead.
func (d Domain) Tag() string {
	return `<meta name="` + TagName + `" content="` + d.Token + `">`
}

// Verified reports whether the domain's ownership was shown.
func (d Domain) Verified() bool { return d.Proof != "" }

// MarkVerified notes a proof.
func (d Domain) MarkVerified(p Proof, now time.Time) Domain {
	if !d.Verified() {
		d.ProvenAt = now
	}
	d.Proof, d.CheckedAt, d.Checks, d.NextCheck, d.Found = p, now, 0, time.Time{}, ""
	return d
}

// Pauses between checks of a domain that waits for its proof.
const (
	firstPause  = time.Minute
	giveUpAfter = 30 * 24 * time.Hour
)

func pauseAfter(checks int) time.Duration {
	pauses := []time.Duration{firstPause, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour}
	return pauses[min(checks, len(pauses)-1)]
}

// MarkCheckFailed notes a check that found no proof, and when the next one is due. A
// domain that waited for a month is checked by hand only.
func (d Domain) MarkCheckFailed(found string, now time.Time) Domain {
	d.Checks++
	d.CheckedAt, d.Found, d.NextCheck = now, found, now.Add(pauseAfter(d.Checks))
	if now.Sub(d.AddedAt) > giveUpAfter {
		d.NextCheck = time.Time{}
	}
	return d
}

// recheckAfter is the age from which a proof is looked at again before a renewal.
const recheckAfter = time.Hour

// MustRecheck reports whether the proof must be looked at before a renewal: it was
// not seen just now, or was missed when it was looked for last. What staff vouched
// for, they answer for.
func (d Domain) MustRecheck(now time.Time) bool {
	return d.Proof != ByStaff && (d.Checks > 0 || now.Sub(d.CheckedAt).Abs() > recheckAfter)
}

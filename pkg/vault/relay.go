package vault

import (
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Remote is what is known of a certificate that another vault issues, in front of which this
// one stands.
type Remote struct {
	Vault  string    `json:"vault"`   // its base URL
	SentAt time.Time `json:"sent_at"` // when the vault had accepted the certificate
	// UUID and Reference are the vault's own; "" until it lists the certificate.
	UUID      string `json:"uuid,omitempty"`
	Reference string `json:"reference,omitempty"`
	// Others are the UUIDs of certificates that the vault had before, and that its answers do
	// not tell from this one.
	Others    []string  `json:"others,omitempty"`
	FetchedAt time.Time `json:"fetched_at,omitzero"` // when its verified PDF was kept here
}

// The codes of failures of certificates that another vault issues.
const (
	CodeRemoteRefused = "remote_refused" // the vault does not take it
	CodeRemoteFailed  = "remote_failed"  // the vault took it, and its processing failed there
)

// Relay gives a certificate to another vault to issue. From now on it may be there, and nothing
// but sending it can say so.
func (c Certificate) Relay(now time.Time) (Certificate, Effects, error) {
	if err := c.requireStatus(Processing, "sent"); err != nil {
		return c, Effects{}, err
	}
	return c, Effects{Jobs: []Job{{Kind: JobSend, Certificate: c.ID, RunAt: now, CreatedAt: now}}}, nil
}

// Send notes that another vault has accepted a certificate. What becomes of it there is to be
// fetched.
func (c Certificate) Send(r Remote, now time.Time) (Certificate, Effects, error) {
	if err := c.requireStatus(Processing, "sent"); err != nil {
		return c, Effects{}, err
	}
	if r.Vault == "" || r.SentAt.IsZero() {
		return c, Effects{}, fault.New(fault.Invalid, "a certificate is sent to a vault, at a time")
	}
	c.Remote, c.UpdatedAt = &r, now
	return c, Effects{Jobs: []Job{{Kind: JobFetch, Certificate: c.ID, RunAt: now, CreatedAt: now}}}, nil
}

// SendAgain forgets that a certificate was sent, since the other vault has never listed it.
func (c Certificate) SendAgain(now time.Time) (Certificate, Effects, error) {
	if err := c.requireRemote("sent again"); err != nil {
		return c, Effects{}, err
	}
	if c.Remote.UUID != "" {
		return c, Effects{}, fault.Newf(fault.Illegal, "certificate %s is there already, as %s", c.Reference, c.Remote.Reference)
	}
	c.Remote, c.UpdatedAt = nil, now
	return c, Effects{Jobs: []Job{{Kind: JobSend, Certificate: c.ID, RunAt: now, CreatedAt: now}}}, nil
}

// Locate notes which certificate of the other vault a certificate is.
func (c Certificate) Locate(uuid, reference string, now time.Time) (Certificate, Effects, error) {
	if err := c.requireRemote("found"); err != nil {
		return c, Effects{}, err
	}
	if c.Remote.UUID == uuid && c.Remote.Reference == reference {
		return c, Effects{}, nil
	}
	r := *c.Remote
	r.UUID, r.Reference, r.Others = uuid, reference, nil
	c.Remote, c.UpdatedAt = &r, now
	return c, Effects{}, nil
}

// Fetch ends processing with success: the verified PDF is the one that the other vault made.
// That vault tells the recipient, so nobody is told from here.
func (c Certificate) Fetch(v Verified, tail []byte, now time.Time) (Certificate, Effects, error) {
	if err := c.requireRemote("fetched"); err != nil {
		return c, Effects{}, err
	}
	if c.Remote.UUID == "" {
		return c, Effects{}, fault.Newf(fault.Illegal, "it is not known which certificate of the other vault %s is", c.Reference)
	}
	r := *c.Remote
	r.FetchedAt = now
	c.Remote = &r
	c, fx, err := c.Approve(v, tail, now)
	fx.Mails = nil
	return c, fx, err
}

// RevokeRemotely follows a vault that has revoked a certificate, or shows it as revoked.
func (c Certificate) RevokeRemotely(why Revocation, now time.Time) (Certificate, Effects, error) {
	if c.Remote == nil {
		return c, Effects{}, fault.Newf(fault.Illegal, "certificate %s was not issued by another vault", c.Reference)
	}
	if err := c.requireStatus(Approved, "revoked"); err != nil {
		return c, Effects{}, err
	}
	c.Status, c.Revocation, c.UpdatedAt = Revoked, &why, now
	return c, Effects{Events: []Event{c.event(EventRevoked, c.Trigger, now)}}, nil
}

// requireRemote refuses what can be done only with a certificate that is on its way from
// another vault.
func (c Certificate) requireRemote(verb string) error {
	if c.Remote == nil {
		return fault.Newf(fault.Illegal, "certificate %s was not sent to another vault", c.Reference)
	}
	return c.requireStatus(Processing, verb)
}

// refuseRemote refuses what only the vault that issued a certificate can do.
func (c Certificate) refuseRemote(verb string) error {
	if c.Remote == nil {
		return nil
	}
	name := c.Reference
	if c.Remote.Reference != "" {
		name = c.Remote.Reference
	}
	return fault.Newf(fault.Illegal, "certificate %s is issued by the vault at %s and can be %s only there, as %s", c.Reference, c.Remote.Vault, verb, name)
}

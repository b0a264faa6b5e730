package adminclient

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Amendment is what a corrected certificate says otherwise; null stays as it was.
type Amendment struct {
	vault.Changes
	File *NewFile `json:"file,omitempty"`
	// Renew begins a new term today: the successor has today's issue date, and ends later.
	Renew bool `json:"renew,omitempty"`
	// QR is where the code goes; null: where it was.
	QR *client.Placement `json:"qr,omitempty"`
}

// NewFile is a document with its content.
type NewFile struct {
	Name string `json:"name"`
	Body []byte `json:"body"` // base64 on the wire
	// Origin says what the document was made of, where a template made it.
	Origin string `json:"origin,omitempty"`
}

// Erasure says what was destroyed of a recipient's data, and what was not.
type Erasure struct {
	Certificates []string `json:"certificates"` // reference IDs; they answer "withdrawn"
	Mails        int      `json:"mails"`
	Account      bool     `json:"account"` // there was one, and it is gone
	Files        int      `json:"files"`   // documents, verified PDFs, mails and lines of reports
	// Received counts the events of remote vaults that named the address.
	Received int `json:"received"`
	// Destroyed are files of the home that named them, besides those of certificates.
	Destroyed []string `json:"destroyed"`
	DryRun    bool     `json:"dry_run,omitempty"` // nothing was destroyed
	// Left is what else may hold their data and is not the program's to destroy.
	Left []string `json:"left"`
	// Protocol is what was done, for the file, with the institution's signature; nil where
	// nothing was.
	Protocol *SignedProtocol `json:"protocol,omitempty"`
}

// SignedProtocol is a record of an erasure that is signed with the institution's key.
type SignedProtocol struct {
	Text      []byte `json:"text"`      // an ErasureProtocol as JSON
	Signature []byte `json:"signature"` // CMS SignedData in DER, detached (RFC 5652)
}

// ErasureProtocol is what was erased, without the data of the person.
type ErasureProtocol struct {
	Kind        string `json:"kind"` // ErasureProtocolKind
	Institution string `json:"institution"`
	Name        string `json:"institution_name"`
	Home        string `json:"home_id"`
	// Person is the beginning of a hash of the address, with a key that only the home has; it
	// is also in the audit trail.
	Person       string    `json:"person"`
	ErasedAt     time.Time `json:"erased_at"`
	Certificates []string  `json:"certificates"` // reference IDs
	Mails        int       `json:"mails"`
	Files        int       `json:"files"`
	Received     int       `json:"received_events"`
	Account      bool      `json:"account"`
	OtherFiles   int       `json:"other_files"` // of the home that named the person
	Left         []string  `json:"left"`        // what was not reached
}

// ErasureProtocolKind says what an ErasureProtocol is.
const ErasureProtocolKind = "vecctl erasure protocol"

// Revoke takes an approved certificate back. The reason is shown to everyone who
// checks it.
func (c *Client) Revoke(ctx context.Context, name, reason string) (client.Certificate, error) {
	return c.revoke(ctx, name, reason, false)
}

// RevokeAndNotify is Revoke with a mail to the recipient.
func (c *Client) RevokeAndNotify(ctx context.Context, name, reason string) (client.Certificate, error) {
	return c.revoke(ctx, name, reason, true)
}

func (c *Client) revoke(ctx context.Context, name, reason string, notify bool) (client.Certificate, error) {
	var done struct{ UUID string }
	err := c.Post(ctx, "/panel/certificates/"+url.PathEscape(name)+"/revoke",
		map[string]any{"reason": reason, "notify": notify}, &done)
	if err != nil {
		return client.Certificate{}, err
	}
	return c.Certificate(ctx, done.UUID)
}

// Reshare gives a certificate's view-and-share page a new address. The old address stops
// working.
func (c *Client) Reshare(ctx context.Context, name string) (client.Certificate, error) {
	var done struct{ UUID string }
	if err := c.Post(ctx, "/panel/certificates/"+url.PathEscape(name)+"/reshare", nil, &done); err != nil {
		return client.Certificate{}, err
	}
	return c.Certificate(ctx, done.UUID)
}

// Reissue makes a corrected successor, marks the certificate as replaced, and
// returns the successor, which is processed then.
func (c *Client) Reissue(ctx context.Context, name string, m Amendment) (client.Certificate, error) {
	var done struct{ UUID string }
	if err := c.Post(ctx, "/panel/certificates/"+url.PathEscape(name)+"/reissue", m, &done); err != nil {
		return client.Certificate{}, err
	}
	return c.Certificate(ctx, done.UUID)
}

// recipientsPath is what the paths begin with that name whose data are erased.
const recipientsPath = "/panel/recipients/"

// EraseRecipient destroys the personal data and the files of everything that was
// issued to an address; where several people share it, of one of them, by name or
// external ID.
func (c *Client) EraseRecipient(ctx context.Context, email, person string) (Erasure, error) {
	return c.erase(ctx, email, url.Values{"person": {person}})
}

// PlanErasure says what EraseRecipient would destroy.
func (c *Client) PlanErasure(ctx context.Context, email, person string) (Erasure, error) {
	return c.erase(ctx, email, url.Values{"person": {person}, "dry_run": {"true"}})
}

// ReadmitRecipient lets something be issued again to an address that was erased.
func (c *Client) ReadmitRecipient(ctx context.Context, email string) error {
	var done struct{}
	return c.Post(ctx, recipientsPath+url.PathEscape(email)+"/readmit", struct{}{}, &done)
}

// ReapplyErasures erases again everyone whom the list of erasures has and the home knows, and
// returns how many people that were.
func (c *Client) ReapplyErasures(ctx context.Context) (int, error) {
	var done struct{ Erased int }
	err := c.Post(ctx, "/panel/erasures/reapply", struct{}{}, &done)
	return done.Erased, err
}

func (c *Client) erase(ctx context.Context, email string, q url.Values) (Erasure, error) {
	var done Erasure
	path := recipientsPath + url.PathEscape(email) + "?" + q.Encode()
	err := c.Call(ctx, http.MethodDelete, path, nil, &done)
	return done, err
}

package adminclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// InstitutionHeader says, by slug, ID or name, which institution a call of staff is for. An
// agent answers with the same header and the institution's slug where its home has several.
const InstitutionHeader = "X-Vecctl-Institution"

// InstitutionNameHeader has the institution's name, escaped as in a query, beside
// InstitutionHeader in an answer.
const InstitutionNameHeader = "X-Vecctl-Institution-Name"

// ForInstitution is a transport whose calls are for one institution.
type ForInstitution struct {
	Name string // its slug, ID or name
	Next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t ForInstitution) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(InstitutionHeader, url.QueryEscape(t.Name))
	return t.Next.RoundTrip(r)
}

// Institution is one of the institutions of an agent's home.
type Institution struct {
	ID       uint32 `json:"id"`
	Name     string `json:"name"`
	Slug     string `json:"slug"`      // its name on command lines and in folder names
	TimeZone string `json:"time_zone"` // IANA name
	Sender   string `json:"sender"`    // address that mails come from
	// PartialNames says that verification pages show recipients' names in part.
	PartialNames bool `json:"partial_names"`
	// SharedAddresses says whether several people may have one address, title and issue
	// date; nil leaves it to the setting issuing.shared_addresses.
	SharedAddresses   *bool             `json:"shared_addresses,omitempty"`
	ApplicationPolicy ApplicationPolicy `json:"applying"` // what people may apply for
	Logo              bool              `json:"logo"`     // has one
	Current           bool              `json:"current"`  // the one that the call is for
	Primary           bool              `json:"primary"`  // the public pages have its look
	CreatedAt         time.Time         `json:"created_at"`
	ClosedAt          *time.Time        `json:"closed_at"` // null while it is open
}

// Institutions lists the institutions of an agent's home.
func (c *Client) Institutions(ctx context.Context) ([]Institution, error) {
	var all []Institution
	err := c.Call(ctx, http.MethodGet, "/panel/institutions", nil, &all)
	return all, err
}

// AddInstitution makes an institution; its base URL is the home's.
func (c *Client) AddInstitution(ctx context.Context, s Settings) (Institution, error) {
	var made Institution
	err := c.Post(ctx, "/panel/institutions", s, &made)
	return made, err
}

// UseInstitution makes an institution, by slug, ID or name, the home's primary one.
func (c *Client) UseInstitution(ctx context.Context, name string) (Institution, error) {
	return c.onInstitution(ctx, http.MethodPost, name, "/use")
}

// CloseInstitution makes an institution read-only.
func (c *Client) CloseInstitution(ctx context.Context, name string) (Institution, error) {
	return c.onInstitution(ctx, http.MethodPost, name, "/close")
}

// ReopenInstitution opens an institution that was closed.
func (c *Client) ReopenInstitution(ctx context.Context, name string) (Institution, error) {
	return c.onInstitution(ctx, http.MethodPost, name, "/reopen")
}

// RemoveInstitution removes an institution of which nothing is kept.
func (c *Client) RemoveInstitution(ctx context.Context, name string) (Institution, error) {
	return c.onInstitution(ctx, http.MethodDelete, name, "")
}

func (c *Client) onInstitution(ctx context.Context, method, name, act string) (Institution, error) {
	var one Institution
	err := c.Call(ctx, method, "/panel/institutions/"+url.PathEscape(name)+act, nil, &one)
	return one, err
}

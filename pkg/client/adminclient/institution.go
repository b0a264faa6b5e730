package adminclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Institution is one of the institutions of an agent's home.
type Institution struct {
	ID       uint32 `json:"id"`
	Name     string `json:"name"`
	TimeZone string `json:"time_zone"` // IANA name
	Sender   string `json:"sender"`    // address that mails come from
	// PartialNames says that verification pages show recipients' names in part.
	PartialNames bool `json:"partial_names"`
	// SharedAddresses says whether several people may have one address, title and issue
	// date; nil leaves it to the setting issuing.shared_addresses.
	SharedAddresses   *bool             `json:"shared_addresses,omitempty"`
	ApplicationPolicy ApplicationPolicy `json:"applying"` // what people may apply for
	Logo              bool              `json:"logo"`     // has one
	Current           bool              `json:"current"`  // the one that staff work for
	CreatedAt         time.Time         `json:"created_at"`
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

// UseInstitution makes an institution, by ID or name, the one that staff work for.
func (c *Client) UseInstitution(ctx context.Context, name string) (Institution, error) {
	var used Institution
	err := c.Post(ctx, "/panel/institutions/"+url.PathEscape(name)+"/use", struct{}{}, &used)
	return used, err
}

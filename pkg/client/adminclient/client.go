// Package adminclient calls an agent for what only the institution's staff may do,
// the decisions of its certification authority included.
package adminclient

import (
	"net/http"

	"github.com/vecctl/vecctl/pkg/client"
)

// Client calls an agent for its staff. It has the calls of the vault's API and those
// of the authority's registrar besides. It is safe for concurrent use.
type Client struct {
	*client.Client
	AuthorityCalls
}

// New makes a staff's client of an agent; the transport leads to it, and base is the
// address that it is called by. An address that is none is an error of kind Invalid.
func New(base string, transport http.RoundTripper) (*Client, error) {
	c, err := client.New(base, "", transport)
	if err != nil {
		return nil, err
	}
	return FromClient(c), nil
}

// FromClient makes a staff's client of a client. A vault without a panel answers that it does
// not know the calls of staff.
func FromClient(c *client.Client) *Client {
	return &Client{Client: c, AuthorityCalls: NewAuthorityCalls(c)}
}

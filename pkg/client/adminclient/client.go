// Package adminclient calls an agent for what only the institution's staff may do,
// the decisions of its certification authority included.
package adminclient

import (
	"net/http"

	"github.com/vecctl/vecctl/pkg/client"
)

// Client has the calls of staff: those of the vault's API, those of the agent, and those of
// the certification authority. It is safe for concurrent use.
type Client struct {
	*client.Client
	AuthorityCalls
}

// New returns a staff client for the agent that the transport connects to. The base is the URL
// of all calls; an invalid one is an error of kind Invalid.
func New(base string, transport http.RoundTripper) (*Client, error) {
	c, err := client.New(base, "", transport)
	if err != nil {
		return nil, err
	}
	return FromClient(c), nil
}

// FromClient returns a staff client that uses a client's connection. A remote vault answers
// the calls of staff with not found.
func FromClient(c *client.Client) *Client {
	return &Client{Client: c, AuthorityCalls: NewAuthorityCalls(c)}
}

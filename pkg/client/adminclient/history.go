package adminclient

import (
	"context"
	"net/http"
	"net/url"

	"github.com/vecctl/vecctl/pkg/client"
)

// CertificateHistory is everything that an agent knows of one certificate.
type CertificateHistory struct {
	Certificate client.Certificate `json:"certificate"`
	// Events in order of happening: the first 500, then the latest 500.
	Events []CertificateEvent `json:"events"`
	// Chain is the certificate among those that it corrects and that correct it,
	// the oldest first; it alone where there are none.
	Chain []client.Certificate `json:"chain"`
}

// History returns the story of a certificate of an agent's home, by UUID or
// reference ID.
func (c *Client) History(ctx context.Context, name string) (CertificateHistory, error) {
	var s CertificateHistory
	err := c.Call(ctx, http.MethodGet, "/panel/certificates/"+url.PathEscape(name)+"/story", nil, &s)
	return s, err
}

// Issued finds a certificate by its reference ID, whichever institution of an agent's
// home issued it.
func (c *Client) Issued(ctx context.Context, reference string) (client.Certificate, error) {
	var found client.Certificate
	err := c.Call(ctx, http.MethodGet, "/panel/issued/"+url.PathEscape(reference), nil, &found)
	return found, err
}

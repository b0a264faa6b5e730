// Package authorityclient is a store's client of the VendWeave Certification
// Authority contract, version 1.0.0. Client makes the five calls and reports
// errors; BadgeKeeper is for programs to which certification is optional: it never
// fails them.
package authorityclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

// Snapshot is what an integration says of itself (contract, "Request
// Certification").
type Snapshot struct {
	SDKVersion     string   `json:"sdk_version"`
	QualifiedBadge string   `json:"qualified_badge,omitempty"` // what the SDK believes to have earned
	Features       Features `json:"features"`
	Services       Services `json:"services"`
	Config         Config   `json:"config"`
	Timestamp      string   `json:"timestamp,omitempty"` // RFC 3339
}

// Features are the parts that are switched on.
type Features struct {
	Base            bool `json:"base"`
	ReferenceStrict bool `json:"reference_strict"`
	Governance      bool `json:"governance"`
	Financial       bool `json:"financial"`
	Currency        bool `json:"currency"`
}

// Services are the services that are there.
type Services struct {
	TransactionVerifier    bool `json:"transaction_verifier"`
	ReferenceGovernor      bool `json:"reference_governor"`
	FinancialRecordManager bool `json:"financial_record_manager"`
	CurrencyNormalizer     bool `json:"currency_normalizer"`
}

// Config is how the integration is set up.
type Config struct {
	APIKeySet                      bool `json:"api_key_set"`
	StoreSlugSet                   bool `json:"store_slug_set"`
	ReferenceStrictMode            bool `json:"reference_strict_mode"`
	ReferenceGovernanceEnabled     bool `json:"reference_governance_enabled"`
	FinancialReconciliationEnabled bool `json:"financial_reconciliation_enabled"`
	BaseCurrencySet                bool `json:"base_currency_set"`
}

// States of a certification, as answers name them. Unknown is no answer's: it is
// what a Keeper says when it cannot know.
const (
	Pending    = "pending"
	Active     = "active"
	Expired    = "expired"
	Revoked    = "revoked"
	Superseded = "superseded"
	Unknown    = "unknown"
)

// Certification is an answer about a certification. What an answer leaves out is
// empty here.
type Certification struct {
	Status           string     `json:"status"`
	BadgeCode        string     `json:"badge_code,omitempty"` // such as VW-CERT-FIN
	BadgeName        string     `json:"badge_name,omitempty"`
	PreviousBadge    string     `json:"previous_badge,omitempty"`
	ProjectName      string     `json:"project_name,omitempty"`
	Domain           string     `json:"domain,omitempty"`
	SDKVersion       string     `json:"sdk_version,omitempty"`
	VerificationHash string     `json:"verification_hash,omitempty"`
	IssuedAt         *time.Time `json:"issued_at,omitempty"`
	ExpiresAt        *time.Time `json:"expires_at,omitempty"`
	RevokedAt        *time.Time `json:"revoked_at,omitempty"`
	RevokeReason     string     `json:"revoke_reason,omitempty"`
	Upgraded         bool       `json:"upgraded,omitempty"`
	Downgraded       bool       `json:"downgraded,omitempty"`
	DowngradeReason  string     `json:"downgrade_reason,omitempty"`
	Features         []string   `json:"features,omitempty"`
	BadgeURL         string     `json:"badge_url,omitempty"`
	VerifyURL        string     `json:"verify_url,omitempty"`
	RequestID        string     `json:"request_id,omitempty"` // of a pending request
	Message          string     `json:"message,omitempty"`
}

// Verification is the answer about a badge's hash.
type Verification struct {
	Valid       bool       `json:"valid"`
	Status      string     `json:"status"` // one of the states, or invalid
	ProjectName string     `json:"project_name,omitempty"`
	Domain      string     `json:"domain,omitempty"`
	BadgeCode   string     `json:"badge_code,omitempty"`
	BadgeName   string     `json:"badge_name,omitempty"`
	SDKVersion  string     `json:"sdk_version,omitempty"`
	IssuedAt    *time.Time `json:"issued_at,omitempty"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	ExpiredAt   *time.Time `json:"expired_at,omitempty"`
	RevokedAt   *time.Time `json:"revoked_at,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	Features    []string   `json:"features,omitempty"`
	DomainMatch *bool      `json:"domain_match,omitempty"` // when a domain was asked about
	Message     string     `json:"message,omitempty"`
}

// Error is an answer that is an error. Its kind is that of package fault.
type Error struct {
	Status     int           // HTTP status
	Code       string        // such as INVALID_DOMAIN; "" where the answer has none
	Message    string        // the authority's
	RetryAfter time.Duration // how long to leave it alone; 0 where it does not say
	fault      *fault.Error
}

// Error is the message and the code.
func (e *Error) Error() string { return e.fault.Error() }

// Unwrap gives the error its kind.
func (e *Error) Unwrap() error { return e.fault }

// Client calls one authority for one store. It is safe for concurrent use.
type Client struct {
	base, key, store string
	http             *http.Client
}

// New makes a client of the authority at a base URL. Key and store may be empty
// for a client that only verifies. Without client.InsecureHTTP, a key and an http:// address
// of another machine are refused.
func New(base, key, store string, transport http.RoundTripper, options ...client.Option) (*Client, error) {
	base, err := client.CheckAddress(base, "https://vendweave.com", key != "", options...)
	if err != nil {
		return nil, err
	}
	const patience = 30 * time.Second
	return &Client{base: base + "/api/certify/", key: key, store: store,
		http: &http.Client{Transport: transport, Timeout: patience, CheckRedirect: client.CheckRedirect(keyHeader, storeHeader)}}, nil
}

// Headers that say which store calls.
const (
	keyHeader   = "X-VendWeave-Key"
	storeHeader = "X-VendWeave-Store"
)

// Request asks for a certification of a domain. The result's status is active, or
// pending until the authority has decided.
func (c *Client) Request(ctx context.Context, domain, project string, s Snapshot) (Certification, error) {
	return c.certification(ctx, http.MethodPost, "request", map[string]any{
		"domain": domain, "project_name": project, "store_slug": c.store, "snapshot": s,
	})
}

// Status asks for the certification of a domain or App ID.
func (c *Client) Status(ctx context.Context, domain string) (Certification, error) {
	return c.certification(ctx, http.MethodGet, "status?domain="+url.QueryEscape(domain), nil)
}

// Renew asks for the next term of a certification.
func (c *Client) Renew(ctx context.Context, hash string, s Snapshot) (Certification, error) {
	return c.certification(ctx, http.MethodPost, "renew", map[string]any{"verification_hash": hash, "snapshot": s})
}

// Revoke ends a certification.
func (c *Client) Revoke(ctx context.Context, hash, reason string) (Certification, error) {
	return c.certification(ctx, http.MethodPost, "revoke", map[string]any{"verification_hash": hash, "reason": reason})
}

func (c *Client) certification(ctx context.Context, method, path string, body any) (Certification, error) {
	var answer struct {
		Certification
		Badge  *string `json:"badge_code"` // null once it is revoked
		Reason string  `json:"reason"`     // of a revocation, in the answer to it
	}
	if err := c.call(ctx, method, path, body, &answer); err != nil {
		return Certification{}, err
	}
	if answer.Badge != nil {
		answer.BadgeCode = *answer.Badge
	}
	if answer.RevokeReason == "" {
		answer.RevokeReason = answer.Reason
	}
	return answer.Certification, nil
}

// Verify asks about a badge's hash; it needs no key. A domain, where given, is the
// one on which the badge was met. A hash that is not known is a verdict, no error.
func (c *Client) Verify(ctx context.Context, hash, domain string) (Verification, error) {
	path := "verify/" + url.PathEscape(hash)
	if domain != "" {
		path += "?domain=" + url.QueryEscape(domain)
	}
	var v Verification
	err := c.call(ctx, http.MethodGet, path, nil, &v)
	if fault.Is(err, fault.NotFound) {
		return Verification{Status: "invalid", Message: "Badge hash not found"}, nil
	}
	return v, err
}

// call makes one call and decodes its answer.
func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("calling the authority: %w", err)
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return fmt.Errorf("calling the authority: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		req.Header.Set(keyHeader, c.key)
		req.Header.Set(storeHeader, c.store)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, said := fault.Message(err); said {
			return err // the transport knows better what cannot be reached
		}
		return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the authority at %s cannot be reached; check the address and that it runs", c.base))
	}
	defer resp.Body.Close()
	const most = 1 << 20
	raw, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err == nil && resp.StatusCode < http.StatusMultipleChoices {
		err = json.Unmarshal(raw, into)
	}
	switch {
	case err != nil:
		return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("the answer of the authority at %s cannot be read", c.base))
	case resp.StatusCode >= http.StatusMultipleChoices:
		return failure(resp, raw)
	}
	return nil
}

// failure makes an error of an answer in the contract's dialect.
func failure(resp *http.Response, raw []byte) error {
	var body struct {
		Code    string `json:"error_code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &body) != nil || body.Message == "" {
		body.Message = "the authority answered " + resp.Status
	}
	e := &Error{Status: resp.StatusCode, Code: body.Code, Message: body.Message, RetryAfter: client.RetryAfter(resp.Header)}
	if body.Code != "" {
		body.Message += " (" + body.Code + ")"
	}
	e.fault = fault.New(kindOf(resp.StatusCode, body.Code), body.Message)
	return e
}

func kindOf(status int, code string) fault.Kind {
	switch {
	case code == "CANNOT_RENEW":
		return fault.Illegal
	case status == http.StatusUnauthorized:
		return fault.Unauthenticated
	case status == http.StatusForbidden:
		return fault.Forbidden
	case status == http.StatusNotFound:
		return fault.NotFound
	case status == http.StatusConflict:
		return fault.Conflict
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable, status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return fault.Unavailable
	case status < http.StatusInternalServerError:
		return fault.Invalid
	}
	return fault.Internal
}

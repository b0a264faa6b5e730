package adminclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
)

// Store is a store of the certification authority as staff see it.
type Store struct {
	Slug      string     `json:"store_slug"`
	Review    bool       `json:"review"` // staff look at each request
	Disabled  bool       `json:"disabled"`
	CreatedAt time.Time  `json:"created_at"`
	RotatedAt *time.Time `json:"rotated_at"`
	APIKey    string     `json:"api_key,omitempty"` // only in the answer that made it
}

// StoreDomain is a domain of a store as staff see it.
type StoreDomain struct {
	Domain     string     `json:"domain"`
	Store      string     `json:"store_slug"`
	Proof      *string    `json:"proof"` // dns, meta or staff; null while there is none
	ProvenAt   *time.Time `json:"proven_at"`
	CheckedAt  *time.Time `json:"checked_at"`
	NextCheck  *time.Time `json:"next_check"`
	Found      string     `json:"found,omitempty"` // what the last check met
	RecordName string     `json:"txt_name,omitempty"`
	Record     string     `json:"txt_value,omitempty"`
	Tag        string     `json:"meta_tag,omitempty"`
}

// StoreCertification is a certification as staff see it.
type StoreCertification struct {
	RequestID   string     `json:"request_id"`
	Status      string     `json:"status"`
	Store       string     `json:"store_slug"`
	Domain      string     `json:"domain"`
	Project     string     `json:"project_name"`
	Badge       string     `json:"badge_code"`
	SDKVersion  string     `json:"sdk_version"`
	Hash        string     `json:"verification_hash,omitempty"`
	RequestedAt time.Time  `json:"requested_at"`
	IssuedAt    *time.Time `json:"issued_at"`
	ExpiresAt   *time.Time `json:"expires_at"`
	RevokedAt   *time.Time `json:"revoked_at"`
	Reason      string     `json:"reason,omitempty"`
	WaitsFor    []string   `json:"waits_for,omitempty"` // proof, review
}

// AuditEntry is an act in the authority's audit list. Each holds the hash of the
// one before.
type AuditEntry struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Who     string    `json:"who"`
	What    string    `json:"what"`
	Subject string    `json:"subject"`
	Why     string    `json:"why,omitempty"`
	Before  string    `json:"before"`
	Hash    string    `json:"hash"`
}

// CertificationActive is the status of a certification that counts.
const CertificationActive = "active"

// AuthorityCalls are the registrar's calls of one agent. They are safe for concurrent use.
type AuthorityCalls struct{ vault *client.Client }

// NewAuthorityCalls makes the calls of the agent that c reaches.
func NewAuthorityCalls(c *client.Client) AuthorityCalls { return AuthorityCalls{c} }

const authorityPath = "/panel/authority/"

// AddStore registers a store; the answer alone has its API key.
func (c AuthorityCalls) AddStore(ctx context.Context, slug string, review bool) (s Store, err error) {
	err = c.vault.Post(ctx, authorityPath+"stores", Store{Slug: slug, Review: review}, &s)
	return s, err
}

// Stores lists the stores by name.
func (c AuthorityCalls) Stores(ctx context.Context) (all []Store, err error) {
	err = c.vault.Call(ctx, http.MethodGet, authorityPath+"stores", nil, &all)
	return all, err
}

// ActOnStore changes a store: rotate-key, disable, enable, review, no-review.
func (c AuthorityCalls) ActOnStore(ctx context.Context, slug, act string) (s Store, err error) {
	err = c.vault.Call(ctx, http.MethodPost, authorityPath+"stores/"+url.PathEscape(slug)+"/"+act, nil, &s)
	return s, err
}

// AddDomain registers a domain or App ID for a store.
func (c AuthorityCalls) AddDomain(ctx context.Context, domain, store string) (d StoreDomain, err error) {
	err = c.vault.Post(ctx, authorityPath+"domains", StoreDomain{Domain: domain, Store: store}, &d)
	return d, err
}

// Domains lists the domains by name.
func (c AuthorityCalls) Domains(ctx context.Context) (all []StoreDomain, err error) {
	err = c.vault.Call(ctx, http.MethodGet, authorityPath+"domains", nil, &all)
	return all, err
}

// ActOnDomain acts on a domain: check, trust, remove.
func (c AuthorityCalls) ActOnDomain(ctx context.Context, domain, act string) (d StoreDomain, err error) {
	err = c.vault.Call(ctx, http.MethodPost, authorityPath+"domains/"+url.PathEscape(domain)+"/"+act, nil, &d)
	return d, err
}

// StoreCertifications lists each domain's latest certification, of one store or,
// with "", of all.
func (c AuthorityCalls) StoreCertifications(ctx context.Context, store string) (all []StoreCertification, err error) {
	err = c.vault.Call(ctx, http.MethodGet, authorityPath+"certifications?store="+url.QueryEscape(store), nil, &all)
	return all, err
}

// PendingRequests lists the certification requests that wait, oldest first.
func (c AuthorityCalls) PendingRequests(ctx context.Context) (all []StoreCertification, err error) {
	err = c.vault.Call(ctx, http.MethodGet, authorityPath+"pending", nil, &all)
	return all, err
}

// DecideRequest approves or rejects a pending request; a rejection has a reason.
func (c AuthorityCalls) DecideRequest(ctx context.Context, id, act, reason string) (s StoreCertification, err error) {
	err = c.vault.Post(ctx, authorityPath+"requests/"+url.PathEscape(id)+"/"+act, map[string]string{"reason": reason}, &s)
	return s, err
}

// RevokeCertification revokes any store's certification.
func (c AuthorityCalls) RevokeCertification(ctx context.Context, hash, reason string) (s StoreCertification, err error) {
	err = c.vault.Post(ctx, authorityPath+"certifications/"+url.PathEscape(hash)+"/revoke", map[string]string{"reason": reason}, &s)
	return s, err
}

// EmbedSnippet is the HTML with which a store shows a badge.
func (c AuthorityCalls) EmbedSnippet(ctx context.Context, hash, size string) (snippet string, err error) {
	var body struct {
		HTML string `json:"html"`
	}
	err = c.vault.Call(ctx, http.MethodGet, authorityPath+"certifications/"+url.PathEscape(hash)+"/embed?size="+url.QueryEscape(size), nil, &body)
	return body.HTML, err
}

// AuditLog lists up to n entries of the audit list after a number, in order.
func (c AuthorityCalls) AuditLog(ctx context.Context, after uint64, n int) (all []AuditEntry, err error) {
	path := authorityPath + "log?after=" + strconv.FormatUint(after, 10) + "&n=" + strconv.Itoa(n)
	err = c.vault.Call(ctx, http.MethodGet, path, nil, &all)
	return all, err
}

// VerifyAuditLog checks the whole audit list and returns its last entry.
func (c AuthorityCalls) VerifyAuditLog(ctx context.Context) (last AuditEntry, err error) {
	err = c.vault.Call(ctx, http.MethodGet, authorityPath+"log/verify", nil, &last)
	return last, err
}

// RotateAuthoritySecret makes new badge hashes under a new secret; its ID is
// returned.
func (c AuthorityCalls) RotateAuthoritySecret(ctx context.Context) (id string, err error) {
	var body struct {
		ID string `json:"key_id"`
	}
	err = c.vault.Call(ctx, http.MethodPost, authorityPath+"secret/rotate", nil, &body)
	return body.ID, err
}

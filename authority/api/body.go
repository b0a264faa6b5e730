package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/vecctl/vecctl/authority"
)

// Bounds of a body.
const (
	maxBodySize = 256 << 10
	bodyTimeout = 10 * time.Second
)

// readBody decodes a request's body.
func readBody(w http.ResponseWriter, r *http.Request, into any) error {
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if kind, _, err := mime.ParseMediaType(kind); err != nil || kind != "application/json" {
			return statusError{authority.NewContractError(authority.InvalidRequest, "The body must be application/json"), http.StatusUnsupportedMediaType}
		}
	}
	// Not every transport knows deadlines; the network's does.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodySize))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return statusError{authority.NewContractError(authority.InvalidRequest, "The body is too large"), http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return statusError{authority.NewContractError(authority.InvalidRequest, "The body came too slowly or ended early"), http.StatusRequestTimeout}
	}
	if !utf8.Valid(raw) {
		return authority.NewContractError(authority.InvalidRequest, "The body is not UTF-8")
	}
	err = json.Unmarshal(raw, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return authority.NewContractError(authority.InvalidRequest, wrong.Field+" is of the wrong type")
	}
	if err != nil {
		return authority.NewContractError(authority.InvalidRequest, "The body is not a JSON object")
	}
	return nil
}

// requestBody asks for a certification.
type requestBody struct {
	Domain    string              `json:"domain"`
	Project   string              `json:"project_name"`
	StoreSlug string              `json:"store_slug"`
	Snapshot  *authority.Snapshot `json:"snapshot"`
}

func (b requestBody) claim(a authority.Account) (authority.Claim, error) {
	switch {
	case b.Snapshot == nil:
		return authority.Claim{}, authority.NewContractError(authority.InvalidRequest, "snapshot is missing")
	case b.StoreSlug != "" && b.StoreSlug != a.Slug:
		return authority.Claim{}, authority.NewContractError(authority.InvalidRequest, "store_slug is not the store that makes the request")
	}
	return authority.Claim{Domain: b.Domain, Project: b.Project, Snapshot: *b.Snapshot}, nil
}

type revokeBody struct {
	Hash   string `json:"verification_hash"`
	Reason string `json:"reason"`
}

type renewBody struct {
	Hash     string              `json:"verification_hash"`
	Snapshot *authority.Snapshot `json:"snapshot"`
}

// certificationBody is a certification in the answers to request, status and renew.
type certificationBody struct {
	Status          authority.State `json:"status"`
	Badge           authority.Badge `json:"badge_code"`
	BadgeName       string          `json:"badge_name"`
	PreviousBadge   authority.Badge `json:"previous_badge,omitempty"`
	Project         string          `json:"project_name"`
	Domain          string          `json:"domain"`
	SDKVersion      string          `json:"sdk_version"`
	Hash            string          `json:"verification_hash"`
	IssuedAt        time.Time       `json:"issued_at"`
	ExpiresAt       time.Time       `json:"expires_at"`
	Upgraded        bool            `json:"upgraded,omitempty"`
	Downgraded      bool            `json:"downgraded,omitempty"`
	DowngradeReason string          `json:"downgrade_reason,omitempty"`
	Features        []string        `json:"features"`
	BadgeURL        string          `json:"badge_url,omitempty"`
	VerifyURL       string          `json:"verify_url,omitempty"`
	Message         string          `json:"message,omitempty"`
}

func toAPI(c authority.Certification, now time.Time) certificationBody {
	return certificationBody{
		Status: c.At(now), Badge: c.Badge, BadgeName: c.Badge.Name(), Project: c.Project, Domain: c.Domain, SDKVersion: c.SDKVersion,
		Hash: c.Hash, IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt, Features: c.Badge.Features(),
	}
}

// pendingBody is a pending request.
type pendingBody struct {
	Status  authority.State `json:"status"`
	Message string          `json:"message"`
	Request string          `json:"request_id"`
	Project string          `json:"project_name,omitempty"`
	Domain  string          `json:"domain,omitempty"`
}

// revokedStatusBody is the status of a revoked certification, which has no badge.
type revokedStatusBody struct {
	Status    authority.State  `json:"status"`
	Badge     *authority.Badge `json:"badge_code"`
	RevokedAt time.Time        `json:"revoked_at"`
	Reason    string           `json:"revoke_reason"`
	Message   string           `json:"message"`
}

// revocationBody answers a revocation.
type revocationBody struct {
	Status    authority.State `json:"status"`
	RevokedAt time.Time       `json:"revoked_at"`
	Reason    string          `json:"reason"`
	Message   string          `json:"message"`
}

// validBody is the answer about a badge that is good.
type validBody struct {
	Valid      bool            `json:"valid"`
	Project    string          `json:"project_name"`
	Domain     string          `json:"domain"`
	Badge      authority.Badge `json:"badge_code"`
	BadgeName  string          `json:"badge_name"`
	Status     authority.State `json:"status"`
	IssuedAt   string          `json:"issued_at"` // as times are; encoding those costs more
	ExpiresAt  string          `json:"expires_at"`
	SDKVersion string          `json:"sdk_version"`
	Features   []string        `json:"features"`
	// DomainMatch is there when the question named a domain.
	DomainMatch *bool  `json:"domain_match,omitempty"`
	Message     string `json:"message,omitempty"`
}

// invalidBody is the answer about any other badge.
type invalidBody struct {
	Valid     bool       `json:"valid"`
	Status    string     `json:"status"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	ExpiredAt *time.Time `json:"expired_at,omitempty"`
	Message   string     `json:"message,omitempty"`
}

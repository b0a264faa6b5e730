package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/vecctl/vecctl/authority"
)

const (
	reviewText  = "Certification request is being reviewed"
	revokedText = "Certification has been revoked"
	expiredText = "Certification has expired"
)

// request is POST /api/certify/request.
func (d *Handler) request(w http.ResponseWriter, r *http.Request, a authority.Account) error {
	var body requestBody
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	claim, err := body.claim(a)
	if err != nil {
		return err
	}
	c, err := d.service.Request(r.Context(), a, claim)
	if err != nil {
		return err
	}
	if c.State == authority.Pending {
		return respond(w, http.StatusAccepted, pendingBody{Status: c.State, Message: reviewText, Request: c.ID})
	}
	answer := toAPI(c, d.service.Now())
	answer.BadgeURL, answer.VerifyURL = badgeURL(d.baseURL(), c), verifyURL(d.baseURL(), c)
	return respond(w, http.StatusCreated, answer)
}

// badgeURL is where a certification's badge is drawn.
func badgeURL(base string, c authority.Certification) string {
	return strings.TrimRight(base, "/") + "/badges/" + string(c.Badge) + ".svg"
}

// verifyURL is the page of a certification.
func verifyURL(base string, c authority.Certification) string {
	return strings.TrimRight(base, "/") + "/verify/" + c.Hash
}

// status is GET /api/certify/status.
func (d *Handler) status(w http.ResponseWriter, r *http.Request, a authority.Account) error {
	domain := r.URL.Query().Get("domain")
	if domain == "" {
		return authority.NewContractError(authority.InvalidRequest, "domain is missing")
	}
	c, err := d.service.Status(r.Context(), a, domain)
	if err != nil {
		return err
	}
	switch answer := toAPI(c, d.service.Now()); answer.Status {
	case authority.Pending:
		return respond(w, http.StatusOK, pendingBody{c.State, reviewText, c.ID, c.Project, c.Domain})
	case authority.Revoked:
		return respond(w, http.StatusOK, revokedStatusBody{Status: c.State, RevokedAt: c.RevokedAt, Reason: c.Reason, Message: revokedText})
	case authority.Expired:
		answer.Message = expiredText
		return respond(w, http.StatusOK, answer)
	case authority.Active, authority.Superseded, authority.Rejected:
		return respond(w, http.StatusOK, answer)
	}
	return authority.ErrNoCertification()
}

// verify is GET /api/certify/verify/{hash}, for anybody.
func (d *Handler) verify(w http.ResponseWriter, r *http.Request) error {
	if err := d.limitByAddress(w, r); err != nil {
		return err
	}
	w.Header().Set("Access-Control-Allow-Origin", "*") // pages may ask about the badge that stands on them
	c, err := d.service.Verify(r.Context(), r.PathValue("hash"))
	if refusal, ok := errors.AsType[*authority.ContractError](err); ok && refusal.Code == authority.NotFound {
		return respond(w, http.StatusNotFound, invalidBody{Status: "invalid", Message: "Badge hash not found"})
	}
	if err != nil {
		return err
	}
	switch state := c.At(d.service.Now()); state {
	case authority.Active:
		return respond(w, http.StatusOK, verificationOf(c, r))
	case authority.Revoked:
		return respond(w, http.StatusOK, invalidBody{Status: string(state), RevokedAt: &c.RevokedAt, Reason: c.Reason})
	case authority.Expired:
		return respond(w, http.StatusOK, invalidBody{Status: string(state), ExpiredAt: &c.ExpiresAt, Message: expiredText})
	case authority.Superseded:
		return respond(w, http.StatusOK, invalidBody{Status: string(state), Message: "Certification has been renewed; this badge hash is no longer in use"})
	case authority.Pending, authority.Rejected:
	}
	return respond(w, http.StatusNotFound, invalidBody{Status: "invalid", Message: "Badge hash not found"})
}

// verificationOf is the answer about an active certification. One that stands on another
// domain than its own is not valid there.
func verificationOf(c authority.Certification, r *http.Request) validBody {
	answer := validBody{
		Valid: true, Project: c.Project, Domain: c.Domain, Badge: c.Badge, BadgeName: c.Badge.Name(), Status: authority.Active,
		IssuedAt: c.IssuedAt.Format(time.RFC3339), ExpiresAt: c.ExpiresAt.Format(time.RFC3339),
		SDKVersion: c.SDKVersion, Features: c.Badge.Features(),
	}
	if r.URL.RawQuery == "" {
		return answer
	}
	if query := r.URL.Query(); query.Has("domain") {
		match := authority.Covers(c.Domain, query.Get("domain"))
		answer.Valid, answer.DomainMatch = match, &match
		if !match {
			answer.Message = "This badge belongs to " + c.Domain + " and is not valid on another domain"
		}
	}
	return answer
}

// revoke is POST /api/certify/revoke.
func (d *Handler) revoke(w http.ResponseWriter, r *http.Request, a authority.Account) error {
	var body revokeBody
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	c, err := d.service.Revoke(r.Context(), a.Slug, body.Hash, body.Reason)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, revocationBody{Status: c.State, RevokedAt: c.RevokedAt, Reason: c.Reason, Message: revokedText})
}

// renew is POST /api/certify/renew.
func (d *Handler) renew(w http.ResponseWriter, r *http.Request, a authority.Account) error {
	var body renewBody
	if err := readBody(w, r, &body); err != nil {
		return err
	}
	if body.Snapshot == nil {
		return authority.NewContractError(authority.InvalidRequest, "snapshot is missing")
	}
	c, err := d.service.Renew(r.Context(), a, body.Hash, *body.Snapshot)
	if err != nil {
		return err
	}
	answer := toAPI(c, d.service.Now())
	answer.PreviousBadge, answer.Upgraded = c.PreviousBadge, c.Upgraded()
	answer.DowngradeReason = c.Downgraded()
	answer.Downgraded = answer.DowngradeReason != ""
	answer.BadgeURL, answer.VerifyURL = badgeURL(d.baseURL(), c), verifyURL(d.baseURL(), c)
	return respond(w, http.StatusOK, answer)
}

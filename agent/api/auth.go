package api

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// TokenStore is what is needed of the store to know who calls.
type TokenStore interface {
	TokenByHash(ctx context.Context, hash string) (apiaccess.Token, error)
	ChangeToken(ctx context.Context, institution uint32, id string, change func(apiaccess.Token) (apiaccess.Token, error)) (apiaccess.Token, error)
}

// Caller is who makes a call: an institution, and what it may do.
type Caller struct {
	institution uint32
	token       *apiaccess.Token // nil for staff, who may do everything
}

// id tells callers apart: a token by its ID.
func (c Caller) id() string {
	if c.token == nil {
		return "staff"
	}
	return c.token.ID
}

// withAudit puts a call that may change something on its way into the audit trail.
func (c Caller) withAudit(r *http.Request, at vault.Institution, people audit.Pseudonymizer, now time.Time) *http.Request {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r
	}
	p := &audit.PendingAction{Action: audit.Action{Actor: c.auditName(r), Request: r.Method + " " + r.URL.Path, RemoteAddr: c.auditOrigin(r)}, At: now, People: people}
	p.Institution = at.Slug
	return r.WithContext(audit.NewContext(r.Context(), p))
}

// auditName is who calls, for the audit trail. Staff say their names themselves.
func (c Caller) auditName(r *http.Request) string {
	if c.token == nil {
		return adminclient.Actor(r)
	}
	return "token " + c.token.Name + " (" + c.token.ID + ")"
}

func (c Caller) auditOrigin(r *http.Request) string {
	if c.token == nil {
		return "local"
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// checkPermission asks for a permission; the empty one is that of every caller.
func (c Caller) checkPermission(p apiaccess.Permission) error {
	if c.token == nil || p == "" || c.token.Allows(p) {
		return nil
	}
	return permissionError{required: p}
}

// permissionError is a missing permission; the answer names it.
type permissionError struct{ required apiaccess.Permission }

func (f permissionError) Error() string { return "missing permission " + string(f.required) }

// Unwrap gives it its kind and the guide's text.
func (f permissionError) Unwrap() error {
	return fault.New(fault.Forbidden, "Forbidden - Insufficient permissions")
}

func unauthorized() error {
	return fault.New(fault.Unauthenticated, "Unauthorized - Invalid API token")
}

// Authenticator finds out who calls.
type Authenticator func(*http.Request) (Caller, error)

// StaffAuth is for faces that only staff can reach. The request's context says for which
// institution they call.
func StaffAuth(acting *institutions.Registry) Authenticator {
	return func(r *http.Request) (Caller, error) { return Caller{institution: acting.Acting(r.Context()).ID}, nil }
}

// TokenAuth asks for an API token. Unknown, expired and revoked tokens are
// answered alike. The look-up goes by the secret's hash, so its time tells
// nothing about the secret.
func TokenAuth(tokens TokenStore, now func() time.Time) Authenticator {
	return func(r *http.Request) (Caller, error) {
		scheme, secret, ok := strings.Cut(r.Header.Get("Authorization"), " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return Caller{}, unauthorized()
		}
		t, err := tokens.TokenByHash(r.Context(), vault.HashSecret(secret))
		if fault.Is(err, fault.NotFound) {
			return Caller{}, unauthorized()
		}
		if err != nil {
			return Caller{}, err
		}
		if !t.Usable(now()) {
			return Caller{}, unauthorized()
		}
		if _, due := t.MarkUsed(now()); due {
			_, err := tokens.ChangeToken(r.Context(), t.Institution, t.ID, func(t apiaccess.Token) (apiaccess.Token, error) {
				used, _ := t.MarkUsed(now())
				return used, nil
			})
			// A full disk must not keep anybody from reading.
			if err != nil && !fault.Is(err, fault.Full) {
				return Caller{}, err
			}
		}
		return Caller{institution: t.Institution, token: &t}, nil
	}
}

package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// sessionStore is what is needed of the store to know who a browser is.
type sessionStore interface {
	SessionAccount(ctx context.Context, hash string, now time.Time) (vault.Account, error)
	EndSession(ctx context.Context, hash string) error
}

// The cookie's names. The first binds it to this host and to TLS; browsers take it
// over TLS alone, so that a test on the own machine needs the other.
const (
	secureCookie = "__Host-vecctl"
	plainCookie  = "vecctl"
)

// isHTTPS reports whether the visitor's browser came over TLS, here or at a proxy.
func (p *accountPages) isHTTPS(r *http.Request) bool {
	return r.TLS != nil || r.URL.Scheme == "https" || strings.HasPrefix(p.Institutions.BaseURL(), "https://")
}

func (p *accountPages) cookie(r *http.Request, value string, age int) *http.Cookie {
	c := &http.Cookie{Name: plainCookie, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if p.isHTTPS(r) {
		c.Name, c.Secure = secureCookie, true
	}
	return c
}

func (p *accountPages) setCookie(w http.ResponseWriter, r *http.Request, secret string) {
	http.SetCookie(w, p.cookie(r, secret, int(vault.SessionTTL/time.Second)))
}

// sessionHash is that of the session's secret in a request's cookie, "" where there is none.
func (p *accountPages) sessionHash(r *http.Request) string {
	c, err := r.Cookie(p.cookie(r, "", 0).Name)
	if err != nil || c.Value == "" {
		return ""
	}
	return vault.HashSecret(c.Value)
}

// Visitor is the account of a request's session; ok is false when there is none.
func (p *accountPages) Visitor(r *http.Request) (a vault.Account, ok bool, err error) {
	hash := p.sessionHash(r)
	if hash == "" {
		return a, false, nil
	}
	a, err = p.Sessions.SessionAccount(r.Context(), hash, p.Now())
	if fault.Is(err, fault.NotFound) {
		return a, false, nil
	}
	return a, err == nil, err
}

func (p *accountPages) signOut(w http.ResponseWriter, r *http.Request) {
	if hash := p.sessionHash(r); hash != "" {
		if err := p.Sessions.EndSession(r.Context(), hash); err != nil {
			p.Layout.RenderError(w, r, err)
			return
		}
	}
	http.SetCookie(w, p.cookie(r, "", -1))
	http.Redirect(w, r, p.Layout.CurrentPageContext(r).Link("/sign-in"), http.StatusSeeOther)
}

package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority"
)

// FuzzRead holds that a body is read or refused in the contract's words, and that a
// claim that is taken can be asked for.
func FuzzRead(f *testing.F) {
	const kind = "application/json"
	f.Add(kind, `{"domain":"shop.example.com","project_name":"Shop","store_slug":"shop","snapshot":{"sdk_version":"1.2.0","features":{"governance":true},"services":{"base":true},"config":{"api_key_set":true,"store_slug_set":true}}}`)
	f.Add(kind+"; charset=utf-8", `{"verification_hash":"x","reason":1}`)
	f.Add("text/plain", `{}`)
	f.Add("a/b;;=", `null`)
	f.Add(kind, `{"snapshot":{"features":null,"config":{"api_key_set":"yes"}},"snapshot":{}}`)
	f.Add(kind, strings.Repeat(`[`, 20_000))
	f.Add(kind, "\"\xff\"")
	f.Add("", `{"snapshot":null}{}`)
	now := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, kind, body string) {
		try := func(into any) bool {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			r.Header["Content-Type"] = []string{kind}
			err := readBody(httptest.NewRecorder(), r, into)
			if err == nil {
				return true
			}
			refused(t, err)
			return false
		}
		var renewal renewBody
		var revocation revokeBody
		try(&renewal)
		try(&revocation)
		var request requestBody
		if !try(&request) {
			return
		}
		account := authority.Account{Slug: "shop"}
		claim, err := request.claim(account)
		if err != nil {
			refused(t, err)
			return
		}
		if claim.Domain, err = authority.ParseDomain(claim.Domain); err != nil {
			refused(t, err)
			return
		}
		c, err := claim.NewRequest("id", account, "1.0.0", now)
		if err != nil {
			refused(t, err)
			return
		}
		if c.Badge.Rank() == 0 || c.Domain == "" || strings.Contains(c.Domain+c.SDKVersion, "|") {
			t.Errorf("%q is granted %+v", body, c)
		}
		if again, err := authority.ParseDomain(c.Domain); err != nil || again != c.Domain {
			t.Errorf("%q: its domain %q is none, or another: %q, %v", body, c.Domain, again, err)
		}
	})
}

// refused wants an answer of the contract.
func refused(t *testing.T, err error) {
	t.Helper()
	said, ok := errors.AsType[*authority.ContractError](err)
	if !ok || said.Code == "" || said.Error() == "" {
		t.Errorf("an answer that is not of the contract: %v", err)
	}
}

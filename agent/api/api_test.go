package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// oneToken is a store with one token.
type oneToken struct{ apiaccess.Token }

func (o oneToken) TokenByHash(_ context.Context, hash string) (apiaccess.Token, error) {
	if hash != o.Hash {
		return apiaccess.Token{}, fault.New(fault.NotFound, "Token not found.")
	}
	return o.Token, nil
}

func (o oneToken) ChangeToken(_ context.Context, _ uint32, _ string, change func(apiaccess.Token) (apiaccess.Token, error)) (apiaccess.Token, error) {
	return change(o.Token)
}

func FuzzToken(f *testing.F) {
	const secret = "vec_secret"
	now := time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
	door := TokenAuth(oneToken{apiaccess.Token{ID: "t", Institution: 7, Hash: vault.HashSecret(secret)}}, func() time.Time { return now })
	for _, seed := range []string{"Bearer " + secret, "bearer " + secret, "Bearer", "Bearer  " + secret, "Basic x", "", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, authorization string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{authorization}
		who, err := door(r)
		scheme, rest, _ := strings.Cut(authorization, " ")
		if strings.EqualFold(scheme, "Bearer") && rest == secret {
			if err != nil || who.institution != 7 {
				t.Errorf("%q was not let in: %v", authorization, err)
			}
			return
		}
		if message, _ := fault.Message(err); message != "Unauthorized - Invalid API token" || who.institution != 0 {
			t.Errorf("%q: %v, institution %d", authorization, err, who.institution)
		}
	})
}

// FuzzIdempotencyKey holds that a key is taken as the guide's description says or
// refused in words, and that a call under one keeps others with the same one out.
func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range []string{"k", "", " ", "a b", strings.Repeat("x", 255), strings.Repeat("x", 256), "é", "x\x00", "a,b", "~!"} {
		f.Add(seed, "k")
	}
	f.Fuzz(func(t *testing.T, key, other string) {
		a := New(Options{UploadSlots: MaxUploads})
		call := func(keys ...string) (*idempotentCall, error) {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header[IdempotencyHeader] = keys
			return a.beginUpload(r, Caller{institution: 7}, 1)
		}
		plain := len(key) >= 1 && len(key) <= 255 && !strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' })
		k, err := call(key)
		if (err == nil) != plain {
			t.Fatalf("%q: %v", key, err)
		}
		if err != nil {
			if !fault.Is(err, fault.Invalid) || len(fault.FieldsOf(err)) != 1 {
				t.Errorf("%q: %v", key, err)
			}
			return
		}
		if _, err := call(key); !fault.Is(err, fault.Conflict) {
			t.Errorf("%q is under way twice: %v", key, err)
		}
		if _, err := call(key, other); !fault.Is(err, fault.Invalid) {
			t.Errorf("two keys for one call: %v", err)
		}
		if second, err := call(other); err == nil {
			second.end()
		} else if key != other && fault.Is(err, fault.Conflict) {
			t.Errorf("%q is taken for %q", other, key)
		}
		k.end()
		if _, err := call(key); err != nil {
			t.Errorf("%q after its call: %v", key, err)
		}
	})
}

package agent_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// cscTimestamps is a signing service that gives the time stamps of a server of RFC 3161.
func cscTimestamps(t *testing.T, behind string, nonce func(string) string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /csc/v2/oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("client_id") != "vault" || r.FormValue("client_secret") != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"good","token_type":"Bearer"}`)
	})
	mux.HandleFunc("POST /csc/v2/signatures/timestamp", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Hash            []byte
			HashAlgo, Nonce string
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.Header.Get("Authorization") != "Bearer good" || q.HashAlgo != "2.16.840.1.101.3.4.2.1" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		n, ok := new(big.Int).SetString(nonce(q.Nonce), 10)
		if !ok {
			t.Errorf("nonce %q", q.Nonce)
			return
		}
		algorithm := asn1.RawValue{FullBytes: []byte("\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00")}
		request, err := asn1.Marshal(struct {
			Version int
			Imprint struct {
				Algorithm asn1.RawValue
				Digest    []byte
			}
			Nonce       *big.Int
			Certificate bool
		}{1, struct {
			Algorithm asn1.RawValue
			Digest    []byte
		}{algorithm, q.Hash}, n, true})
		if err != nil {
			t.Error(err)
		}
		resp, err := http.Post(behind, "application/timestamp-query", bytes.NewReader(request))
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		var answer struct{ Status, Token asn1.RawValue }
		if _, err := asn1.Unmarshal(body, &answer); err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(map[string][]byte{"timestamp": answer.Token.FullBytes})
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// A signing service among the time stamp servers is asked in its own way, and its time stamps are
// checked as others are.
func TestTimestampsOfASigningService(t *testing.T) {
	server := timestampServer(t)
	as := func(s string) string { return s }
	for name, test := range map[string]struct {
		nonce  func(string) string
		secret string
		owed   int
	}{
		"good": {as, "s3cret", 0}, "of another request": {func(string) string { return "17" }, "s3cret", 2}, "with a wrong secret": {as, "guess", 2},
	} {
		t.Run(name, func(t *testing.T) {
			service := cscTimestamps(t, server.URL, test.nonce)
			env := map[string]string{"VECCTL_SIGNING_TIMESTAMPS": "csc:" + service.URL + "/csc/v2", "VECCTL_SIGNING_ALLOW_PRIVATE": "1",
				"VECCTL_SIGNING_CSC_CLIENT_ID": "vault", "VECCTL_SIGNING_CSC_CLIENT_SECRET": test.secret}
			runningWith(t, filepath.Join(t.TempDir(), "home"), env, 0, func(c *adminclient.Client) {
				q := manifestOf(t, 2)
				q.NoWait = false
				r := issue(t, c, q)
				if r.Issued != 2 || r.TimestampsOwed != test.owed {
					t.Errorf("%+v", r)
				}
				page, err := c.List(t.Context(), client.Filter{})
				if err != nil || isStamped(t, c, page.Data[0]) != (test.owed == 0) {
					t.Error(err)
				}
				if test.owed > 0 {
					waitStatus(t, c, func(s adminclient.AgentStatus) bool { return problemSays(s, "timestamps", "lack their time stamp") })
				}
				status, err := c.AgentStatus(t.Context())
				if text, _ := json.Marshal(status); err != nil || strings.Contains(string(text), test.secret) {
					t.Errorf("a secret stands in %s", text)
				}
			})
		})
	}
}

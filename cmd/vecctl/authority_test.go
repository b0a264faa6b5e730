package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

const wholeSnapshot = `{"sdk_version":"1.9.0","features":{"base":true,"reference_strict":true,"governance":true,"financial":true,"currency":true},` +
	`"services":{"transaction_verifier":true,"reference_governor":true,"financial_record_manager":true,"currency_normalizer":true},` +
	`"config":{"api_key_set":true,"store_slug_set":true,"reference_strict_mode":true,"reference_governance_enabled":true,` +
	`"financial_reconciliation_enabled":true,"base_currency_set":true}}`

// certifyCall makes one of the contract's calls; a status of 0 is no answer.
func (d *daemon) certifyCall(slug, key, method, path, body string) (status int, answer map[string]any) {
	r, err := http.NewRequest(method, d.public+"/api/certify/"+path, bytes.NewReader([]byte(body)))
	must(d.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-VendWeave-Store", slug)
	r.Header.Set("X-VendWeave-Key", key)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	must(d.t, json.Unmarshal(raw, &answer))
	return resp.StatusCode, answer
}

// killAtAnswer makes a call and kills the agent as its answer begins: what it did is
// kept, and nobody was told.
func (d *daemon) killAtAnswer(slug, key, path, body string) {
	d.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.public, "http://"))
	must(d.t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/certify/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-VendWeave-Store: %s\r\n"+
		"X-VendWeave-Key: %s\r\nContent-Length: %d\r\n\r\n%s", path, slug, key, len(body), body)
	_, err = conn.Read(make([]byte, 1))
	must(d.t, err)
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
}

// A store whose agent is killed at any moment of a call, after the commit and before the
// answer too, is told the truth when it asks again.
func TestAnAuthorityThatIsKilled(t *testing.T) {
	t.Parallel()
	kills := 4
	if long() {
		kills = 60
	}
	s := newSite(t)
	lost := 0 // answers to requests that were kept
	for i := range kills {
		slug, domain := fmt.Sprintf("shop-%d", i), fmt.Sprintf("shop%d.example.com", i)
		key := strings.TrimSpace(s.done("authority", "store", "add", slug).stdout)
		s.done("authority", "domain", "add", domain, "--store", slug)
		s.done("authority", "domain", "trust", domain)
		request := `{"domain":"` + domain + `","project_name":"Shop","snapshot":` + wholeSnapshot + `}`
		killed := func(path, body string) (status int) {
			d := s.daemon()
			if i%2 == 0 {
				d.killAtAnswer(slug, key, path, body)
				return 0
			}
			killer := time.AfterFunc(time.Duration(rand.Int64N(int64(12*time.Millisecond))), func() { _ = d.cmd.Process.Kill() })
			defer killer.Stop()
			status, _ = d.certifyCall(slug, key, http.MethodPost, path, body)
			_ = d.cmd.Process.Kill()
			_ = d.cmd.Wait()
			return status
		}
		before := killed("request", request)
		d := s.daemon()
		again, _ := d.certifyCall(slug, key, http.MethodPost, "request", request)
		if before == 0 && again == 409 {
			lost++
		}
		if again != 409 && (again != 201 || before == 201) {
			t.Errorf("answered %d, killed, then %d", before, again)
		}
		_, now := d.certifyCall(slug, key, http.MethodGet, "status?domain="+domain, "")
		hash, _ := now["verification_hash"].(string)
		if now["status"] != "active" || hash == "" {
			t.Errorf("afterwards: %v", now)
		}
		d.end()

		renewal := `{"verification_hash":"` + hash + `","snapshot":` + wholeSnapshot + `}`
		killed("renew", renewal)
		d = s.daemon()
		status, renewed := d.certifyCall(slug, key, http.MethodPost, "renew", renewal)
		_, now = d.certifyCall(slug, key, http.MethodGet, "status?domain="+domain, "")
		if status != 200 || now["verification_hash"] != renewed["verification_hash"] || renewed["verification_hash"] == hash {
			t.Errorf("renewed: %d %v, then %v", status, renewed, now)
		}
		d.end()
	}
	s.done("authority", "log", "verify")
	if lost == 0 {
		t.Error("no answer was lost after its commit")
	}
}

// The network sees the five calls, the badges and the pages; not what staff do.
func TestTheAuthoritysPublicFace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.daemon()
	key := strings.TrimSpace(s.done("authority", "store", "add", "shop").stdout)
	s.done("authority", "domain", "add", "shop.example.com", "--store", "shop")
	s.done("authority", "domain", "trust", "shop.example.com")
	status, made := d.certifyCall("shop", key, http.MethodPost, "request", `{"domain":"shop.example.com","project_name":"Shop","snapshot":`+wholeSnapshot+`}`)
	hash, _ := made["verification_hash"].(string)
	if status != 201 || made["verify_url"] != "https://vec.example.edu/verify/"+hash {
		t.Fatalf("%d %v", status, made)
	}
	for path, want := range map[string]struct {
		status int
		words  string
	}{
		"/api/certify/verify/" + hash:          {200, `"valid":true`},
		"/verify/" + hash:                      {200, "Valid: Currency Certified"},
		"/verify/" + hash + "?domain=evil.com": {200, "Not valid on this domain"},
		"/verify/nothing":                      {404, "Not a certification"},
		"/badges/VW-CERT-CUR.svg":              {200, "<svg"},
		"/badges/VW-CERT-CUR.png?size=200x60":  {200, "PNG"},
		"/panel/authority/stores":              {404, ""},
		"/api/certify/status?domain=x.com":     {401, "UNAUTHORIZED"},
		"/business/certificate-vault":          {401, "Invalid API token"},
	} {
		if status, body := d.get(path); status != want.status || !strings.Contains(body, want.words) {
			t.Errorf("%s: %d %.200s", path, status, body)
		}
	}
	// With the CLI as a client over the network.
	s.env = append(s.env, "VECCTL_AUTHORITY="+d.public, "VECCTL_AUTHORITY_STORE=shop", "VECCTL_AUTHORITY_KEY="+key)
	s.done("authority", "status", "shop.example.com").says(t, "active", "VW-CERT-CUR")
	s.done("authority", "revoke", hash, "--reason", "moved").says(t, "revoked")
	s.want(1, "authority", "verify", hash).says(t, "moved")
	d.end()
	if strings.Contains(d.stderr.String(), key) {
		t.Error("the key is in the log")
	}
}

// A store's endpoint is told once that a certification was revoked, and signed as
// all that webhooks are told.
func TestWebhooksOfTheAuthority(t *testing.T) {
	t.Parallel()
	s, r := newSite(t), newHookReceiver(t)
	s.env = append(s.env, "VECCTL_WEBHOOK_ALLOW_PRIVATE=1")
	d := s.daemon()
	key := strings.TrimSpace(s.done("authority", "store", "add", "shop").stdout)
	s.done("authority", "domain", "add", "shop.example.com", "--store", "shop")
	s.done("authority", "domain", "trust", "shop.example.com")
	var endpoint adminclient.Webhook
	must(t, json.Unmarshal([]byte(s.done("webhook", "create", r.URL, "--store", "shop", "--event", "certification.revoked", "--json").stdout), &endpoint))
	r.mu.Lock()
	r.secret = endpoint.Secret
	r.mu.Unlock()
	_, made := d.certifyCall("shop", key, http.MethodPost, "request", `{"domain":"shop.example.com","project_name":"Shop","snapshot":`+wholeSnapshot+`}`)
	hash, _ := made["verification_hash"].(string)
	s.done("authority", "revoke", hash, "--reason", "the key leaked")
	until(t, 2*time.Minute, "word of the revocation", func() bool { return r.tell()["certification.revoked "] > 0 })
	// An agent that ends before it has noted the answer tells it again.
	told := func() bool {
		return strings.Contains(s.done("webhook", "deliveries", "--status", "success", "-o", "csv").stdout, "certification.revoked")
	}
	until(t, 2*time.Minute, "note of the answer", told)
	d.end()
	d = s.daemon()
	until(t, 2*time.Minute, "delivery in the list", told)
	d.end()
	if all := r.tell(); len(all) != 1 || all["certification.revoked "] != 1 {
		t.Errorf("told %v", all)
	}
	r.check(t)
}

package contract

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/store"
)

func sorted(names iter.Seq[string]) []string { return slices.Sorted(names) }

// wantFields wants exactly the documented fields, and these values among them.
func wantFields(t testing.TB, a answer, values object, names ...string) {
	t.Helper()
	slices.Sort(names)
	if got := a.body.names(); got != fmt.Sprint(names) {
		t.Errorf("fields %s, documented are %v", got, names)
	}
	for name, want := range values {
		if fmt.Sprint(a.body[name]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", name, a.body[name], want)
		}
	}
	if kind := a.header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("content type %q", kind)
	}
}

// The life that the contract's examples tell, on the days that they name.
func TestTheContractsExamples(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := request("mystore.com").with("snapshot.features.currency", false).with("snapshot.qualified_badge", "VW-CERT-CUR")
	made := s.post("request", body).is(t, 201, "")
	hash := made.body.text("verification_hash")
	wantFields(t, made, object{
		"status": "active", "badge_code": "VW-CERT-FIN", "badge_name": "Financial Certified", "project_name": "My Store", "domain": "mystore.com",
		"sdk_version": "1.9.0", "issued_at": "2026-01-22T10:00:00Z", "expires_at": "2027-01-22T10:00:00Z",
		"features": []string{"reference_governance", "financial_reconciliation"}, "badge_url": "https://vec.example.edu/badges/VW-CERT-FIN.svg",
		"verify_url": "https://vec.example.edu/verify/" + hash,
	}, "status", "badge_code", "badge_name", "project_name", "domain", "sdk_version", "verification_hash", "issued_at", "expires_at", "features", "badge_url", "verify_url")
	wantFields(t, s.post("request", body).is(t, 409, "ALREADY_CERTIFIED"), object{}, "error", "error_code", "message")
	wantFields(t, s.get("status?domain=mystore.com").is(t, 200, ""), object{"status": "active", "verification_hash": hash},
		"status", "badge_code", "badge_name", "project_name", "domain", "sdk_version", "verification_hash", "issued_at", "expires_at", "features")
	wantFields(t, s.send(caller{}, http.MethodGet, "verify/"+hash, nil).is(t, 200, ""), object{"valid": true, "status": "active", "domain": "mystore.com"},
		"valid", "project_name", "domain", "badge_code", "badge_name", "status", "issued_at", "expires_at", "sdk_version", "features")

	s.clock.set(time.Date(2026, 12, 30, 8, 0, 0, 0, time.UTC))
	up := s.post("renew", object{"verification_hash": hash, "snapshot": snapshot()}).is(t, 200, "")
	wantFields(t, up, object{"status": "active", "badge_code": "VW-CERT-CUR", "previous_badge": "VW-CERT-FIN", "upgraded": true,
		"issued_at": "2027-01-22T10:00:00Z", "expires_at": "2028-01-22T10:00:00Z", "features": []string{"reference_governance", "financial_reconciliation", "multi_currency"}},
		"status", "badge_code", "badge_name", "previous_badge", "project_name", "domain", "sdk_version", "verification_hash", "issued_at", "expires_at", "upgraded", "features", "badge_url", "verify_url")
	second := up.body.text("verification_hash")
	wantFields(t, s.get("verify/"+hash).is(t, 200, ""), object{"valid": false, "status": "superseded"}, "valid", "status", "message")

	s.clock.set(time.Date(2027, 12, 30, 8, 0, 0, 0, time.UTC))
	down := s.post("renew", object{"verification_hash": second, "snapshot": snapshot().with("services.financial_record_manager", false)}).is(t, 200, "")
	wantFields(t, down, object{"badge_code": "VW-CERT-GOV", "badge_name": "Governance Certified", "previous_badge": "VW-CERT-CUR", "downgraded": true,
		"downgrade_reason": "Financial reconciliation table not detected", "issued_at": "2028-01-22T10:00:00Z"},
		"status", "badge_code", "badge_name", "previous_badge", "downgraded", "downgrade_reason", "project_name", "domain", "sdk_version",
		"verification_hash", "issued_at", "expires_at", "features", "badge_url", "verify_url")
	third := down.body.text("verification_hash")

	s.clock.set(time.Date(2028, 6, 15, 8, 30, 0, 0, time.UTC))
	wantFields(t, s.post("revoke", object{"verification_hash": third, "reason": "Security incident detected"}).is(t, 200, ""),
		object{"status": "revoked", "revoked_at": "2028-06-15T08:30:00Z", "reason": "Security incident detected", "message": "Certification has been revoked"},
		"status", "revoked_at", "reason", "message")
	wantFields(t, s.get("status?domain=mystore.com").is(t, 200, ""), object{"status": "revoked", "badge_code": nil, "revoke_reason": "Security incident detected"},
		"status", "badge_code", "revoked_at", "revoke_reason", "message")
	wantFields(t, s.get("verify/"+third).is(t, 200, ""), object{"valid": false, "status": "revoked", "revoked_at": "2028-06-15T08:30:00Z", "reason": "Security incident detected"},
		"valid", "status", "revoked_at", "reason")
	wantFields(t, s.post("renew", object{"verification_hash": third, "snapshot": snapshot()}).is(t, 400, "CANNOT_RENEW"),
		object{"message": "Certification has been revoked and cannot be renewed"}, "error", "error_code", "message")
	s.post("request", body).is(t, 201, "") // after a revocation it may be asked for anew

	s.clock.set(time.Date(2029, 6, 15, 8, 30, 0, 0, time.UTC))
	wantFields(t, s.get("status?domain=mystore.com").is(t, 200, ""), object{"status": "expired", "expires_at": "2029-06-15T08:30:00Z"},
		"status", "badge_code", "badge_name", "project_name", "domain", "sdk_version", "verification_hash", "issued_at", "expires_at", "features", "message")
	last := s.get("status?domain=mystore.com").body.text("verification_hash")
	wantFields(t, s.get("verify/"+last).is(t, 200, ""), object{"valid": false, "status": "expired", "expired_at": "2029-06-15T08:30:00Z", "message": "Certification has expired"},
		"valid", "status", "expired_at", "message")
	s.post("renew", object{"verification_hash": last, "snapshot": snapshot()}).is(t, 400, "CANNOT_RENEW")
	s.post("request", body).is(t, 201, "")
}

func TestTheContractsErrors(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	wantFields(t, s.post("request", request("other.com")).is(t, 400, "INVALID_DOMAIN"), object{"message": "Domain is not registered in VendWeave Dashboard"},
		"error", "error_code", "message")
	wantFields(t, s.send(caller{"my-store", "wrong"}, http.MethodGet, "status?domain=x.com", nil).is(t, 401, "UNAUTHORIZED"), object{"message": "Invalid API credentials"},
		"error", "error_code", "message")
	wantFields(t, s.get("status?domain=mystore.com").is(t, 404, "NOT_FOUND"), object{"message": "No certification found for this domain"}, "error", "error_code", "message")
	wantFields(t, s.get("verify/"+hex.EncodeToString(make([]byte, 32))), object{"valid": false, "status": "invalid", "message": "Badge hash not found"}, "valid", "status", "message")
	s.post("request", request("mystore.com").with("snapshot.sdk_version", "0.9.0")).is(t, 400, "SDK_OUTDATED")
	s.post("request", request("mystore.com").with("snapshot.config.api_key_set", false)).is(t, 400, "NOT_QUALIFIED")
	// A domain that another store registered is as good as none.
	s.addStore("foreign")
	s.addDomain("foreign.com", "foreign")
	s.post("request", request("foreign.com")).is(t, 400, "INVALID_DOMAIN")
}

// A store's certification cannot be seen, renewed or revoked by another.
func TestForeignHashes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hash := s.certified().body.text("verification_hash")
	foreign := caller{"foreign", s.addStore("foreign")}
	s.send(foreign, http.MethodPost, "revoke", object{"verification_hash": hash, "reason": "mine now"}).is(t, 404, "NOT_FOUND")
	s.send(foreign, http.MethodPost, "renew", object{"verification_hash": hash, "snapshot": snapshot()}).is(t, 404, "NOT_FOUND")
	s.send(foreign, http.MethodGet, "status?domain=mystore.com", nil).is(t, 404, "NOT_FOUND")
	if s.get("verify/" + hash).body["valid"] != true {
		t.Error("it is not valid any more")
	}
}

func TestPending(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.addDomain("waiting.com", "my-store")
	first := s.post("request", request("waiting.com")).is(t, 202, "")
	wantFields(t, first, object{"status": "pending", "message": "Certification request is being reviewed"}, "status", "message", "request_id")
	again := s.post("request", request("waiting.com").with("snapshot.features.currency", false)).is(t, 202, "")
	if again.body.text("request_id") != first.body.text("request_id") {
		t.Error("a second request is another one")
	}
	if got := s.get("status?domain=waiting.com").is(t, 200, ""); got.body.text("status") != "pending" || got.body["request_id"] != first.body["request_id"] {
		t.Errorf("%s", got.raw)
	}
	// The domain is proven at the third look of the background job.
	for i := range 3 {
		if i == 2 {
			s.proofs.set("waiting.com", authority.ByRecord)
		}
		s.clock.advance(10 * time.Minute)
		s.office.RunDue(t.Context())
	}
	got := s.get("status?domain=waiting.com").is(t, 200, "")
	if got.body.text("status") != "active" || got.body.text("badge_code") != "VW-CERT-FIN" || got.body.text("issued_at") != "2026-01-22T10:30:00Z" {
		t.Errorf("%s", got.raw)
	}
	if n := s.proofs.times("waiting.com"); n != 3 {
		t.Errorf("the domain was looked at %d times", n)
	}
}

func TestReview(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.office.ReviewStore(t.Context(), "my-store", true)
	s.check(err)
	id := s.post("request", request("mystore.com")).is(t, 202, "").body.text("request_id")
	_, err = s.office.Reject(t.Context(), id, "this is no shop")
	s.check(err)
	if got := s.get("status?domain=mystore.com").is(t, 404, "NOT_FOUND"); got.body.text("message") != "Certification request was rejected: this is no shop" {
		t.Errorf("%s", got.raw)
	}
	second := s.post("request", request("mystore.com")).is(t, 202, "").body.text("request_id")
	if second == id {
		t.Error("the rejected request is back")
	}
	c, err := s.office.Approve(t.Context(), second)
	if err != nil || c.At(s.clock.now()) != authority.Active {
		t.Errorf("%+v, %v", c, err)
	}
	if list, err := s.office.Pending(t.Context()); len(list) != 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}

// The hash is the contract's formula over a secret that does not leave the home, and
// goes on to verify after another took over.
func TestTheHashAndItsSecret(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.certified()
	hash := first.body.text("verification_hash")
	var c authority.Certification
	s.check(s.ledger().Read(t.Context(), func(r store.Reader) (err error) { c, _, err = r.ByHash(hash); return err }))
	raw, err := os.ReadFile(filepath.Join(s.dir, "authority.json"))
	s.check(err)
	var file struct{ Secrets map[string]string }
	s.check(json.Unmarshal(raw, &file))
	secret, err := base64.StdEncoding.DecodeString(file.Secrets[c.Key])
	s.check(err)
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "mystore.com|VW-CERT-CUR|1.9.0|%d|%d|%s", begun.Unix(), begun.AddDate(1, 0, 0).Unix(), c.Nonce)
	if want := hex.EncodeToString(mac.Sum(nil)); hash != want {
		t.Errorf("hash %s, want %s", hash, want)
	}
	if info, err := os.Stat(filepath.Join(s.dir, "authority.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secrets are open to others: %v", err)
	}
	_, err = s.office.RotateSecret(t.Context())
	s.check(err)
	s.restart()
	next := s.post("renew", object{"verification_hash": hash, "snapshot": snapshot()}).is(t, 200, "").body.text("verification_hash")
	if s.get("verify/"+hash).body.text("status") != "superseded" || s.get("verify/" + next).body["valid"] != true {
		t.Error("a hash does not verify after the secret was rotated")
	}
}

func TestABadgeOnAnotherDomain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hash := s.certified().body.text("verification_hash")
	for domain, match := range map[string]bool{"mystore.com": true, "WWW.MyStore.com.": true, "evil.com": false, "": false, "a|b": false} {
		a := s.get("verify/"+hash+"?domain="+domain).is(t, 200, "")
		if a.body["valid"] != match || a.body["domain_match"] != match || (a.body.text("message") == "") != match {
			t.Errorf("%q: %s", domain, a.raw)
		}
	}
}

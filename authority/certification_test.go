package authority

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/hashchain"
)

var (
	secret  = Secret{ID: "k1", Key: []byte("a key")}
	issued  = time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC)
	account = Account{Slug: "my-store"}
)

// The expected value was made with openssl dgst -hmac and the contract's formula.
func TestTheHashIsTheContracts(t *testing.T) {
	c := Certification{
		Domain: "mystore.com", Badge: Financial, SDKVersion: "1.9.0", IssuedAt: issued, ExpiresAt: issued.AddDate(1, 0, 0), Nonce: "n0nce",
	}
	got, err := c.hash(secret)
	const want = "87733091a2dab46eb32a48baec9949dde898a3f52749ccdc107e661cf7ec5c49"
	if err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
	c.Hash = got
	if !c.Genuine(secret) || c.Genuine(Secret{"k2", []byte("another")}) {
		t.Error("genuine under the wrong key, or not under the right one")
	}
	for name, change := range map[string]func(*Certification){
		"domain": func(c *Certification) { c.Domain = "a|b" }, "sdk": func(c *Certification) { c.SDKVersion = "1|2" },
		"nonce": func(c *Certification) { c.Nonce = "a|b" }, "nul": func(c *Certification) { c.Domain = "a\x00b" }, "empty": func(c *Certification) { c.Nonce = "" },
	} {
		bad := c
		if change(&bad); bad.Genuine(secret) {
			t.Errorf("%s: genuine", name)
		}
		if _, err := bad.hash(secret); err == nil {
			t.Errorf("%s: hashed", name)
		}
	}
}

func granted(t *testing.T, s Snapshot) Certification {
	t.Helper()
	c, err := Claim{"mystore.com", "My Store", s}.NewRequest("req_1", account, "1.0.0", issued)
	if err == nil {
		c, err = c.Grant(secret, "nonce", issued)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestALife(t *testing.T) {
	c := granted(t, full())
	if c.At(issued) != Active || !c.ExpiresAt.Equal(issued.AddDate(1, 0, 0)) || !IsHash(c.Hash) {
		t.Errorf("granted: %+v", c)
	}
	if c.At(c.ExpiresAt.Add(-time.Second)) != Active || c.At(c.ExpiresAt) != Expired || c.At(issued.AddDate(-1, 0, 0)) != Active {
		t.Error("time does not end the term, or a clock that jumps back does")
	}
	worse := full()
	worse.Services.FinancialRecordManager = false
	old, next, err := c.Renew("req_2", worse, secret, "other", "1.0.0", issued.AddDate(0, 11, 0))
	if err != nil || old.State != Superseded || old.Successor != "req_2" {
		t.Fatalf("renewed: %+v, %v", old, err)
	}
	if !next.IssuedAt.Equal(c.ExpiresAt) || next.Badge != Governed || next.Upgraded() || next.Downgraded() != "Financial reconciliation table not detected" {
		t.Errorf("next: %+v, %q", next, next.Downgraded())
	}
	_, up, err := next.Renew("req_3", full(), secret, "third", "1.0.0", issued.AddDate(1, 1, 0))
	if err != nil || !up.Upgraded() || up.Downgraded() != "" || up.PreviousBadge != Governed || !up.IssuedAt.Equal(next.ExpiresAt) {
		t.Errorf("upgraded: %+v, %v", up, err)
	}
	_, same, err := up.Renew("req_4", full(), secret, "4", "1.0.0", issued.AddDate(2, 1, 0))
	if err != nil || same.Upgraded() || same.Downgraded() != "" {
		t.Errorf("the same badge again: %+v, %v", same, err)
	}
}

func TestRefusals(t *testing.T) {
	c := granted(t, full())
	gone, err := c.Revoke(" Security incident detected ", issued.Add(1500*time.Millisecond))
	if err != nil || gone.State != Revoked || gone.Reason != "Security incident detected" || !gone.RevokedAt.Equal(issued.Add(time.Second)) {
		t.Fatalf("revoked: %+v, %v", gone, err)
	}
	again, err := gone.Revoke("another", issued.AddDate(0, 1, 0))
	if err != nil || again.Reason != gone.Reason || !again.RevokedAt.Equal(gone.RevokedAt) {
		t.Errorf("revoked twice: %+v, %v", again, err)
	}
	old, _, err := c.Renew("req_2", full(), secret, "n", "1.0.0", issued)
	if err != nil {
		t.Fatal(err)
	}
	renew := func(c Certification, s Snapshot, at time.Time) error {
		_, _, err := c.Renew("req_9", s, secret, "n", "1.5.0", at)
		return err
	}
	outdated, nothing := full(), full()
	outdated.SDKVersion, nothing.Features.Base = "1.4.9", false
	ahead := c
	ahead.IssuedAt = issued.AddDate(6, 0, 0)
	ahead.ExpiresAt = issued.AddDate(7, 0, 0)
	for name, test := range map[string]struct {
		err  error
		code Code
		kind fault.Kind
	}{
		"revoked":    {renew(gone, full(), issued), CannotRenew, fault.Illegal},
		"expired":    {renew(c, full(), c.ExpiresAt), CannotRenew, fault.Illegal},
		"superseded": {renew(old, full(), issued), CannotRenew, fault.Illegal},
		"ahead":      {renew(ahead, full(), issued), CannotRenew, fault.Illegal},
		"outdated":   {renew(c, outdated, issued), SDKOutdated, fault.Invalid},
		"nothing":    {renew(c, nothing, issued), NotQualified, fault.Invalid},
	} {
		refusal, ok := errors.AsType[*ContractError](test.err)
		if !ok || refusal.Code != test.code || !fault.Is(test.err, test.kind) {
			t.Errorf("%s: %v", name, test.err)
		}
	}
	for _, reason := range []string{"", "  ", strings.Repeat("x", 501), "a\x00b", "\xff"} {
		if _, err := c.Revoke(reason, issued); err == nil {
			t.Errorf("revoked for %.10q", reason)
		}
	}
	for _, project := range []string{"", " ", strings.Repeat("x", 256), "a\x00b", "a\nb", "\xff"} {
		if _, err := (Claim{"mystore.com", project, full()}).NewRequest("req_1", account, "1.0.0", issued); err == nil {
			t.Errorf("opened for %.10q", project)
		}
	}
}

func TestPendingNeedsProofAndReview(t *testing.T) {
	d, err := NewDomain(bytes.NewReader(make([]byte, 16)), "MyStore.com", "my-store", issued)
	if err != nil || d.Record() != TagName+"="+strings.Repeat("00", 16) || d.RecordName() != "_vendweave-challenge.mystore.com." {
		t.Fatalf("%+v, %v", d, err)
	}
	c, err := Claim{"mystore.com", "My Store", full()}.NewRequest("req_1", Account{Slug: "my-store", Review: true}, "1.0.0", issued)
	if err != nil || c.Ready(d) || c.Ready(d.MarkVerified(ByRecord, issued)) {
		t.Errorf("ready too soon: %v", err)
	}
	approved, err := c.Approve()
	if err != nil || approved.Ready(d) || !approved.Ready(d.MarkVerified(ByRecord, issued)) {
		t.Errorf("not ready in the end: %v", err)
	}
	rejected, err := c.Reject("no shop")
	if err != nil || rejected.State != Rejected {
		t.Errorf("%+v, %v", rejected, err)
	}
	if _, err := rejected.Approve(); !fault.Is(err, fault.Illegal) {
		t.Errorf("approved after all: %v", err)
	}
}

func TestPausesGrow(t *testing.T) {
	d, _ := NewDomain(bytes.NewReader(make([]byte, 16)), "mystore.com", "s", issued)
	now, last := issued, time.Duration(0)
	for !d.NextCheck.IsZero() {
		pause := d.NextCheck.Sub(now)
		if pause < last || pause > 24*time.Hour {
			t.Errorf("after %d checks a pause of %v", d.Checks, pause)
		}
		last, now = pause, d.NextCheck
		d = d.MarkCheckFailed("nothing", now)
	}
	if waited := now.Sub(issued); waited < giveUpAfter || waited > giveUpAfter+48*time.Hour || d.Checks > 50 {
		t.Errorf("given up after %v and %d checks", waited, d.Checks)
	}
	app, _ := NewDomain(bytes.NewReader(make([]byte, 16)), "my-app", "s", issued)
	if !app.NextCheck.IsZero() {
		t.Error("an App ID is looked for on the network")
	}
}

func TestEventsAreTheContracts(t *testing.T) {
	c := granted(t, full())
	c.Hash = "a1b2c3d4"
	e, err := c.ExpiringEvent(c.WarnAt())
	const expiring = `{"event":"certification.expiring","timestamp":"2026-12-23T10:00:00Z","data":{"domain":"mystore.com",` +
		`"verification_hash":"a1b2c3d4","expires_at":"2027-01-22T10:00:00Z","days_remaining":30}}`
	if err != nil || string(e.Body) != expiring {
		t.Errorf("%s, %v", e.Body, err)
	}
	c, _ = c.Revoke("SDK version outdated", issued)
	e, err = c.RevokedEvent()
	const revoked = `{"event":"certification.revoked","timestamp":"2026-01-22T10:00:00Z","data":{"domain":"mystore.com",` +
		`"verification_hash":"a1b2c3d4","reason":"SDK version outdated"}}`
	if err != nil || string(e.Body) != revoked {
		t.Errorf("%s, %v", e.Body, err)
	}
	if n := c.DaysLeft(c.ExpiresAt.Add(-time.Minute)); n != 1 {
		t.Errorf("in the last minute %d days are left", n)
	}
}

func TestTheAuditListIsChained(t *testing.T) {
	var list []AuditEntry
	last := AuditEntry{}
	for _, what := range []string{"store.added", "domain.added", "certification.granted", "certification.revoked"} {
		e, err := last.Chain(AuditAction{Who: Staff, What: what, Subject: "x", Why: "because"}, issued)
		if err != nil {
			t.Fatal(err)
		}
		list, last = append(list, e), e
	}
	// Lists that are kept stay valid: the layout of an entry's JSON is part of them.
	if got := last.Hash; got != "df51d6122b7b8d5b90a59a9833d715908e0a058cd669ed76aec94fb5d064b496" {
		t.Errorf("the last hash is %s", got)
	}
	check := func(list []AuditEntry) error {
		before := AuditEntry{}
		for _, e := range list {
			// What is kept is JSON.
			raw, _ := json.Marshal(e)
			var kept AuditEntry
			_ = json.Unmarshal(raw, &kept)
			if err := kept.Follows(before); err != nil {
				return err
			}
			before = kept
		}
		return nil
	}
	if err := check(list); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func([]AuditEntry) []AuditEntry{
		"who":     func(l []AuditEntry) []AuditEntry { l[1].Who = "nobody"; return l },
		"time":    func(l []AuditEntry) []AuditEntry { l[1].At = l[1].At.Add(time.Second); return l },
		"removed": func(l []AuditEntry) []AuditEntry { return append(l[:1], l[2:]...) },
		"swapped": func(l []AuditEntry) []AuditEntry { l[1], l[2] = l[2], l[1]; return l },
		"rehashed": func(l []AuditEntry) []AuditEntry {
			l[1].Why, l[1].Hash = "otherwise", ""
			l[1].Hash, _ = hashchain.Hash(l[1])
			return l
		},
	} {
		if err := check(change(append([]AuditEntry(nil), list...))); !fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

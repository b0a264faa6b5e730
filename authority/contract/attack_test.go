package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority"
)

// leaves lists the paths of a request's fields, objects and their parts alike.
func leaves(prefix string, o object) (paths []string) {
	for name, value := range o {
		paths = append(paths, prefix+name)
		if inner, ok := value.(object); ok {
			paths = append(paths, leaves(prefix+name+".", inner)...)
		}
	}
	return paths
}

// An answer to bad input is documented: never a 500, always a code and a message.
func (a answer) sane(t testing.TB, what string) {
	t.Helper()
	if a.status >= 500 {
		t.Errorf("%s: %d %.200s", what, a.status, a.raw)
	}
	if a.status >= 400 && (a.body["error"] != true || a.body.text("error_code") == "" || a.body.text("message") == "") && a.body["valid"] != false {
		t.Errorf("%s: %d %.200s", what, a.status, a.raw)
	}
	if len(a.raw) > 2000 {
		t.Errorf("%s: an answer of %d bytes", what, len(a.raw))
	}
}

// Every field missing, null, of each wrong type, too long, with a bar and with
// NUL, in every call that has a body. Each is a documented refusal or, where the
// field does not matter, a success.
func TestEveryFieldMangled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hash := s.certified().body.text("verification_hash")
	renewal := object{"verification_hash": hash, "snapshot": snapshot()}
	huge := strings.Repeat("x", 10<<20)
	hard := map[string]bool{} // fields in which nonsense must be refused
	for _, name := range []string{"domain", "project_name", "snapshot", "snapshot.sdk_version", "verification_hash", "reason"} {
		hard[name] = true
	}
	for path, body := range map[string]object{
		"request": request("mystore.com"), "renew": renewal, "revoke": {"verification_hash": strings.Repeat("0", 64), "reason": "x"},
	} {
		for _, field := range leaves("", body) {
			for kind, mangled := range map[string]object{
				"missing": body.without(field), "null": body.with(field, nil), "number": body.with(field, 7), "list": body.with(field, []int{1}),
				"object": body.with(field, object{"a": 1}), "text": body.with(field, "nonsense text"), "empty": body.with(field, ""),
				"bar": body.with(field, "a|b"), "nul": body.with(field, "a\x00b"), "bool": body.with(field, true), "float": body.with(field, 1e308),
			} {
				what := fmt.Sprintf("%s, %s %s", path, field, kind)
				a := s.post(path, mangled)
				a.sane(t, what)
				if hard[field] && a.status < 400 && kind != "text" && (field != "project_name" || kind != "bar") {
					t.Errorf("%s: %d %s", what, a.status, a.raw)
				}
				s.clock.advance(25 * time.Hour) // limits are another test's matter
			}
			raw, err := json.Marshal(body.with(field, "HUGE"))
			s.check(err)
			before, after, _ := strings.Cut(string(raw), "HUGE")
			long := io.MultiReader(strings.NewReader(before), strings.NewReader(huge), strings.NewReader(after))
			s.post(path, long).is(t, 413, "INVALID_REQUEST")
			s.clock.advance(25 * time.Hour)
		}
	}
}

func TestBodiesThatAreNone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	deep := append(bytes.Repeat([]byte(`{"snapshot":`), 20_000), '1')
	for name, body := range map[string][]byte{
		"empty": {}, "text": []byte("hello"), "array": []byte("[]"), "cut": []byte(`{"domain":"mystore.com"`), "two": []byte(`{} {}`),
		"latin": []byte("{\"domain\":\"b\xfccher.de\"}"), "deep": deep, "null": []byte("null"), "bom": []byte("\xef\xbb\xbf{}"), "nul": {0},
	} {
		for _, path := range []string{"request", "renew", "revoke"} {
			a := s.send(s.own(), http.MethodPost, path, body)
			a.sane(t, path+" "+name)
			if a.status < 400 {
				t.Errorf("%s %s: %d", path, name, a.status)
			}
			s.clock.advance(25 * time.Hour)
		}
	}
	raw, _ := json.Marshal(request("mystore.com"))
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json/x", ";;"} {
		s.send(s.own(), http.MethodPost, "request", raw, "Content-Type", kind).is(t, 415, "INVALID_REQUEST")
		s.clock.advance(time.Hour)
	}
	s.send(s.own(), http.MethodPost, "request", raw, "Content-Type", "application/json; charset=utf-8").is(t, 201, "")
}

func TestEveryCallAgainstEveryKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hash := s.certified().body.text("verification_hash")
	gone := caller{"gone", s.addStore("gone")}
	_, err := s.office.DisableStore(t.Context(), "gone", true)
	s.check(err)
	calls := []struct {
		method, path string
		body         any
	}{
		{http.MethodPost, "request", request("mystore.com")}, {http.MethodGet, "status?domain=mystore.com", nil},
		{http.MethodPost, "revoke", object{"verification_hash": hash, "reason": "x"}}, {http.MethodPost, "renew", object{"verification_hash": hash, "snapshot": snapshot()}},
	}
	for name, who := range map[string]caller{
		"nobody": {}, "no key": {"my-store", ""}, "no store": {"", s.key}, "wrong": {"my-store", s.key + "x"}, "shorter": {"my-store", s.key[:20]},
		"disabled": gone, "another's key": {"gone", s.key}, "unknown": {"nothing", s.key}, "strange": {"../my-store", s.key}, "long": {strings.Repeat("s", 40_000), s.key},
		"capitals": {"MY-STORE", s.key}, "hash of the key": {"my-store", strings.Repeat("0", 64)},
	} {
		for _, c := range calls {
			a := s.send(who, c.method, c.path, c.body)
			if a.status != 401 || a.body.text("error_code") != "UNAUTHORIZED" {
				t.Errorf("%s, %s: %d %.200s", name, c.path, a.status, a.raw)
			}
		}
	}
	for _, c := range append(calls, calls[0]) {
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, "STRANGE"} {
			a := s.send(s.own(), method, c.path, c.body)
			a.sane(t, method+" "+c.path)
			if a.status != 405 || a.header.Get("Allow") == "" {
				t.Errorf("%s %s: %d", method, c.path, a.status)
			}
		}
	}
	s.send(s.own(), http.MethodGet, "nothing", nil).is(t, 404, "NOT_FOUND")
	if s.get("verify/" + hash).body["valid"] != true {
		t.Error("somebody got through")
	}
}

func TestStrangeHashes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hash := s.certified().body.text("verification_hash")
	for _, strange := range []string{
		hash[:63], hash + "0", strings.ToUpper(hash), " " + hash, hash + "\n", strings.Repeat("g", 64), "a", strings.Repeat("0", 10_000), "%00", "..", "|", "ü", "%2e%2e%2f", "req_1",
	} {
		escaped := strings.NewReplacer(" ", "%20", "\n", "%0A").Replace(strange)
		a := s.get("verify/" + escaped)
		if a.status != 404 && a.status != 301 || a.body["valid"] == true {
			t.Errorf("%.80q: %d %.100s", strange, a.status, a.raw)
		}
		for _, path := range []string{"revoke", "renew"} {
			a := s.post(path, object{"verification_hash": strange, "reason": "x", "snapshot": snapshot()})
			if a.status != 404 {
				t.Errorf("%s %.80q: %d %.100s", path, strange, a.status, a.raw)
			}
			s.clock.advance(24 * time.Hour)
		}
	}
}

func TestStrangeDomains(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.addDomain("xn--bcher-kva.example", "my-store")
	for domain, status := range map[string]int{
		"MYSTORE.COM": 201, "bücher.example": 202,
		"mystore.com:443": 400, "mystore.com/shop": 400, "https://mystore.com": 400, "192.0.2.1": 400, "[::1]": 400, "mystore.com..": 400, "": 400,
		strings.Repeat("a.", 125) + "comm": 400, strings.Repeat("a", 254): 400, "a|b.com": 400, "mystore.com\x00": 400, "mystore.com@evil.com": 400, "*.com": 400, "localhost": 400,
		"\u202emoc.erotsym": 400, "mystore.com\n": 400, "-": 400, "xn--": 400,
	} {
		a := s.post("request", request(domain))
		a.sane(t, domain)
		if a.status != status || status == 400 && a.body.text("error_code") != "INVALID_DOMAIN" {
			t.Errorf("%.60q: %d %.200s", domain, a.status, a.raw)
		}
		s.clock.advance(time.Hour)
	}
	s.post("request", request("mystore.com.")).is(t, 409, "ALREADY_CERTIFIED")
	for _, query := range []string{"", "?domain=", "?domain=%00", "?domain=%ff", "?dom%zzain=x", "?domain=" + strings.Repeat("a", 10_000), "?domain=a&domain=b", "?domain[]=a"} {
		a := s.get("status" + query)
		a.sane(t, query)
		if a.status != 400 && a.status != 404 {
			t.Errorf("status%.50s: %d", query, a.status)
		}
	}
}

// A clock that jumps, here and in the store's snapshot, breaks nothing.
func TestClocksThatJump(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, stamp := range []string{"1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "yesterday", "2026-01-22"} {
		s.post("request", request("mystore.com").with("snapshot.timestamp", stamp)).sane(t, stamp)
	}
	hash := s.get("status?domain=mystore.com").body.text("verification_hash")
	for _, at := range []time.Time{begun.AddDate(-30, 0, 0), time.Unix(0, 0), time.Unix(-1, 0), begun.AddDate(100, 0, 0), begun} {
		s.clock.set(at)
		s.office.RunDue(t.Context())
		for range 3 {
			s.get("verify/"+hash).sane(t, at.String())
			s.get("status?domain=mystore.com").sane(t, at.String())
			s.post("request", request("mystore.com")).sane(t, at.String())
			s.post("renew", object{"verification_hash": hash, "snapshot": snapshot()}).sane(t, at.String())
		}
	}
	if _, err := s.office.VerifyLog(t.Context()); err != nil {
		t.Error(err)
	}
}

// Of two requests for one domain at the same instant one is granted, and the other
// is told so; the same of two renewals, which are one.
func TestTwoAtOneInstant(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for round := range 20 {
		domain := fmt.Sprintf("shop%d.com", round)
		slug := fmt.Sprintf("shop%d", round)
		who := caller{slug, s.addStore(slug)}
		s.addDomain(domain, slug)
		_, err := s.office.TrustDomain(t.Context(), domain)
		s.check(err)
		body := request(domain).with("store_slug", slug)
		got := both(func() answer { return s.send(who, http.MethodPost, "request", body) })
		if got[0].status+got[1].status != 201+409 {
			t.Fatalf("%d %s and %d %s", got[0].status, got[0].raw, got[1].status, got[1].raw)
		}
		hash := s.send(who, http.MethodGet, "status?domain="+domain, nil).body.text("verification_hash")
		renewed := both(func() answer {
			return s.send(who, http.MethodPost, "renew", object{"verification_hash": hash, "snapshot": snapshot()})
		})
		if renewed[0].status != 200 || renewed[0].raw != renewed[1].raw {
			t.Fatalf("%d %s and %d %s", renewed[0].status, renewed[0].raw, renewed[1].status, renewed[1].raw)
		}
	}
}

func both(call func() answer) (got [2]answer) {
	var work sync.WaitGroup
	ready := make(chan struct{})
	for i := range got {
		work.Go(func() { <-ready; got[i] = call() })
	}
	close(ready)
	work.Wait()
	return got
}

// Whatever staff do to a store meanwhile, its calls are answered as documented.
func TestStaffAndStoresAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var work sync.WaitGroup
	work.Go(func() {
		for i := range 30 {
			_, err := s.office.DisableStore(t.Context(), "my-store", i%2 == 0)
			if err != nil {
				t.Error(err)
			}
		}
	})
	work.Go(func() {
		for range 30 {
			if c, err := s.office.Status(t.Context(), authority.Account{Slug: "my-store"}, "mystore.com"); err == nil && c.State == authority.Active {
				if _, err := s.office.Revoke(t.Context(), "", c.Hash, "again"); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range 30 {
		s.post("request", request("mystore.com")).sane(t, "request")
		s.get("status?domain=mystore.com").sane(t, "status")
		s.clock.advance(30 * time.Minute)
	}
	work.Wait()
	if _, err := s.office.VerifyLog(t.Context()); err != nil {
		t.Error(err)
	}
}

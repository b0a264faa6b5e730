package contract

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/service"
	authoritystore "github.com/vecctl/vecctl/authority/store"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
)

func names(events []authority.Event) (all []string) {
	for _, e := range events {
		all = append(all, string(e.Name)+" "+e.Timestamp.Format(time.DateOnly))
	}
	return all
}

// The end of a term is told once, 30 days before, whether the agent ran on that day
// or not; a renewed, revoked or ended one is not told of.
func TestExpiringIsToldOnce(t *testing.T) {
	t.Parallel()
	due := begun.AddDate(1, 0, -30)
	for name, test := range map[string]struct {
		before func(s *site, hash string)
		rounds []time.Time
		want   []string
		left   string
	}{
		"on the day": {nil, []time.Time{due.Add(-time.Second), due, due.Add(time.Hour), due.AddDate(0, 0, 5)}, []string{"certification.expiring 2026-12-23"}, `"days_remaining":30`},
		"the agent was off that day": {nil, []time.Time{due.Add(-time.Hour), due.AddDate(0, 0, 18), due.AddDate(0, 0, 19)},
			[]string{"certification.expiring 2027-01-10"}, `"days_remaining":12`},
		"it was off to the end": {nil, []time.Time{due.Add(-time.Hour), begun.AddDate(1, 0, 0), begun.AddDate(1, 0, 1)}, nil, ""},
		"renewed in time": {func(s *site, hash string) {
			s.post("renew", object{"verification_hash": hash, "snapshot": snapshot()}).is(s, 200, "")
		}, []time.Time{due, due.AddDate(1, 0, 0).Add(-48 * time.Hour), due.AddDate(1, 0, 2)}, []string{"certification.expiring 2027-12-25"}, ""},
		"revoked": {func(s *site, hash string) {
			s.post("revoke", object{"verification_hash": hash, "reason": "x"}).is(s, 200, "")
		}, []time.Time{due, due.AddDate(0, 0, 1)}, []string{"certification.revoked 2026-01-22"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			hash := s.certified().body.text("verification_hash")
			if test.before != nil {
				test.before(s, hash)
			}
			for _, at := range test.rounds {
				s.clock.set(at)
				s.office.RunDue(t.Context())
				s.restart()
				s.office.RunDue(t.Context())
			}
			got := s.events.all()
			if !slices.Equal(names(got), test.want) {
				t.Errorf("told %v, want %v", names(got), test.want)
			}
			if len(got) > 0 && !strings.Contains(string(got[0].Body), test.left) {
				t.Errorf("%s", got[0].Body)
			}
		})
	}
}

// What cannot be handed on waits, and is handed on later, in order.
func TestEventsWait(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.events.shut = true
	for range 2 {
		hash := s.certified().body.text("verification_hash")
		s.post("revoke", object{"verification_hash": hash, "reason": "x"}).is(t, 200, "")
		s.post("revoke", object{"verification_hash": hash, "reason": "again"}).is(t, 200, "") // tells nobody anything
		s.office.RunDue(t.Context())
	}
	s.restart()
	s.events.shut = false
	s.office.RunDue(t.Context())
	got := s.events.all()
	if len(got) != 2 || got[0].Seq >= got[1].Seq {
		t.Errorf("%v", names(got))
	}
}

// The office's loop sleeps until something is due, and wakes when there is news.
func TestTheLoopSleeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rounds, shelf := 0, memory{}
		o := service.New(service.Options{
			Store: counting{authoritystore.New(shelf, time.Now), &rounds}, Now: time.Now, Log: nil,
			Validator: &proofs{by: map[string]authority.Proof{}, asked: map[string]int{}},
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- o.Run(ctx) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		if rounds > 3*61 {
			t.Errorf("%d looks in an idle hour", rounds)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// memory is a store without rows.
type memory struct{}

func (memory) View(_ context.Context, fn func(store.RowReader) error) error { return fn(noRows{}) }
func (memory) Update(context.Context, func(store.RowWriter) error) error    { panic("nothing is written") }

type noRows struct{}

func (noRows) Get(string, string) ([]byte, error)                            { return nil, nil }
func (noRows) Scan(string, string, func(string, []byte) (bool, error)) error { return nil }

type counting struct {
	*authoritystore.Store
	n *int
}

func (c counting) Read(ctx context.Context, fn func(authoritystore.Reader) error) error {
	*c.n++
	return c.Store.Read(ctx, fn)
}

// Before a renewal the domain must still be proven, unless that was seen just now.
func TestDomainsAreLookedAtBeforeRenewal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.addDomain("own.com", "my-store")
	s.proofs.set("own.com", authority.ByTag)
	_, err := s.office.CheckDomain(t.Context(), "own.com")
	s.check(err)
	hash := s.post("request", request("own.com")).is(t, 201, "").body.text("verification_hash")
	s.clock.advance(200 * 24 * time.Hour)
	s.proofs.set("own.com", "")
	refused := s.post("renew", object{"verification_hash": hash, "snapshot": snapshot()}).is(t, 400, "CANNOT_RENEW")
	if !strings.Contains(refused.body.text("message"), "there is no TXT record") {
		t.Errorf("%s", refused.raw)
	}
	if s.get("verify/" + hash).body["valid"] != true {
		t.Error("a proof that is not found for once ends a certification")
	}
	s.proofs.set("own.com", authority.ByRecord)
	next := s.post("renew", object{"verification_hash": hash, "snapshot": snapshot()}).is(t, 200, "").body.text("verification_hash")
	looks := s.proofs.times("own.com")
	s.post("renew", object{"verification_hash": next, "snapshot": snapshot()}).is(t, 200, "")
	if s.proofs.times("own.com") != looks {
		t.Error("a domain that was proven just now is looked at again")
	}
	// One that was missed just now is.
	next = s.get("status?domain=own.com").body.text("verification_hash")
	s.proofs.set("own.com", "")
	_, err = s.office.CheckDomain(t.Context(), "own.com")
	s.check(err)
	s.post("renew", object{"verification_hash": next, "snapshot": snapshot()}).is(t, 400, "CANNOT_RENEW")
	looks = s.proofs.times("own.com")
	// Foreign and unknown hashes make nobody look at anything.
	s.send(caller{"foreign", s.addStore("foreign")}, http.MethodPost, "renew", object{"verification_hash": next, "snapshot": snapshot()}).is(t, 404, "NOT_FOUND")
	if s.proofs.times("own.com") != looks {
		t.Error("another store makes the authority look at a domain")
	}
}

// A renewal whose answer was lost is the same when it is asked for again.
func TestARenewalAskedForAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hash := s.certified().body.text("verification_hash")
	renewal := object{"verification_hash": hash, "snapshot": snapshot()}
	first := s.post("renew", renewal).is(t, 200, "")
	s.restart()
	if again := s.post("renew", renewal.with("snapshot", snapshot().with("timestamp", "2026-03-01T00:00:00Z"))).is(t, 200, ""); again.raw != first.raw {
		t.Errorf("first %s, then %s", first.raw, again.raw)
	}
	s.post("renew", renewal.with("snapshot", snapshot().with("features.currency", false))).is(t, 400, "CANNOT_RENEW")
	s.clock.advance(24 * time.Hour)
	s.post("renew", object{"verification_hash": first.body.text("verification_hash"), "snapshot": snapshot()}).is(t, 200, "")
	s.post("renew", renewal).is(t, 400, "CANNOT_RENEW")
}

func TestTheAuditList(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hash := s.certified().body.text("verification_hash")
	_, err := s.office.Revoke(t.Context(), "", hash, "it leaked")
	s.check(err)
	list, err := s.office.Entries(t.Context(), 0, 100)
	s.check(err)
	var acts []string
	for _, e := range list {
		acts = append(acts, e.Who+": "+e.What)
	}
	want := []string{"staff: store.added", "staff: domain.added", "staff: domain.proven", "store my-store: certification.requested",
		"store my-store: certification.granted", "staff: certification.revoked"}
	if !slices.Equal(acts, want) || list[5].Why != "it leaked" || !list[5].At.Equal(begun) {
		t.Errorf("%v", acts)
	}
	last, err := s.office.VerifyLog(t.Context())
	if err != nil || last.Hash != list[5].Hash {
		t.Errorf("%+v, %v", last, err)
	}
	rows, err := s.store.Rows(authoritystore.Tables()...)
	s.check(err)
	for name, spoil := range map[string]func(w store.RowWriter, key string, entry []byte){
		"changed": func(w store.RowWriter, key string, entry []byte) {
			w.Put("authority_log", key, []byte(strings.Replace(string(entry), `"subject":"`, `"subject":"x`, 1)))
		},
		"removed": func(w store.RowWriter, key string, _ []byte) { w.Delete("authority_log", key) },
	} {
		for n := range len(list) {
			var key string
			var entry []byte
			s.check(rows.Update(t.Context(), func(w store.RowWriter) error {
				seen := 0
				err := w.Scan("authority_log", "", func(k string, v []byte) (bool, error) {
					key, entry = k, slices.Clone(v)
					seen++
					return seen > n, nil
				})
				spoil(w, key, entry)
				return err
			}))
			if _, err := s.office.VerifyLog(t.Context()); !fault.Is(err, fault.Damaged) {
				t.Errorf("entry %d %s: %v", n+1, name, err)
			}
			s.check(rows.Update(t.Context(), func(w store.RowWriter) error { w.Put("authority_log", key, entry); return nil }))
		}
	}
	_, err = s.office.VerifyLog(t.Context())
	s.check(err)
}

// Disabled and rotated keys open nothing; badges stay.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hash := s.certified().body.text("verification_hash")
	old := s.own()
	_, key, err := s.office.RotateKey(t.Context(), "my-store")
	s.check(err)
	s.send(old, http.MethodGet, "status?domain=mystore.com", nil).is(t, 401, "UNAUTHORIZED")
	s.key = key
	s.get("status?domain=mystore.com").is(t, 200, "")
	_, err = s.office.DisableStore(t.Context(), "my-store", true)
	s.check(err)
	s.get("status?domain=mystore.com").is(t, 401, "UNAUTHORIZED")
	if s.get("verify/" + hash).body["valid"] != true {
		t.Error("a disabled store's badge is gone")
	}
	_, err = s.office.DisableStore(t.Context(), "my-store", false)
	s.check(err)
	s.get("status?domain=mystore.com").is(t, 200, "")
	if _, err := s.office.RemoveDomain(t.Context(), "mystore.com"); !fault.Is(err, fault.Illegal) {
		t.Errorf("a domain with a badge was removed: %v", err)
	}
}

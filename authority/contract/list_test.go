package contract

import (
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority/counter"
	"github.com/vecctl/vecctl/pkg/client/loopback"
	"github.com/vecctl/vecctl/pkg/client/staff"
)

// Staff see what became last of each domain: one that is certified, one that
// waits, and nothing of one that never asked.
func TestStaffSeeEachDomainsLatestCertification(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.certified()
	s.addDomain("waits.com", "my-store")
	s.addDomain("silent.com", "my-store")
	s.post("request", request("waits.com")).is(s, 202, "")
	registry := counter.Counter{Registry: s.office, Bench: s.office, Shape: counter.Shape{Now: s.clock.now}}
	desk, err := staff.New("http://vecctl.test", loopback.Transport(registry.Handler()))
	s.check(err)
	all, err := desk.StoreCertifications(t.Context(), "")
	s.check(err)
	if len(all) != 2 || all[0].Domain != "mystore.com" || all[0].Status != "active" || all[1].Domain != "waits.com" || all[1].Status != "pending" {
		t.Fatalf("%+v", all)
	}
	_, err = desk.RevokeCertification(t.Context(), all[0].Hash, "a test")
	s.check(err)
	s.clock.set(begun.Add(time.Hour))
	if all, err = desk.StoreCertifications(t.Context(), ""); err != nil || all[0].Status != "revoked" {
		t.Errorf("%+v, %v", all, err)
	}
}

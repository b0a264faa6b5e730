package contract

import (
	"net/http"
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority/api"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
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
	registry := api.AdminHandler{Service: s.office}
	mux := http.NewServeMux()
	registry.Routes().Register(mux)
	desk, err := adminclient.New("http://vecctl.test", client.InProcess(mux))
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

package contract

import (
	"net/http"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// staff is a client of the site through the staff's door.
func (s *site) staff() *adminclient.Client {
	s.Helper()
	c, err := adminclient.New("http://vecctl.local", client.InProcess(s.agent.Handler()))
	s.check(err)
	return c
}

// until asks for an application until it is in a state.
func (s *site) until(c *adminclient.Client, name string, want vault.Status) {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		found, err := c.Application(s.Context(), name)
		s.check(err)
		if found.Status.Value == string(want) {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("%s is %s still, want %s", name, found.Status.Value, want)
		}
	}
}

// TestApplicationsInTheLists puts what customers applied for where the guide does:
// among all certificates, and not among the vault's.
func TestApplicationsInTheLists(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	desk := s.staff()
	submit := func(name string) adminclient.Application {
		a, err := desk.SubmitApplication(t.Context(), adminclient.NewApplication{Title: "Diploma", Name: name, Email: name + "@example.com",
			Evidence: &adminclient.NewFile{Name: "scan.pdf", Body: smallPDF(name)}})
		s.check(err)
		return a
	}
	open, reviewed, rejected, approved := submit("open"), submit("reviewed"), submit("rejected"), submit("approved")
	_, err := desk.ReviewApplication(t.Context(), reviewed.UUID)
	s.check(err)
	_, err = desk.RejectApplication(t.Context(), rejected.ReferenceID, "no such course")
	s.check(err)
	_, err = desk.ApproveApplication(t.Context(), approved.UUID, adminclient.ApplicationApproval{Evidence: true})
	s.check(err)
	s.until(desk, approved.UUID, vault.Approved)

	all := s.want(s.get("/business/certificates"), http.StatusOK)
	for i, want := range []struct{ uuid, status, label string }{
		{approved.UUID, "approved", "Approved"}, {rejected.UUID, "rejected", "Rejected"},
		{reviewed.UUID, "in_review", "In Review"}, {open.UUID, "pending", "Pending"},
	} {
		at := "data." + string(rune('0'+i)) + "."
		if all.text(at+"uuid") != want.uuid || all.text(at+"status.value") != want.status || all.text(at+"status.label") != want.label ||
			all.text(at+"source.value") != "customer" || all.text(at+"source.label") != "Customer" {
			t.Errorf("entry %d: %s", i, all)
		}
	}
	if got := all.text("data.1.rejection_reason"); got != "no such course" {
		t.Errorf("rejected because of %q", got)
	}
	for status, want := range map[string]string{"pending": open.UUID, "in_review": reviewed.UUID, "rejected": rejected.UUID} {
		if got := s.want(s.get("/business/certificates?status="+status), http.StatusOK); got.text("data.0.uuid") != want || got.get("meta.total") != 1.0 {
			t.Errorf("%s: %s", status, got)
		}
	}
	if got := s.want(s.get("/business/certificate-vault"), http.StatusOK); got.get("meta.total") != 0.0 {
		t.Errorf("among the vault's: %s", got)
	}
	for _, a := range []adminclient.Application{open, approved} {
		path := "/business/certificate-vault/" + a.UUID
		s.want(s.get(path), http.StatusNotFound)
		s.want(s.get(path+"/download"), http.StatusNotFound)
		s.want(s.call(http.MethodPost, path+"/retry", nil), http.StatusNotFound)
	}
	if _, err := desk.Certificate(t.Context(), approved.UUID); err != nil {
		t.Errorf("staff see it: %v", err)
	}
}

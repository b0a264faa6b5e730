package vault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

const remoteVault = "https://api.vec.digital"

// sent returns a certificate that another vault has accepted.
func sent(t *testing.T) vault.Certificate {
	t.Helper()
	c, fx, err := accepted().Send(vault.Remote{Vault: remoteVault, SentAt: later, Others: []string{"old"}}, later)
	if err != nil {
		t.Fatal(err)
	}
	if len(fx.Jobs) != 1 || fx.Jobs[0].Kind != vault.JobFetch || len(fx.Events)+len(fx.Mails) != 0 || c.Status != vault.Processing {
		t.Fatalf("sent: %+v, %+v", c, fx)
	}
	return c
}

func TestRelayedCertificate(t *testing.T) {
	c, fx, err := sent(t).Locate("r-1", "VEC-IC-R", later)
	if err != nil || c.Remote.UUID != "r-1" || c.Remote.Others != nil || len(fx.Jobs)+len(fx.Events) != 0 {
		t.Fatalf("located: %+v, %+v, %v", c.Remote, fx, err)
	}
	at := later.Add(time.Minute)
	done, fx, err := c.Fetch(vault.Verified{SHA256: "ab", TailSize: 1}, []byte("x"), at)
	if err != nil || done.Status != vault.Approved || !done.Remote.FetchedAt.Equal(at) || !c.Remote.FetchedAt.IsZero() {
		t.Fatalf("fetched: %+v, %v", done, err)
	}
	if len(fx.Mails) != 0 || len(fx.Events) != 1 || fx.Events[0].Type != vault.EventApproved || string(fx.Tail) != "x" {
		t.Errorf("the other vault mails: %+v", fx)
	}
	// What only the vault that issued it can do is refused, with its name.
	for what, err := range map[string]error{
		"revoked":   third(done.Revoke("a mistake", at)),
		"corrected": third(done.Supersede("u-2", at)),
	} {
		if !fault.Is(err, fault.Illegal) || !strings.Contains(err.Error(), remoteVault) || !strings.Contains(err.Error(), "VEC-IC-R") {
			t.Errorf("%s here: %v", what, err)
		}
	}
	revoked, fx, err := done.RevokeRemotely(vault.Revocation{At: at, Reason: "there"}, at)
	if err != nil || revoked.Status != vault.Revoked || revoked.Revocation.Reason != "there" || fx.Events[0].Type != vault.EventRevoked {
		t.Errorf("revoked there: %+v, %+v, %v", revoked, fx, err)
	}
}

func TestRelay(t *testing.T) {
	c, fx, err := accepted().Relay(later)
	if err != nil || c.Status != vault.Processing || len(fx.Jobs) != 1 || fx.Jobs[0].Kind != vault.JobSend || len(fx.Events)+len(fx.Mails) != 0 {
		t.Errorf("%+v, %+v, %v", c, fx, err)
	}
	// However often the program ends meanwhile, such a job is not to blame.
	j := fx.Jobs[0]
	for range 10 {
		j = j.Claim("worker", later).Orphaned(later)
	}
	if j.Suspect() || j.GivenUp() || j.Attempt != 0 {
		t.Errorf("%+v", j)
	}
}

func third(_ vault.Certificate, _ vault.Effects, err error) error { return err }

func TestSentAgain(t *testing.T) {
	c, fx, err := sent(t).SendAgain(later)
	if err != nil || c.Remote != nil || len(fx.Jobs) != 1 || fx.Jobs[0].Kind != vault.JobSend {
		t.Errorf("%+v, %+v, %v", c, fx, err)
	}
}

func TestRelayRefuses(t *testing.T) {
	located, _, err := sent(t).Locate("r-1", "VEC-IC-R", later)
	if err != nil {
		t.Fatal(err)
	}
	failed, _, err := located.Fail(vault.Failure{Code: vault.CodeRemoteFailed, Reason: "there"}, later)
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"sent while failed":          third(failed.Send(vault.Remote{Vault: remoteVault, SentAt: later}, later)),
		"relayed while failed":       third(failed.Relay(later)),
		"sent nowhere":               third(accepted().Send(vault.Remote{SentAt: later}, later)),
		"sent at no time":            third(accepted().Send(vault.Remote{Vault: remoteVault}, later)),
		"sent again though there":    third(located.SendAgain(later)),
		"sent again though not sent": third(accepted().SendAgain(later)),
		"located though not sent":    third(accepted().Locate("r", "R", later)),
		"located though failed":      third(failed.Locate("r", "R", later)),
		"fetched though not sent":    third(accepted().Fetch(vault.Verified{}, nil, later)),
		"fetched though not located": third(sent(t).Fetch(vault.Verified{}, nil, later)),
		"revoked though of here":     third(in(t, vault.Approved).RevokeRemotely(vault.Revocation{}, later)),
		"revoked though not issued":  third(located.RevokeRemotely(vault.Revocation{}, later)),
	} {
		if err == nil {
			t.Errorf("%s is allowed", what)
		}
	}
	// A retry goes through sending again, and knows what it is there.
	again, fx, err := failed.Retry(vault.ByAdmin, later)
	if err != nil || again.Remote.UUID != "r-1" || fx.Jobs[0].Kind != vault.JobSign {
		t.Errorf("a retry: %+v, %+v, %v", again, fx, err)
	}
}

package agent

import (
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/retention"
	"github.com/vecctl/vecctl/pkg/fault"
)

func TestWhatIsKeptAsTheSettingsSay(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	set := map[string]string{}
	a := &Agent{Options: Options{Home: home.Dir(t.TempDir()), Getenv: func(name string) string { return set[name] }}}
	k, err := a.newKeeper(home.Config{})
	if err != nil || k.Limits != (retention.Limits{Deliveries: 30 * day}) {
		t.Errorf("where nothing is set: %+v, %v", k, err)
	}
	for name, days := range map[string]string{"DELIVERIES": "0", "RECEIVED": "1", "MAILS": "2", "VERIFIED": "3", "REFUSED": "4"} {
		set["VECCTL_RETENTION_"+name] = days
	}
	k, err = a.newKeeper(home.Config{})
	if err != nil || k.Limits != (retention.Limits{Received: day, Mails: 2 * day, Verified: 3 * day, Refused: 4 * day}) {
		t.Errorf("%+v, %v", k, err)
	}
	for _, bad := range []string{"-1", "soon", "1d", "99999"} {
		set["VECCTL_RETENTION_MAILS"] = bad
		if _, err := a.newKeeper(home.Config{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

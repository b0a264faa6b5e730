package signing

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

func TestRelayHeldBy(t *testing.T) {
	c, err := client.New("https://vault.example", "vc_token", nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{RelayOptions: RelayOptions{Client: c}}
	for _, tt := range []struct {
		err  error
		want string // "" is not the vault's fault
	}{
		{fault.New(fault.Unavailable, "no route to it."), "cannot be reached or fails (no route to it)"},
		{fault.New(fault.Unavailable, "the vault at https://vault.example is silent"), "issuing is paused: the vault at https://vault.example is silent; certificates wait"},
		{fault.New(fault.Unauthenticated, "Unauthorized"), "refuses the token in relay.token (Unauthorized)"},
		{fault.New(fault.Forbidden, "Forbidden"), "refuses the token"},
		{fault.New(fault.Internal, "no JSON"), "answers otherwise than it should (no JSON)"},
		{fault.New(fault.Full, "the disk of the home is full"), ""},
	} {
		why := r.heldBy(tt.err)
		switch {
		case tt.want == "" && why != nil:
			t.Errorf("%v holds: %v", tt.err, why)
		case tt.want != "" && (why == nil || !strings.Contains(why.Error(), tt.want) || !strings.Contains(why.Error(), "https://vault.example") || strings.Contains(why.Error(), "vc_token")):
			t.Errorf("%v: %v, want %q", tt.err, why, tt.want)
		}
	}
	if why := r.heldBy(errors.New("closed pipe")); why != nil {
		t.Errorf("an error of this home holds: %v", why)
	}
}

func TestLooks(t *testing.T) {
	var l looks
	now := time.Date(2026, 6, 4, 10, 0, 0, 0, time.UTC)
	look := func(after time.Duration, left int, want bool) {
		t.Helper()
		if now = now.Add(after); !l.due(now) {
			t.Errorf("it is not time to look %s later", after)
		}
		if got := l.worthwhile(left, now); got != want {
			t.Errorf("with %d left, worthwhile is %v", left, got)
		}
	}
	look(0, 1000, true) // nothing is known
	l.looked(false, now)
	look(firstLook, 990, false) // too few are done
	if l.due(now) {
		t.Error("it is time again at once")
	}
	look(maxMovingLook, 700, true) // a quarter is done
	l.looked(true, now)
	l.sent(600, now)
	look(newsPause, 1200, false) // and others came
	look(maxMovingLook, 0, true)
	l.looked(false, now)
	for range 20 { // nothing is there: the pauses grow
		look(l.nextLook().Sub(now), 0, true)
		l.looked(false, now)
	}
	if pause := l.nextLook().Sub(now); pause != maxLook {
		t.Errorf("the pause is %s", pause)
	}
	l.sent(0, now) // a webhook came
	if pause := l.nextLook().Sub(now); pause != newsPause {
		t.Errorf("after a webhook the pause is %s", pause)
	}
	look(newsPause, -1, true) // the vault does not count
}

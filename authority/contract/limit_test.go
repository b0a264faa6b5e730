package contract

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

// Each limit admits its number, refuses the next call saying how long to wait, and
// admits again after that time; those of hours and days hold over restarts.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		call    func(s *site) answer
		n       int
		window  time.Duration
		restart bool
	}{
		"request": {func(s *site) answer { return s.post("request", request("nowhere.com")) }, 5, time.Hour, true},
		"renew":   {func(s *site) answer { return s.post("renew", object{}) }, 5, 24 * time.Hour, true},
		"revoke":  {func(s *site) answer { return s.post("revoke", object{}) }, 10, time.Hour, true},
		"status":  {func(s *site) answer { return s.get("status?domain=x.com") }, 60, time.Minute, false},
		"verify":  {func(s *site) answer { return s.get("verify/x") }, 100, time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			other := s.addStore("other")
			for i := range test.n {
				if a := test.call(s); a.status == http.StatusTooManyRequests {
					t.Fatalf("call %d of %d: %s", i+1, test.n, a.raw)
				}
				s.clock.advance(test.window / time.Duration(4*test.n))
				if test.restart && i == test.n/2 {
					s.restart()
				}
			}
			refused := test.call(s).is(t, 429, "RATE_LIMITED")
			wait, err := strconv.Atoi(refused.header.Get("Retry-After"))
			if err != nil || wait <= 0 || time.Duration(wait)*time.Second > test.window {
				t.Errorf("Retry-After: %q", refused.header.Get("Retry-After"))
			}
			if test.restart {
				s.restart()
				test.call(s).is(t, 429, "RATE_LIMITED")
			}
			if name != "verify" {
				mine := s.key
				s.key = other
				if a := s.send(caller{"other", other}, http.MethodGet, "status?domain=x.com", nil); a.status == 429 {
					t.Error("another store must wait too")
				}
				s.key = mine
			}
			s.clock.advance(time.Duration(wait)*time.Second - 2*time.Second)
			test.call(s).is(t, 429, "RATE_LIMITED")
			s.clock.advance(2 * time.Second)
			if a := test.call(s); a.status == http.StatusTooManyRequests {
				t.Errorf("after the wait: %s", a.raw)
			}
		})
	}
}

// A caller without a right key is told so, however often; that uses up nobody's limit.
func TestStrangersUseUpNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for range 10 {
		s.send(caller{"my-store", "wrong"}, http.MethodPost, "request", request("mystore.com")).is(t, 401, "UNAUTHORIZED")
	}
	s.certified()
}

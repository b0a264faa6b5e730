package config

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Numbers that would overflow, or take all memory, where they are used.
func TestNumbersHaveBounds(t *testing.T) {
	t.Parallel()
	for key, good := range map[string]string{
		"limits.per_minute": "6000", "mail.per_minute": "100000", "mail.lines": "16", "log.max_size": "5000", "log.max_age": "3650",
		"retention.mails": "3650",
	} {
		s, _ := FindSetting(key)
		if err := s.set(good, "x"); err != nil {
			t.Error(err)
		}
		for _, bad := range []string{"-1", "1000000000000", "9223372036854775807", "1e3", "x"} {
			if err := s.set(bad, "x"); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %s is taken: %v", key, bad, err)
			}
		}
	}
}

// A caller with an IPv4 address is known by it, however the operator wrote it.
func TestProxies(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"": "", "127.0.0.1, 10.0.0.0/8": "127.0.0.1/32 10.0.0.0/8", "10.9.9.9/8": "10.0.0.0/8", "::1,,fd00::/8": "::1/128 fd00::/8",
		"::ffff:10.0.0.1": "10.0.0.1/32", "::ffff:10.0.0.0/104": "10.0.0.0/8", "::/0": "::/0",
	} {
		all, err := parseNetworks(list)
		var got []string
		for _, one := range all {
			got = append(got, one.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
	for _, list := range []string{"x", "10.0.0.0/33", "10.0.0.1:80", "127.0.0.1 10.0.0.1"} {
		if _, err := parseNetworks(list); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func FuzzProxies(f *testing.F) {
	f.Add("127.0.0.1, 10.0.0.0/8")
	f.Add("::ffff:10.0.0.1,fe80::1%eth0,::/0")
	f.Fuzz(func(t *testing.T, list string) {
		all, err := parseNetworks(list)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", list, err)
			}
			return
		}
		for _, one := range all {
			if !one.IsValid() {
				t.Fatalf("%q: a network that is none", list)
			}
		}
		// An address that stands in the list alone is trusted.
		if address, err := netip.ParseAddr(strings.TrimSpace(list)); err == nil && address.Zone() == "" &&
			(len(all) != 1 || !all[0].Contains(address.Unmap())) {
			t.Errorf("%q: %v does not hold it", list, all)
		}
	})
}

func parseNetworks(list string) (all []netip.Prefix, err error) {
	err = networks{&all}.set(list)
	return all, err
}

// FuzzSetting holds that a value that is let in can be used, and that what is written of
// it reads as the same value.
func FuzzSetting(f *testing.F) {
	for i, s := range Settings() {
		f.Add(uint8(i), s.String())
	}
	for _, value := range []string{"1h30m", "-1s", "9223372036854775807", "1e1000", "NaN", "0x10", "smtp://a:b@c:0", "smtps://[::1", "http://", "a@b.c", "2540400h"} {
		for i := range Settings() {
			f.Add(uint8(i), value)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		var c Config
		s := c.settings()[int(which)%len(Settings())]
		if err := s.set(value, "--flag"); err != nil {
			if message, ok := fault.Message(err); !ok || !strings.HasPrefix(message, s.Key) {
				t.Errorf("%s: the message does not name it: %v", s.Key, err)
			}
			if s.Secret && len(value) > 30 && strings.Contains(err.Error(), value) {
				t.Errorf("%s: a secret is shown", s.Key)
			}
			return
		}
		for name, d := range map[string]time.Duration{"settle": c.Drop.Settle, "wait": c.Drop.Wait, "hold": c.Mail.Hold, "mails": c.Retention.Mails, "refused": c.Retention.Refused} {
			if d < 0 {
				t.Errorf("%s: %q is %v", name, value, d)
			}
		}
		for _, mm := range []float64{c.QR.SizeMM, c.QR.MarginMM} {
			if !(mm >= 0 && mm <= 200) {
				t.Errorf("%s: %q is %v mm", s.Key, value, mm)
			}
		}
		if s.Key == "mail.smtp_url" {
			return // its text leaves the password out
		}
		var again Config
		same := again.settings()[int(which)%len(Settings())]
		if err := same.set(s.String(), "again"); s.String() != "" && (err != nil || same.String() != s.String()) {
			t.Errorf("%s: %q is written %q, which reads %q, %v", s.Key, value, s.String(), same.String(), err)
		}
	})
}

func TestCheckBaseURL(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://vec.example.edu": true, "http://127.0.0.1:7780": true, "https://example.edu/certificates/": true,
		"": false, "vec.example.edu": false, "ftp://example.edu": false, "https://": false, "https://u:p@example.edu": false,
		"https://example.edu?x=1": false, "https://example.edu#x": false, "https://example.edu/" + strings.Repeat("x", 200): false,
		"https://zürich.example/Prüfung": true, "https://zürich.example/" + strings.Repeat("ü", 100): false,
		"javascript:alert(1)": false, "https://exa mple.edu": false,
	} {
		if err := CheckBaseURL(url); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}

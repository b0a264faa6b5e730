package home

import (
	"crypto/rand"
	"net/netip"
	"strconv"
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
		if err := s.Check(good, "x"); err != nil {
			t.Error(err)
		}
		for _, bad := range []string{"-1", "1000000000000", "9223372036854775807", "1e3", "x"} {
			if err := s.Check(bad, "x"); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %s is taken: %v", key, bad, err)
			}
		}
	}
}

// Whoever calls from an IPv4 address is known by it, however the operator wrote it.
func TestParseProxies(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"": "", "127.0.0.1, 10.0.0.0/8": "127.0.0.1/32 10.0.0.0/8", "10.9.9.9/8": "10.0.0.0/8", "::1,,fd00::/8": "::1/128 fd00::/8",
		"::ffff:10.0.0.1": "10.0.0.1/32", "::ffff:10.0.0.0/104": "10.0.0.0/8", "::/0": "::/0",
	} {
		all, err := ParseProxies(list)
		var got []string
		for _, one := range all {
			got = append(got, one.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v", list, got, err)
		}
	}
	for _, list := range []string{"x", "10.0.0.0/33", "10.0.0.1:80", "127.0.0.1 10.0.0.1"} {
		if _, err := ParseProxies(list); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func FuzzParseProxies(f *testing.F) {
	f.Add("127.0.0.1, 10.0.0.0/8")
	f.Add("::ffff:10.0.0.1,fe80::1%eth0,::/0")
	f.Fuzz(func(t *testing.T, list string) {
		all, err := ParseProxies(list)
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

// FuzzSetting holds that what a setting lets in can be used where it is read.
func FuzzSetting(f *testing.F) {
	for i, s := range Settings() {
		f.Add(uint8(i), s.Default)
	}
	for _, value := range []string{"1h30m", "-1s", "9223372036854775807", "1e1000", "NaN", "0x10", "smtp://a:b@c:0", "smtps://[::1", "http://", "a@b.c", "2540400h"} {
		for i := range Settings() {
			f.Add(uint8(i), value)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		s := Settings()[int(which)%len(Settings())]
		err := s.Check(value, "--flag")
		if err != nil {
			if message, ok := fault.Message(err); !ok || !strings.HasPrefix(message, s.Key) {
				t.Errorf("%s: nobody is told what is wrong with it: %v", s.Key, err)
			}
			if s.Secret && len(value) > 30 && strings.Contains(err.Error(), value) {
				t.Errorf("%s: a secret is shown", s.Key)
			}
			return
		}
		if value == "" {
			return
		}
		switch {
		case strings.HasPrefix(s.Key, "retention."), s.Key == "log.max_age":
			days, err := strconv.Atoi(value)
			if age := time.Duration(days) * 24 * time.Hour; err != nil || age < 0 || age/(24*time.Hour) != time.Duration(days) {
				t.Errorf("%s: %q are %v: %v", s.Key, value, age, err)
			}
		case s.Key == "drop.settle", s.Key == "drop.wait", s.Key == "mail.hold":
			if d, err := time.ParseDuration(value); err != nil || d < 0 {
				t.Errorf("%s: %q is %v: %v", s.Key, value, d, err)
			}
		case s.Key == "qr.size", s.Key == "qr.margin":
			if mm, err := strconv.ParseFloat(value, 64); err != nil || !(mm > 0 && mm <= 200) {
				t.Errorf("%s: %q is %v: %v", s.Key, value, mm, err)
			}
		}
	})
}

// FuzzSecretsKey holds that what is read of the file of keys is what it says.
func FuzzSecretsKey(f *testing.F) {
	dir := Dir(f.TempDir())
	f.Add(strings.Repeat("ab", secretKeyLength) + " 2026-05-02T12:00:00Z\n" + strings.Repeat("cd", secretKeyLength) + "\n")
	f.Add("\n")
	f.Add(strings.Repeat("AB", secretKeyLength) + "  2026-05-02T12:00:00Z")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := dir.parseSecretKeys(rand.Reader, text)
		if err != nil {
			if !fault.Is(err, fault.Damaged) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		sealed, err := s.Seal("place", "whsec_x")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Open("place", sealed); err != nil || got != "whsec_x" {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if lines := strings.Count(strings.TrimSpace(text), "\n") + 1; len(s.Keys()) != lines {
			t.Errorf("%d keys in %d lines", len(s.Keys()), lines)
		}
	})
}

package authority

import (
	"slices"
	"strings"
	"testing"
)

// full is the contract's example with everything switched on.
func full() Snapshot {
	return Snapshot{
		SDKVersion: "1.9.0", QualifiedBadge: "VW-CERT-CUR", Timestamp: "2026-01-22T10:00:00Z",
		Features: Features{true, true, true, true, true},
		Services: Services{true, true, true, true},
		Config:   Config{true, true, true, true, true, true},
	}
}

func TestTheContractsExampleIsFinancial(t *testing.T) {
	s := full()
	s.Features.Currency, s.QualifiedBadge = false, "VW-CERT-FIN"
	if b := Qualify(s); b != Financial || b.Name() != "Financial Certified" {
		t.Errorf("got %s, %q", b, b.Name())
	}
	if got := Financial.Features(); !slices.Equal(got, []string{"reference_governance", "financial_reconciliation"}) {
		t.Errorf("features %v", got)
	}
}

// Each requirement alone decides whether its step is reached, whatever the client
// claims.
func TestEachRequirementHoldsItsStep(t *testing.T) {
	off := map[string]func(*Snapshot){
		"config.api_key_set":                      func(s *Snapshot) { s.Config.APIKeySet = false },
		"config.store_slug_set":                   func(s *Snapshot) { s.Config.StoreSlugSet = false },
		"services.transaction_verifier":           func(s *Snapshot) { s.Services.TransactionVerifier = false },
		"features.base":                           func(s *Snapshot) { s.Features.Base = false },
		"features.reference_strict":               func(s *Snapshot) { s.Features.ReferenceStrict = false },
		"config.reference_strict_mode":            func(s *Snapshot) { s.Config.ReferenceStrictMode = false },
		"features.governance":                     func(s *Snapshot) { s.Features.Governance = false },
		"config.reference_governance_enabled":     func(s *Snapshot) { s.Config.ReferenceGovernanceEnabled = false },
		"services.reference_governor":             func(s *Snapshot) { s.Services.ReferenceGovernor = false },
		"features.financial":                      func(s *Snapshot) { s.Features.Financial = false },
		"config.financial_reconciliation_enabled": func(s *Snapshot) { s.Config.FinancialReconciliationEnabled = false },
		"services.financial_record_manager":       func(s *Snapshot) { s.Services.FinancialRecordManager = false },
		"features.currency":                       func(s *Snapshot) { s.Features.Currency = false },
		"config.base_currency_set":                func(s *Snapshot) { s.Config.BaseCurrencySet = false },
		"services.currency_normalizer":            func(s *Snapshot) { s.Services.CurrencyNormalizer = false },
	}
	below := map[Badge]Badge{Base: "", Reference: Base, Governed: Reference, Financial: Governed, Currency: Financial}
	if len(Requirements()) != len(off) {
		t.Fatalf("%d requirements, %d tried", len(Requirements()), len(off))
	}
	for _, r := range Requirements() {
		s := full()
		off[r.Field](&s)
		if got := Qualify(s); got != below[r.Badge] {
			t.Errorf("without %s: %q, want %q", r.Field, got, below[r.Badge])
		}
		if lacks := Missing(s, Currency); len(lacks) != 1 || lacks[0].Field != r.Field {
			t.Errorf("without %s the list says %v", r.Field, lacks)
		}
	}
	if Qualify(full()) != Currency {
		t.Error("with everything it is not the top badge")
	}
}

func TestVersions(t *testing.T) {
	for _, test := range []struct {
		version, lowest string
		ok              bool
	}{
		{"1.9.0", "1.0.0", true}, {"1.0.0", "1.0.0", true}, {"10.0.0", "9.9.9", true}, {"1.10.0", "1.9.0", true},
		{"1.9.0-rc.1", "1.9.0", false}, {"1.9.0-rc.2", "1.9.0-rc.1", true}, {"1.9.0+build.5", "1.9.0", true},
		{"0.9.9", "1.0.0", false}, {"1.9", "1.0.0", false}, {"2", "1.0.0", false}, {"v1.9.0", "1.0.0", false},
		{"", "1.0.0", false}, {"latest", "1.0.0", false}, {"1.9.0|x", "1.0.0", false}, {"1.9.0\x00", "1.0.0", false},
		{"01.9.0", "1.0.0", false}, {"1.9.0 ", "1.0.0", false}, {"9" + strings.Repeat("9", 100) + ".0.0", "1.0.0", false},
	} {
		if err := CheckSDK(test.version, test.lowest); (err == nil) != test.ok {
			t.Errorf("%q with a minimum of %q: %v", test.version, test.lowest, err)
		}
	}
}

func TestDomains(t *testing.T) {
	long := strings.Repeat("a.", 125) + "com"
	for _, test := range []struct{ in, want string }{
		{"mystore.com", "mystore.com"}, {"MyStore.COM", "mystore.com"}, {"mystore.com.", "mystore.com"},
		{"bücher.example", "xn--bcher-kva.example"}, {"BÜCHER.example", "xn--bcher-kva.example"}, {"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"a.b.c.d.example", "a.b.c.d.example"}, {long, long}, {"my-app_7", "my-app_7"}, {"MyApp", "myapp"}, {"münchen.de。", ""},
		{"mystore.com..", ""}, {".mystore.com", ""}, {"my..store.com", ""}, {"", ""}, {".", ""}, {"localhost", ""},
		{"mystore.com:443", ""}, {"https://mystore.com", ""}, {"mystore.com/shop", ""}, {"user@mystore.com", ""}, {"*.mystore.com", ""},
		{"192.0.2.1", ""}, {"[2001:db8::1]", ""}, {"2001:db8::1", ""}, {"127.1", ""}, {"0x7f.1", ""}, {"1.2.3.04", ""},
		{"my store.com", ""}, {" mystore.com", ""}, {"a|b.com", ""}, {"a\x00b.com", ""}, {"-a.com", ""}, {"a-.com", ""}, {"a_b.com", ""},
		{strings.Repeat("a", 64) + ".com", ""}, {strings.Repeat("a.", 126) + "com", ""}, {strings.Repeat("a", 10_000_000), ""}, {"app|x", ""}, {"-app", ""}, {"é", ""}, {"\xff.com", ""},
	} {
		got, err := ParseDomain(test.in)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%.80q: %q, %v; want %q", test.in, got, err, test.want)
		}
	}
}

func FuzzParseDomain(f *testing.F) {
	for _, s := range []string{"mystore.com", "bücher.example.", "MyApp", "1.2.3.4", "xn--a.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := ParseDomain(s)
		if err != nil {
			return
		}
		if again, err := ParseDomain(name); err != nil || again != name {
			t.Errorf("%q becomes %q, and that %q, %v", s, name, again, err)
		}
		if strings.ContainsAny(name, "|\x00/:@ ") || len(name) > maxDomain {
			t.Errorf("%q becomes %q", s, name)
		}
	})
}

func TestABadgeCoversItsDomainAlone(t *testing.T) {
	for _, test := range []struct {
		other string
		ok    bool
	}{
		{"mystore.com", true}, {"MYSTORE.com.", true}, {"www.mystore.com", true},
		{"shop.mystore.com", false}, {"evil.com", false}, {"mystore.com.evil.com", false}, {"mystore.com:80", false}, {"", false},
	} {
		if Covers("mystore.com", test.other) != test.ok {
			t.Errorf("%q: want %v", test.other, test.ok)
		}
	}
}

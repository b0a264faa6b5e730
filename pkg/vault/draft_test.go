package vault_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func TestValidate(t *testing.T) {
	const control = "must not contain control characters"
	longEmail := func(n int) string {
		head := "recipient@" + strings.Repeat(strings.Repeat("d", 60)+".", 3)
		return head + strings.Repeat("e", n-len(head)-4) + ".edu"
	}
	tests := []struct {
		name  string
		edit  func(*vault.Draft)
		field string // "" for a valid draft
		says  string
	}{
		{"valid", func(*vault.Draft) {}, "", ""},
		{"no details", func(d *vault.Draft) { d.Details = "" }, "", ""},
		{"no title", func(d *vault.Draft) { d.Title = "" }, "certificate_title", "The certificate title field is required."},
		{"no name", func(d *vault.Draft) { d.Name = "" }, "full_name", "The full name field is required."},
		{"no e-mail", func(d *vault.Draft) { d.Email = "" }, "applicant_email", "The applicant email field is required."},
		{"no date", func(d *vault.Draft) { d.IssueDate = "" }, "issue_date", "YYYY-MM-DD"},
		{"no file", func(d *vault.Draft) { d.File.SHA256 = "" }, "certificate_file", "The certificate file field is required."},
		{"a name that turns around", func(d *vault.Draft) { d.Name = "Ann \u202eylime" }, "full_name", control},
		{"a name in an embedding", func(d *vault.Draft) { d.Name = "\u202bAnn\u202c" }, "full_name", control},
		{"a name with an isolate", func(d *vault.Draft) { d.Name = "Ann\u2067" }, "full_name", control},
		{"a title with a mark", func(d *vault.Draft) { d.Title = "Dip\u200floma" }, "certificate_title", control},
		{"a Persian name with a joiner", func(d *vault.Draft) { d.Name = "علی\u200cرضا" }, "", ""},
		{"details with a mark", func(d *vault.Draft) { d.Details = "\u200fשלום" }, "", ""},
		{"a title of white space", func(d *vault.Draft) { d.Title = " \u00a0\u2003" }, "certificate_title", "required"},
		{"a title of 255", func(d *vault.Draft) { d.Title = strings.Repeat("ż", 255) }, "", ""},
		{"a title of 255 and white space around", func(d *vault.Draft) { d.Title = "  " + strings.Repeat("ż", 255) + "\n" }, "", ""},
		{"a title of 256", func(d *vault.Draft) { d.Title = strings.Repeat("ż", 256) }, "certificate_title",
			"The certificate title field must not be greater than 255 characters."},
		{"a name of 255", func(d *vault.Draft) { d.Name = strings.Repeat("𝔸", 255) }, "", ""},
		{"a name of 256", func(d *vault.Draft) { d.Name = strings.Repeat("𝔸", 256) }, "full_name", "255 characters"},
		{"a name of 255 once composed", func(d *vault.Draft) { d.Name = strings.Repeat("e\u0301", 255) }, "", ""},
		{"an e-mail of 255", func(d *vault.Draft) { d.Email = longEmail(255) }, "", ""},
		{"an e-mail of 256", func(d *vault.Draft) { d.Email = longEmail(256) }, "applicant_email", "255 characters"},
		{"details of 1000", func(d *vault.Draft) { d.Details = strings.Repeat("আ", 1000) }, "", ""},
		{"details of 1001", func(d *vault.Draft) { d.Details = strings.Repeat("আ", 1001) }, "details",
			"The details field must not be greater than 1000 characters."},
		{"details of lines", func(d *vault.Draft) { d.Details = "one\r\n\ttwo" }, "", ""},
		{"a NUL in the title", func(d *vault.Draft) { d.Title = "a\x00b" }, "certificate_title", control},
		{"a NUL in the name", func(d *vault.Draft) { d.Name = "a\x00b" }, "full_name", control},
		{"a NUL in the details", func(d *vault.Draft) { d.Details = "a\x00b" }, "details", control},
		{"a NUL in the e-mail", func(d *vault.Draft) { d.Email = "a\x00@example.com" }, "applicant_email", control},
		{"an escape", func(d *vault.Draft) { d.Name = "a\x1b[31mb" }, "full_name", control},
		{"a DEL", func(d *vault.Draft) { d.Name = "a\x7fb" }, "full_name", control},
		{"a C1 control", func(d *vault.Draft) { d.Name = "a\u0085b" }, "full_name", control},
		{"a line end in the title", func(d *vault.Draft) { d.Title = "Diploma\nBcc: x@example.com" }, "certificate_title", control},
		{"a carriage return in the name", func(d *vault.Draft) { d.Name = "a\rb" }, "full_name", control},
		{"a tab in the name", func(d *vault.Draft) { d.Name = "a\tb" }, "full_name", control},
		{"a title that is not UTF-8", func(d *vault.Draft) { d.Title = "a\xff" }, "certificate_title", "UTF-8"},
		{"an e-mail that is none", func(d *vault.Draft) { d.Email = "nobody" }, "applicant_email",
			"The applicant email field must be a valid email address."},
		{"a date that is none", func(d *vault.Draft) { d.IssueDate = "2026-02-30" }, "issue_date", "YYYY-MM-DD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := draft()
			tt.edit(&d)
			err := d.Clean().Validate()
			if tt.field == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("error %v, want kind invalid", err)
			}
			if !slices.ContainsFunc(fault.FieldsOf(err), func(f fault.Field) bool {
				return f.Name == tt.field && strings.Contains(f.Message, tt.says)
			}) {
				t.Errorf("complaints %v, want one about %s that says %q", fault.FieldsOf(err), tt.field, tt.says)
			}
			for _, f := range fault.FieldsOf(err) {
				if f.Name != tt.field {
					t.Errorf("a complaint about %s: %s", f.Name, f.Message)
				}
			}
		})
	}
}

func TestAllBadFieldsAreNamedAtOnce(t *testing.T) {
	named := map[string]bool{}
	for _, f := range fault.FieldsOf(vault.Draft{}.Validate()) {
		named[f.Name] = true
	}
	want := []string{"applicant_email", "certificate_file", "certificate_title", "full_name", "issue_date"}
	if got := slices.Sorted(maps.Keys(named)); !slices.Equal(got, want) {
		t.Errorf("named %v, want %v", got, want)
	}
}

func TestValidEmail(t *testing.T) {
	long := strings.Repeat("a", 63)
	tests := []struct {
		address string
		want    bool
	}{
		{"john@example.com", true},
		{"John.Doe+spring@sub.example.co.uk", true},
		{"o'brien_x-1@example.com", true},
		{"1@2.example", true},
		{"a@xn--bcher-kva.example", true},
		{"jörg@bücher.example", true},
		{"करीम@उदाहरण.भारत", true},
		{"a@" + long + ".example", true},
		{strings.Repeat("l", 64) + "@example.com", true},

		{"", false},
		{"john", false},
		{"@example.com", false},
		{"john@", false},
		{"john@localhost", false},
		{"john@@example.com", false},
		{"john@doe@example.com", false},
		{"john doe@example.com", false},
		{" john@example.com", false},
		{"john@example.com ", false},
		{"john@exam ple.com", false},
		{"john@example.com.", false},
		{"john@.example.com", false},
		{"john@example..com", false},
		{".john@example.com", false},
		{"john.@example.com", false},
		{"jo..hn@example.com", false},
		{"john@-example.com", false},
		{"john@example-.com", false},
		{"john@exam_ple.com", false},
		{"john@exam!ple.com", false},
		{"john@" + long + "a.example", false},
		{strings.Repeat("l", 65) + "@example.com", false},
		{"john@[192.0.2.1]", false},
		{`"john doe"@example.com`, false},
		{`"john"@example.com`, false},
		{"John <john@example.com>", false},
		{"<john@example.com>", false},
		{"john@example.com (John)", false},
		{"john@example.com, jane@example.com", false},
		{"john@example.com;jane@example.com", false},
		{"mailto:john@example.com", false},
		{"john@example.com\r\nBcc: x@example.com", false},
		{"john\u00a0doe@example.com", false},
		{"john@example.com\u200b", false},
		{"\u200bjohn@example.com", false},
		{"\ufeffjohn@example.com", false},
		{"john@example\u3002com", false},
		{"john\uff20example.com", false},
		{"jo\xffhn@example.com", false},
	}
	for _, tt := range tests {
		if got := vault.ValidEmail(tt.address); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.address, got, tt.want)
		}
	}
}

func FuzzValidEmail(f *testing.F) {
	for _, s := range []string{"john@example.com", "a@b", "<a@b.c>", `"a b"@c.d`, "ż@ż.ż", "a@[::1]", "a@b.c\r\n", "\xff@\xff.a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !vault.ValidEmail(s) {
			return
		}
		local, domain, _ := strings.Cut(s, "@")
		if local == "" || !strings.Contains(domain, ".") || strings.Contains(domain, "@") {
			t.Errorf("%q is taken for local part %q at %q", s, local, domain)
		}
		if strings.ContainsAny(s, " \t\r\n\x00<>(),;:\\\"[]") {
			t.Errorf("%q is taken with a special character", s)
		}
		d := draft()
		d.Email = s
		if err := d.Clean().Validate(); err != nil && len(s) <= vault.MaxEmail {
			t.Errorf("%q is valid, its draft is not: %v", s, err)
		}
	})
}

func TestKey(t *testing.T) {
	base := draft()
	tests := []struct {
		name string
		edit func(*vault.Draft)
		same bool
	}{
		{"another case of the e-mail", func(d *vault.Draft) { d.Email = "ZG@Example.EDU.pl" }, true},
		{"white space around the e-mail", func(d *vault.Draft) { d.Email = " zg@example.edu.pl\t" }, true},
		{"white space around the title", func(d *vault.Draft) { d.Title = " Bachelor of Science " }, true},
		{"another name", func(d *vault.Draft) { d.Name = "X" }, true},
		{"another file and batch", func(d *vault.Draft) { d.File.SHA256, d.Batch = "cd", "b2" }, true},
		{"another case of the title", func(d *vault.Draft) { d.Title = "bachelor of science" }, false},
		{"another title", func(d *vault.Draft) { d.Title = "Master of Science" }, false},
		{"another e-mail", func(d *vault.Draft) { d.Email = "zg@example.edu" }, false},
		{"another date", func(d *vault.Draft) { d.IssueDate = "2026-05-03" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := draft()
			tt.edit(&d)
			if same := d.Key() == base.Key(); same != tt.same {
				t.Errorf("same key: %v, want %v", same, tt.same)
			}
		})
	}

	composed, decomposed := draft(), draft()
	composed.Title, decomposed.Title = "Café", "Cafe\u0301"
	composed.Email, decomposed.Email = "é@example.com", "E\u0301@example.com"
	if composed.Key() != decomposed.Key() {
		t.Error("two spellings of one text have two keys")
	}
	if got := base.Key().String(); len(got) != 64 || strings.ToLower(got) != got {
		t.Errorf("the key in hexadecimal is %q", got)
	}
}

func TestFreezeKey(t *testing.T) {
	base := draft()
	today, tomorrow := base, base
	tomorrow.IssueDate = "2026-05-03"
	if today.FreezeKey() != tomorrow.FreezeKey() {
		t.Error("the freeze key depends on the date that it is to find")
	}
	if base.FreezeKey() == base.Key() {
		t.Error("the freeze key is the uniqueness key")
	}
	for name, edit := range map[string]func(*vault.Draft){
		"file":   func(d *vault.Draft) { d.File.SHA256 = "cd" },
		"title":  func(d *vault.Draft) { d.Title = "Master" },
		"e-mail": func(d *vault.Draft) { d.Email = "x@example.com" },
	} {
		d := draft()
		edit(&d)
		if d.FreezeKey() == base.FreezeKey() {
			t.Errorf("another %s has the same freeze key", name)
		}
	}
	d := draft()
	d.Email = "ZG@EXAMPLE.edu.pl"
	if d.FreezeKey() != base.FreezeKey() {
		t.Error("another case of the e-mail has another freeze key")
	}
}

package report

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

var made = time.Date(2026, 6, 4, 22, 30, 0, 0, time.UTC)

// sample is a batch of n certificates, of which every tenth failed and one was
// revoked.
func sample(t *testing.T, n int) Report {
	t.Helper()
	warsaw, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		t.Fatal(err)
	}
	s := Report{
		Institution: "Uniwersytet Łódzki", Zone: warsaw, MadeAt: made, Signers: []string{"Registrar", "Dean"},
		Batch: client.Batch{BatchID: "0197a1f2-6c1e-7c6b-8a53-0d7f3c1a2b4d", Name: "spring.xlsx", Status: "done", CreatedAt: made},
		Key:   adminclient.SigningKey{Subject: "Registry", Issuer: "Example Authority", Fingerprint: strings.Repeat("ab", 32), ValidUntil: made.AddDate(2, 0, 0)},
	}
	for i := range n {
		c := client.Certificate{ID: uint64(1000 - i), Content: client.Content{Name: fmt.Sprintf("Person %03d Żółć", n-i), Title: "Diploma", IssueDate: "2026-06-04"},
			ReferenceID: fmt.Sprintf("VEC-IC-2026%013X", n-i), Status: client.Status{Value: string(vault.Approved)}, File: client.File{Name: fmt.Sprintf("d%03d.pdf", n-i)}}
		switch {
		case i%10 == 5:
			reason := fmt.Sprintf("The document is encrypted, number %03d", n-i)
			c.Status.Value, c.FailureReason = string(vault.Failed), &reason
		case i == 2:
			c.Status.Value, c.Revocation = string(vault.Revoked), &client.Revocation{At: made, Reason: "issued in error"}
		}
		s.Certificates = append(s.Certificates, c)
	}
	return s
}

// printed prints a summary, has it checked by another program, and returns the text
// of each page.
func printed(t *testing.T, s Report, fonts Fonts) (Result, []string) {
	t.Helper()
	var b bytes.Buffer
	r, err := s.Write(&b, fonts)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"qpdf", "pdftotext", "pdfinfo"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	if out, err := exec.Command("qpdf", "--check", path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command("pdfinfo", path).CombinedOutput(); err != nil || !strings.Contains(string(out), "(A4)") || !strings.Contains(string(out), "Outcome of the batch "+s.Batch.Name) {
		t.Errorf("%v\n%s", err, out)
	}
	out, err := exec.Command("pdftotext", "-layout", path, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	pages := strings.Split(strings.TrimSuffix(string(out), "\f"), "\f")
	if len(pages) != r.Pages {
		t.Errorf("%d pages, told %d", len(pages), r.Pages)
	}
	return r, pages
}

func TestWhatTheReportSays(t *testing.T) {
	t.Parallel()
	s := sample(t, 120)
	r, pages := printed(t, s, Fonts{})
	if r.Pages < 3 || len(r.Missing) > 0 {
		t.Errorf("%+v", r)
	}
	for i, page := range pages {
		for _, says := range []string{s.Institution, "spring.xlsx", fmt.Sprintf("Page %d of %d", i+1, len(pages))} {
			if !strings.Contains(page, says) {
				t.Errorf("page %d does not say %q:\n%s", i+1, says, page)
			}
		}
	}
	all := strings.Join(pages, "\n")
	for _, words := range [][]string{
		{"Entries", "120"}, {"Certificates issued", "107"}, {"Failed", "12"}, {"Revoked", "1"},
		{"Submitted", "5 June 2026, 00:30 CEST"}, {"Person 115 Żółć", "d115.pdf"}, {"number 115"},
		{"Person 118 Żółć", "VEC-IC-2026", "2026-06-05", "issued in error"},
		{"Signing key", "Registry (its certificate names Example Authority as its issuer), valid until 5 June 2028"}, {"Its SHA-256", strings.Repeat("ab", 32)},
		{"Registrar – name, date, signature", "Dean – name, date, signature"},
	} {
		if !slices.ContainsFunc(strings.Split(all, "\n"), func(line string) bool {
			for _, w := range words {
				_, rest, found := strings.Cut(line, w)
				if !found {
					return false
				}
				line = rest
			}
			return true
		}) {
			t.Errorf("no line says %q:\n%s", words, all)
		}
	}
	// All of them, in the order of the manifest.
	at := 0
	for n := 1; n <= 120; n++ {
		if n%10 == 5 || n == 118 {
			continue
		}
		i := strings.Index(all[at:], fmt.Sprintf("Person %03d Żółć", n))
		if i < 0 {
			t.Fatalf("person %d is not in its place", n)
		}
		at += i
	}
	if strings.Contains(all, "?") {
		t.Error("there is a question mark in it")
	}
}

func TestABatchWithoutCertificates(t *testing.T) {
	t.Parallel()
	s := sample(t, 0)
	s.Batch.Status = "processing"
	r, pages := printed(t, s, Fonts{})
	if r.Pages != 1 || !strings.Contains(pages[0], "the batch is processing") || strings.Contains(pages[0], "No.") {
		t.Errorf("%+v\n%s", r, pages)
	}
}

// Names in any script are printed with a font that holds them, or spelled out by
// their numbers, and never replaced.
func TestNamesInAnyScript(t *testing.T) {
	t.Parallel()
	s := sample(t, 1)
	s.Certificates[0].Name = "مريم Ольга 한 \U0001F468\u200d\U0001F393"
	r, pages := printed(t, s, Fonts{})
	for _, says := range []string{"U+0645", "U+0631", "Ольга", "U+D55C", "U+1F468", "U+1F393"} {
		if !strings.Contains(pages[0], says) {
			t.Errorf("%q is not there:\n%s", says, pages[0])
		}
	}
	if want := []string{"ر", "م", "ي", "한", "\U0001F393", "\U0001F468"}; !slices.Equal(r.Missing, want) {
		t.Errorf("missing are %q, want %q", r.Missing, want)
	}
	const dejavu = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
	if _, err := os.Stat(dejavu); err != nil {
		t.Skip("the DejaVu fonts are not installed")
	}
	folder := t.TempDir()
	body, err := os.ReadFile(dejavu)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"Good.ttf": string(body), "Damaged.ttf": string(body[:5000]), "notes.txt": "", "GoodBold.ttf": string(body)} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, fonts := range []Fonts{{Files: []string{dejavu}}, {Folders: []string{filepath.Join(folder, "none"), folder}}} {
		r, pages := printed(t, s, fonts)
		if slices.Contains(r.Missing, "م") || strings.Contains(pages[0], "U+0645") || !strings.Contains(pages[0], "U+D55C") || strings.Contains(pages[0], "?") {
			t.Errorf("with %+v missing are %q:\n%s", fonts, r.Missing, pages[0])
		}
	}
	if _, err := s.Write(&bytes.Buffer{}, Fonts{Files: []string{filepath.Join(folder, "Damaged.ttf")}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a damaged font that was named: %v", err)
	}
}

// What is too long is shortened, visibly; nothing else of the report suffers.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	s := sample(t, 6)
	s.Certificates[5].Name = strings.Repeat("Maximiliane ", 60)
	*s.Certificates[5].FailureReason = strings.Repeat("because of that ", 12)
	s.Certificates[1].Name = strings.Repeat("x", 300)
	s.Institution = strings.Repeat("University of ", 30) + "Everything"
	_, pages := printed(t, s, Fonts{})
	all := strings.Join(pages, "\n")
	if !strings.Contains(all, "…") || !strings.Contains(all, "Person 003 Żółć") || strings.Count(all, "because of") < 12 {
		t.Errorf("it says\n%s", all)
	}
}

// The same batch is the same file.
func TestTheSameReport(t *testing.T) {
	t.Parallel()
	var one, two bytes.Buffer
	for _, b := range []*bytes.Buffer{&one, &two} {
		if _, err := sample(t, 40).Write(b, Fonts{}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("two files of one batch differ")
	}
}

// Whatever a name is made of, there is a report.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"", "Zoë", "\x00\xff", "\u202eabc", "a\u0301\u0301\u0301", "राम", "👨‍👩‍👧‍👦", "\u200b", strings.Repeat("字", 3000), "a\nb\r\nc", "\ufeff\ufffd"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		s := sample(t, 2)
		s.Certificates[0].Name, s.Certificates[1].Title, s.Batch.Name = name, name, name
		if _, err := s.Write(&bytes.Buffer{}, Fonts{}); err != nil {
			t.Error(err)
		}
	})
}

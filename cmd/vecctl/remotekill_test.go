package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
)

// witness stands between a command and a vault: it counts what the vault does anew,
// and kills the command at a call, before the vault hears it or after it has answered.
type witness struct {
	mu      sync.Mutex
	calls   int
	at      int // the call at which to kill; 0 is none
	after   bool
	command *exec.Cmd
	done    map[string]int // by method and address
	under   sync.WaitGroup // the calls that the vault has not answered
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	w.under.Add(1)
	defer w.under.Done()
	// What the vault has heard whole it does, though the command is dead: its answer is
	// waited for and counted.
	r = r.WithContext(context.WithoutCancel(r.Context()))
	w.mu.Lock()
	w.calls++
	due := w.at > 0 && w.calls >= w.at
	command := w.command
	w.mu.Unlock()
	if due && !w.after {
		_ = command.Process.Kill()
		return nil, fmt.Errorf("call %d is cut off", w.at)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && resp.StatusCode < 300 && resp.Header.Get("Idempotent-Replayed") == "" {
		w.mu.Lock()
		w.done[r.Method+" "+r.URL.Path]++
		w.mu.Unlock()
	}
	if due {
		_ = command.Process.Kill()
	}
	return resp, err
}

// before puts the witness before a vault and returns its address.
func (w *witness) before(t *testing.T, vault string) string {
	t.Helper()
	to, err := url.Parse(vault)
	must(t, err)
	proxy := &httputil.ReverseProxy{Transport: w, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorHandler: func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) }}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// TestBulkElsewhereKilled kills a run at each of its calls to another vault in turn.
// The next run goes on: every document is uploaded once, those included that a
// template made here, and every certificate issued once.
func TestBulkElsewhereKilled(t *testing.T) {
	t.Parallel()
	there, here := newSite(t), newSite(t)
	there.done("init", "--institution", "There")
	vault := there.serving("--drop", t.TempDir())
	token := there.newToken()
	here.done("init", "--institution", "Here")
	here.done("template", "new", "degree")
	here.done("template", "new", "letter", "--from", "letter")
	const rows = 6
	issued, step := 0, 3
	if long() {
		step = 1
	}
	for at := 1; ; at += step {
		w := &witness{done: map[string]int{}}
		manifest := here.templated(at)
		args := []string{"bulk", manifest, "--template", "degree", "--qr-size", "23", "--api", w.before(t, vault), "--token", token, "-o", "json", "--out", here.out}
		w.mu.Lock() // until the command is started, it has no process to be killed
		w.at, w.after, w.command = at, at%2 == 0, here.command(args...)
		output := here.start(w.command)
		w.mu.Unlock()
		first := here.finish(w.command, output)
		w.mu.Lock()
		killed := w.calls >= at
		w.at = 0
		w.mu.Unlock()
		if !killed {
			if first.code != 0 {
				t.Fatalf("undisturbed: %v", first)
			}
			break
		}
		// One call may have been under way with the one at which it was killed.
		report := here.bulk(0, args[1:]...)
		issued += rows
		if report.Total != rows || report.Issued+report.Unchanged != rows {
			t.Fatalf("killed at call %d: %+v", at, report)
		}
		w.under.Wait()
		w.mu.Lock()
		files, bulks := w.done["POST /business/certificate-vault/upload-file"], w.done["POST /business/certificate-vault/bulk"]
		w.mu.Unlock()
		if files != rows || bulks != 1 {
			t.Errorf("killed at call %d: %d documents were uploaded and %d bulk calls accepted, want %d and 1", at, files, bulks, rows)
		}
	}
	if n := len(there.all()); n != issued && n != issued+rows {
		t.Errorf("%d certificates there, want %d", n, issued)
	}
}

// templated writes a manifest of six people of whom two bring documents; three have
// no date.
func (s *site) templated(round int) string {
	s.t.Helper()
	var b strings.Builder
	b.WriteString("title,name,email,date,file,template\n")
	for i := range 6 {
		file, template, date := "", "", "2026-05-31"
		switch i {
		case 1, 4:
			file = fmt.Sprintf("own%d.pdf", i)
			s.file(file, smallPDF(file, 0))
		case 2:
			template = "letter"
		}
		if i%2 == 0 {
			date = ""
		}
		fmt.Fprintf(&b, "Master %d,Person %c,p%d@example.org,%s,%s,%s\n", round, 'A'+i, i, date, file, template)
	}
	path := filepath.Join(s.docs, fmt.Sprintf("templated-%d.csv", round))
	must(s.t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

// TestBulkElsewhereOfTemplates issues on another vault what this home's templates
// make: that vault knows none of them.
func TestBulkElsewhereOfTemplates(t *testing.T) {
	t.Parallel()
	there, here := newSite(t), newSite(t)
	there.done("init", "--institution", "There")
	address := there.serving("--drop", t.TempDir())
	manifest := here.templated(0)
	args := []string{manifest, "--template", "degree", "--api", address, "--token", there.newToken()}
	here.want(2, append([]string{"bulk"}, args...)...).says(t, `there is no template "degree"`, "vecctl template new degree")
	here.done("template", "new", "degree")
	here.want(2, append([]string{"bulk", "--dry-run", "--preview", here.out}, args...)...).says(t, "--preview does not work with --api")
	// The home has no institution yet, and the degree says who issues it.
	here.want(2, append([]string{"bulk"}, args...)...).says(t, "row 1: the template shows who issues", "vecctl init --institution NAME")
	here.done("init", "--institution", "Zürich College")
	here.want(2, append([]string{"bulk"}, args...)...).says(t, `row 3, template letter: there is no template "letter"; there are degree`, "nothing was issued")
	here.done("template", "new", "letter", "--from", "letter")
	here.want(0, append([]string{"bulk", "--dry-run"}, args...)...).says(t, "6 rows: 6 ready", "Nothing was changed")
	report := here.bulk(0, args...)
	if report.Issued != 6 || len(report.Notes) != 0 {
		t.Fatalf("%+v", report)
	}
	for i, row := range report.Rows {
		here.done("verify", filepath.Join(here.out, row.File)).says(t, `"There" signed it`)
		if _, err := exec.LookPath("pdftotext"); err == nil && i == 0 {
			text, err := exec.Command("pdftotext", "-layout", filepath.Join(here.out, row.File), "-").Output()
			must(t, err)
			if !strings.Contains(string(text), "Person A") || !strings.Contains(string(text), "Zürich College") {
				t.Errorf("the document says %s", text)
			}
		}
	}
	places := map[string]client.Placement{}
	for _, c := range there.all() {
		if c.QR != nil {
			places[c.Name] = *c.QR
		}
	}
	degree, letter := client.Placement{At: "bottom-right", SizeMM: 24, MarginMM: 23}, client.Placement{At: "bottom-right", SizeMM: 25, MarginMM: 16}
	for name, want := range map[string]client.Placement{"Person A": degree, "Person B": degree, "Person C": letter} {
		if places[name] != want {
			t.Errorf("%s: the code is placed %+v, want %+v", name, places[name], want)
		}
	}
	if again := here.bulk(0, args...); again.Unchanged != 6 || again.Rows[0].UUID != report.Rows[0].UUID {
		t.Errorf("%+v", again)
	}
	if n := len(there.all()); n != 6 {
		t.Errorf("%d certificates, want 6", n)
	}
}

// TestUploadElsewhereIsPlaced says on another vault where the code goes, and tells of
// one that does not know that.
func TestUploadElsewhereIsPlaced(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	file := s.file("one.pdf", smallPDF("one", 0))
	vault := s.serving("--drop", t.TempDir())
	args := []string{"upload", file, "--title", "D", "--name", "N", "--email", "n@example.com", "--qr-at", "auto", "--token", s.newToken(), "--api"}
	s.done(append(args, vault, "--json")...).says(t, `"at": "auto"`)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"message":"ok","data":{"id":1,"uuid":"u","status":{"value":"approved"}}}`)
	}))
	defer plain.Close()
	s.done(append(args, plain.URL)...).says(t, "does not confirm that it placed the QR code as requested")
}

// TestBulkElsewhereKeepsDates sends a row without a date again, in a manifest that has
// grown: it has the date with which it went first, whatever day it is.
func TestBulkElsewhereKeepsDates(t *testing.T) {
	t.Parallel()
	there, here := newSite(t), newSite(t)
	there.done("init", "--institution", "There")
	address := there.serving("--drop", t.TempDir())
	args := []string{"--api", address, "--token", there.newToken()}
	const rows = "title,name,email,file\nD,Ann,a@example.com,a.pdf\n"
	here.file("a.pdf", smallPDF("a", 0))
	here.file("b.pdf", smallPDF("b", 0))
	send := func(name, text string) client.BulkReport {
		return here.bulk(0, append(args, here.file(name, []byte(text)))...)
	}
	if first := send("one.csv", rows); first.Issued != 1 {
		t.Fatalf("%+v", first)
	}
	if grown := send("two.csv", rows+"D,Bob,b@example.com,b.pdf\n"); grown.Issued != 1 || grown.Unchanged != 1 {
		t.Errorf("%+v", grown)
	}
	// As if it had been sent on another day.
	notes, err := filepath.Glob(filepath.Join(here.home, "remote", "dates-*.log"))
	must(t, err)
	if len(notes) != 1 {
		t.Fatalf("notes of dates: %v", notes)
	}
	text, err := os.ReadFile(notes[0])
	must(t, err)
	must(t, os.WriteFile(notes[0], regexp.MustCompile(`\d{4}-\d\d-\d\d`).ReplaceAll(text, []byte("2026-01-02")), 0o600))
	send("three.csv", rows+"\n")
	found := false
	for _, c := range there.all() {
		found = found || c.IssueDate == "2026-01-02"
	}
	if !found {
		t.Error("the row was sent with another date")
	}
}

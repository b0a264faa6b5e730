package dropfolder_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// home is a vault with an agent of its own process.
type home struct {
	t      *testing.T
	dir    string
	binary string
	agent  *exec.Cmd
	log    bytes.Buffer
	hits   int // kills with a batch in hand
}

func build(t *testing.T) (binary string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("kill -9 is a matter of unix")
	}
	binary = filepath.Join(t.TempDir(), "vecctl")
	c := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary, "github.com/vecctl/vecctl/cmd/vecctl")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("building the agent: %v\n%s", err, out)
	}
	return binary
}

func newHome(t *testing.T, binary string) *home {
	t.Helper()
	h := &home{t: t, dir: filepath.Join(t.TempDir(), "home"), binary: binary}
	t.Cleanup(h.kill)
	return h
}

func (h *home) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, h.binary, args...)
	// Settings of the user who runs the tests are none of the agent's.
	c.Env = []string{"TMPDIR=" + os.TempDir(), "VECCTL_HOME=" + h.dir, "VECCTL_SETTLE=200ms", "VECCTL_WAIT=2m"}
	return c
}

// start runs the agent; it need not be ready when this returns.
func (h *home) start() {
	h.t.Helper()
	h.agent = h.command(context.WithoutCancel(h.t.Context()), "agent", "--listen", "none")
	h.agent.Stderr = &h.log
	if err := h.agent.Start(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *home) kill() {
	if h.agent != nil {
		_ = h.agent.Process.Kill()
		_ = h.agent.Wait() // says that it was killed
		h.agent = nil
	}
}

// put writes a manifest of three rows and its documents, as a copy would.
func (h *home) put(n int) {
	h.t.Helper()
	folder := filepath.Join(h.dir, "drop", fmt.Sprintf("batch-%02d", n))
	if err := os.MkdirAll(filepath.Join(folder, "docs"), 0o700); err != nil {
		h.t.Fatal(err)
	}
	text := "certificate_title,full_name,applicant_email,issue_date,file\n"
	for i := range 3 {
		name := fmt.Sprintf("docs/%02d-%d.pdf", n, i)
		text += fmt.Sprintf("Diploma %d,Person %d,p%d@example.org,2026-06-01,%s\n", n, i, i, name)
		if err := os.WriteFile(filepath.Join(folder, name), smallPDF(fmt.Sprintf("batch %d, person %d", n, i)), 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("batch-%02d.csv", n)), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// smallPDF is one page with a text.
func smallPDF(text string) []byte {
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.4\n")
	content := fmt.Sprintf("BT /F1 24 Tf 72 700 Td (%s) Tj ET", text)
	for i, body := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, body)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

// whole checks that every outcome that can be seen is complete, and returns how
// many there are.
func (h *home) whole() int {
	h.t.Helper()
	folders, err := os.ReadDir(filepath.Join(h.dir, "verified"))
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	seen := 0
	for _, f := range folders {
		if strings.HasPrefix(f.Name(), ".") {
			continue
		}
		seen++
		folder := filepath.Join(h.dir, "verified", f.Name())
		body, err := os.ReadFile(filepath.Join(folder, "report.csv"))
		if err != nil {
			h.t.Fatalf("a half outcome can be seen: %v", err)
		}
		lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))).ReadAll()
		if err != nil || len(lines) != 4 {
			h.t.Fatalf("%s: the report has %d lines (%v), want 4", f.Name(), len(lines), err)
		}
		for _, line := range lines[1:] {
			if line[1] != "issued" {
				h.t.Fatalf("%s: a row is %q, want issued", f.Name(), line)
			}
			verified, err := os.ReadFile(filepath.Join(folder, line[4]))
			if err != nil || !bytes.HasSuffix(bytes.TrimSpace(verified), []byte("%%EOF")) {
				h.t.Fatalf("%s: a verified PDF that can be seen is not whole: %v", f.Name(), err)
			}
		}
	}
	return seen
}

// empty reports whether no file lies in a folder of the home.
func (h *home) empty(folder string) bool {
	h.t.Helper()
	found := false
	err := filepath.WalkDir(filepath.Join(h.dir, folder), func(_ string, d fs.DirEntry, err error) error {
		found = found || err == nil && !d.IsDir()
		return nil // what goes meanwhile is not there
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return !found
}

// killSoon kills the agent at some moment from the taking of a batch to the end of
// its issuing, which takes some 50 ms.
func (h *home) killSoon(rng *rand.Rand) {
	limit := time.Now().Add(3 * time.Second)
	for time.Now().Before(limit) {
		if names, err := os.ReadDir(filepath.Join(h.dir, "incoming")); err == nil && len(names) > 0 {
			break
		}
		<-time.After(500 * time.Microsecond)
	}
	<-time.After(time.Duration(rng.IntN(60_000)) * time.Microsecond)
	names, err := os.ReadDir(filepath.Join(h.dir, "incoming"))
	h.kill()
	if err == nil && len(names) > 0 {
		h.hits++
	}
}

// through waits until everything that was dropped has its outcome.
func (h *home) through(outcomes int) {
	h.t.Helper()
	limit := time.After(5 * time.Minute)
	for h.whole() < outcomes || !h.empty("incoming") {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-limit:
			h.t.Fatalf("%d of %d outcomes after five minutes; the log says\n%s", h.whole(), outcomes, h.log.String())
		}
	}
}

// The agent is killed again and again while 20 batches are dropped and issued.
// Every third time it may finish: a document that is in hand when the program
// dies six times counts as the cause.
func TestKilledAtAnyMomentEachBatchIsIssuedOnce(t *testing.T) {
	rounds := 1
	if os.Getenv("VECCTL_LONG") != "" {
		rounds = 10
	}
	rng := rand.New(rand.NewPCG(9, 2026))
	binary := build(t)
	for range rounds {
		killed(t, newHome(t, binary), rng)
	}
}

func killed(t *testing.T, h *home, rng *rand.Rand) {
	const batches = 20
	for n := range batches {
		h.put(n)
		h.start()
		if n%3 == 2 {
			h.through(n + 1)
			h.kill()
		} else {
			h.killSoon(rng)
		}
		h.whole()
	}
	t.Logf("%d of %d kills hit a batch in hand", h.hits, batches)
	h.start()
	h.through(batches)
	if !h.empty("drop") || !h.empty("failed") {
		t.Errorf("something is left in drop or failed; the log says\n%s", h.log.String())
	}
	out, err := h.command(t.Context(), "status", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Certificates map[string]int }
	if err := json.Unmarshal(out, &status); err != nil {
		t.Fatal(err)
	}
	if got := status.Certificates["approved"]; got != 3*batches {
		t.Errorf("%d certificates were issued, want %d: %s", got, 3*batches, out)
	}
	h.kill()
}

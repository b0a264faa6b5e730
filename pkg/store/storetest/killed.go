package storetest

import (
	"bufio"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// killedFolder names the folder of the store in the environment of a process that is to
// be killed.
const killedFolder = "STORETEST_KILLED"

// killed has another process write certificates, each with an audit entry and a row, until
// it is killed. What it was told to be done is there, and nothing is there by half.
func killed(f *fixture) {
	if dir := os.Getenv(killedFolder); dir != "" {
		f.writeUntilKilled(dir)
		return
	}
	dir := f.TempDir()
	var steps []string
	for name := range strings.SplitSeq(f.Name(), "/") {
		steps = append(steps, "^"+regexp.QuoteMeta(name)+"$")
	}
	child := exec.CommandContext(f.Context(), os.Args[0], "-test.run="+strings.Join(steps, "/"), "-test.count=1")
	child.Env = append(os.Environ(), killedFolder+"="+dir)
	out, err := child.StdoutPipe()
	f.check(err)
	f.check(child.Start())
	var told []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		uuid, ok := strings.CutPrefix(lines.Text(), "kept ")
		if !ok {
			continue
		}
		if told = append(told, uuid); len(told) == 25 {
			f.check(child.Process.Kill())
		}
	}
	_ = child.Wait() // it was killed
	if len(told) < 25 {
		f.Fatalf("the other process wrote %d certificates", len(told))
	}
	f.check(f.store.Close())
	f.store = f.openIn(dir)
	f.checkAfterKill(told)
}

// writeUntilKilled is what the other process does.
func (f *fixture) writeUntilKilled(dir string) {
	f.check(f.store.Close())
	f.store = f.openIn(dir)
	f.a = f.institution("A")
	rows := f.rows()
	for {
		row := f.newCertificate(f.a, f.draft())
		ctx := f.during("POST /" + row.Certificate.UUID)
		_, err := f.store.Insert(ctx, []store.NewCertificate{row})
		f.check(err)
		_, err = f.store.Change(f.Context(), f.a, row.Certificate.UUID, approve(f.tick()))
		f.check(err)
		f.putRow(rows, "x_things", row.Certificate.UUID, row.Certificate.Reference)
		if _, err := io.WriteString(os.Stdout, "kept "+row.Certificate.UUID+"\n"); err != nil {
			return
		}
	}
}

func (f *fixture) checkAfterKill(told []string) {
	page := f.list(store.Filter{Institution: f.a}, 1, 1000)
	if page.Total < len(told) || page.Total > len(told)+1000 || f.counts(f.a).Sum() != page.Total {
		f.Fatalf("%d certificates are listed and %+v counted; %d were reported", page.Total, f.counts(f.a), len(told))
	}
	processing, requests := 0, map[string]bool{}
	for _, request := range f.auditTrail() {
		requests[request] = true
	}
	if len(requests) != page.Total {
		f.Errorf("%d audit entries for %d certificates", len(requests), page.Total)
	}
	rows := f.rows()
	for _, c := range page.Certificates {
		want := []vault.EventType{vault.EventCreated, vault.EventApproved}
		if c.Status == vault.Processing {
			processing, want = processing+1, want[:1]
		}
		if events := f.events(c); len(events) != len(want) || !requests["POST /"+c.UUID] {
			f.Errorf("%s is %s, has %d events and an audit entry: %t", c.UUID, c.Status, len(events), requests["POST /"+c.UUID])
		}
	}
	for _, uuid := range told {
		c, err := f.store.Certificate(f.Context(), f.a, uuid)
		f.check(err)
		if c.Status != vault.Approved || string(f.readRow(rows, "x_things", uuid)) != c.Reference {
			f.Errorf("%s was reported and is %s, its row is %q", uuid, c.Status, f.readRow(rows, "x_things", uuid))
		}
	}
	if processing > 1 {
		f.Errorf("%d certificates are not approved", processing)
	}
	// No worker has ended the jobs.
	if q := f.queues()[vault.JobSign]; q.Waiting+q.Later != page.Total {
		f.Errorf("%+v jobs for %d certificates", q, page.Total)
	}
	f.drawn, f.random = 1_000_000, rand.NewChaCha8([32]byte{8})
	f.now = page.Certificates[0].CreatedAt
	last := f.insertOne(f.a, f.draft())
	f.finds(store.Filter{Institution: f.a, Search: last.Email}, last)
}

//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
)

// load keeps an agent busy in every way in which certificates come to it, and reads meanwhile.
type load struct {
	*site
	agent *process
	api   *client.Client
	pause time.Duration // between two acts of one kind
	// wrong is told of answers that contradict what was acknowledged.
	wrong *result

	mu     sync.Mutex
	errors map[string]int // that calls ended with
}

func newLoad(agent *process, pause time.Duration, wrong *result) (*load, error) {
	api, err := agent.api()
	return &load{site: agent.site, agent: agent, api: api, pause: pause, wrong: wrong, errors: map[string]int{}}, err
}

// run works until ctx ends.
func (l *load) run(ctx context.Context, random *rand.Rand) {
	var all sync.WaitGroup
	for i, act := range []func(context.Context, *rand.Rand) error{l.upload, l.upload, l.bulkCall, l.bulkCommand, l.drop, l.read} {
		own := rand.New(rand.NewPCG(random.Uint64(), uint64(i)))
		all.Go(func() {
			for ctx.Err() == nil {
				if err := act(ctx, own); err != nil && ctx.Err() == nil {
					l.failed(err)
				}
				timer := time.NewTimer(l.pause/2 + time.Duration(own.Int64N(int64(l.pause)+1)))
				select {
				case <-ctx.Done():
				case <-timer.C:
				}
				timer.Stop()
			}
		})
	}
	all.Wait()
}

func (l *load) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := err.Error()
	l.errors[text[:min(len(text), 120)]]++
}

// upload uploads one document.
func (l *load) upload(ctx context.Context, random *rand.Rand) error {
	o := l.ledger.open(byUpload, 1)[0]
	if random.IntN(2) == 0 {
		o.key = ""
	}
	c, err := l.api.Upload(ctx, o.upload(), nil)
	if err != nil {
		return err
	}
	l.ledger.named(o, c.UUID)
	return nil
}

// bulkCall uploads a few files and submits them with one call.
func (l *load) bulkCall(ctx context.Context, random *rand.Rand) error {
	orders := l.ledger.open(byBulkAPI, 2+random.IntN(10))
	entries := make([]client.BulkEntry, len(orders))
	for i, o := range orders {
		f, err := l.api.UploadFile(ctx, o.document(), "", nil)
		if err != nil {
			return err
		}
		entries[i] = client.BulkEntry{Content: o.content(), FileID: f.FileID}
	}
	if _, err := l.api.SubmitBulk(ctx, entries, orders[0].key); err != nil {
		return err
	}
	l.ledger.ack(orders...)
	return nil
}

// bulkCommand runs "vecctl bulk" beside the agent.
func (l *load) bulkCommand(ctx context.Context, random *rand.Rand) error {
	orders := l.ledger.open(byCommand, 3+random.IntN(20))
	folder, err := os.MkdirTemp(l.inbox, "bulk-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	manifest, err := writeBatch(folder, "batch.csv", orders)
	if err != nil {
		return err
	}
	// Not with ctx: what it says when the agent goes is part of what is tried.
	r := l.site.run(context.WithoutCancel(ctx), "bulk", manifest, "--out", filepath.Join(l.out, filepath.Base(folder)))
	if r.broke() {
		l.wrong.problem("vecctl bulk broke: %v", r)
	}
	if r.code != 0 {
		return fmt.Errorf("vecctl bulk: exit code %d: %s", r.code, r.stderr)
	}
	l.ledger.ack(orders...)
	return nil
}

// writeBatch writes documents and their manifest, and returns its path.
func writeBatch(folder, name string, orders []*order) (string, error) {
	var table bytes.Buffer
	w := csv.NewWriter(&table)
	_ = w.Write([]string{"certificate_title", "full_name", "applicant_email", "issue_date", "file"})
	for _, o := range orders {
		c := o.content()
		_ = w.Write([]string{c.Title, c.Name, c.Email, c.IssueDate, o.document().Name})
		if err := writeDurably(filepath.Join(folder, o.document().Name), o.body()); err != nil {
			return "", err
		}
	}
	w.Flush()
	path := filepath.Join(folder, name)
	return path, writeDurably(path, table.Bytes())
}

func writeDurably(path string, body []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	return errors.Join(err, f.Sync(), f.Close())
}

// drop puts a batch into the drop folder. When it lies there durably, it is owed.
func (l *load) drop(_ context.Context, random *rand.Rand) error {
	orders := l.ledger.open(byDrop, 2+random.IntN(8))
	folder := filepath.Join(l.home, "drop")
	if _, err := writeBatch(folder, fmt.Sprintf("batch-%07d.csv", orders[0].number), orders); err != nil {
		return err
	}
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	l.ledger.ack(orders...)
	return nil
}

// read looks at lists, one certificate and its page: what is shown must be what was asked for.
func (l *load) read(ctx context.Context, random *rand.Rand) error {
	page, err := l.api.List(ctx, client.Filter{PerPage: 1 + random.IntN(50)})
	if err != nil {
		return err
	}
	for _, c := range page.Data {
		l.compare(c)
	}
	if len(page.Data) == 0 {
		return nil
	}
	c := page.Data[random.IntN(len(page.Data))]
	if _, err := l.api.Certificate(ctx, c.UUID); err != nil {
		return fmt.Errorf("one of the list: %w", err)
	}
	path := strings.TrimPrefix(c.VerifyURL, "https://vec.example.edu")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.agent.public+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusOK && !strings.Contains(string(text), c.ReferenceID) {
		l.wrong.problem("the page %s does not name %s", path, c.ReferenceID)
	}
	return err
}

// compare holds a certificate to the order that it must be of.
func (l *load) compare(c client.Certificate) {
	l.ledger.mu.Lock()
	o := l.ledger.orders[c.Email]
	l.ledger.mu.Unlock()
	if o == nil || c.Name != o.content().Name || c.Title != o.content().Title || c.IssueDate != o.content().IssueDate {
		l.wrong.problem("a certificate that nobody asked for: %+v", c.Content)
	}
}

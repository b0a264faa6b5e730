// Package remotebulk issues a batch on a remote vault: it uploads the documents,
// submits the entries in calls of a size that every server takes, and follows the
// batch to its end. A journal records each step, so that an interrupted batch
// resumes without uploading or issuing anything twice.
package remotebulk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// Item is one certificate to issue.
type Item struct {
	Number      int                   // in the manifest, from 1
	Certificate client.NewCertificate // with its issue date
	SHA256      string                // of the document
	// Origin is the content hash of a document from a template. Two documents with the same
	// origin and date have the same content, also if different versions made them.
	Origin string
}

func (r Item) key() vault.Key {
	return r.Certificate.Content.Vault().Key()
}

// Outcome is the result of a row.
type Outcome struct {
	Status      client.RowStatus
	Certificate *client.Certificate // where there is one
	Error       string
}

// Uploader issues one batch.
type Uploader struct {
	Client   *client.Client
	Journal  *Journal
	Name     string // of the batch, a part of the key of each call
	PerCall  int    // entries per call; 0 is what client.EntriesPerCall says
	Parallel int    // uploads at once; 0 is 4
	Skip     bool   // issue the other rows if the vault rejects some
	NoWait   bool   // return when all are accepted
	Now      func() time.Time
	Sleep    func(context.Context, time.Duration) error
	Progress func(client.Progress)

	rows     []Item
	index    map[int]int // the position in rows, by number
	outcomes []Outcome   // one for each of rows
	batches  map[string]bool
	lastID   string
}

// Run issues rows on the vault. It returns the outcome of each, and the ID of the last batch.
// The error is about the run as a whole.
func (c *Uploader) Run(ctx context.Context, rows []Item) ([]Outcome, string, error) {
	c.begin(rows)
	if err := c.finishCalls(ctx); err != nil {
		return c.outcomes, c.lastID, err
	}
	if err := c.findIssued(ctx, c.open()); err != nil {
		return c.outcomes, c.lastID, err
	}
	// A row is sent again if the vault no longer has its document.
	for round := 0; round < 3 && !c.isBlocked(); round++ {
		open := c.open()
		if len(open) == 0 {
			break
		}
		if err := c.uploadAll(ctx, open); err != nil {
			return c.outcomes, c.lastID, err
		}
		if err := c.submitAll(ctx, c.open()); err != nil {
			return c.outcomes, c.lastID, err
		}
	}
	if !c.NoWait {
		if err := c.follow(ctx); err != nil {
			return c.outcomes, c.lastID, err
		}
	} else {
		c.identify(ctx)
	}
	if err := c.recordCertificates(); err != nil {
		return c.outcomes, c.lastID, err
	}
	for _, i := range c.open() {
		c.outcomes[i].Status = client.RowNotIssued
	}
	return c.outcomes, c.lastID, nil
}

// Plan returns the expected outcome of rows, and changes nothing.
func (c *Uploader) Plan(ctx context.Context, rows []Item) ([]Outcome, error) {
	c.begin(rows)
	if err := c.findIssued(ctx, c.open()); err != nil {
		return nil, err
	}
	for _, i := range c.open() {
		c.outcomes[i].Status = client.RowReady
	}
	return c.outcomes, nil
}

// open returns the positions of the rows without an outcome.
func (c *Uploader) open() []int {
	var open []int
	for i, o := range c.outcomes {
		if o.Status == "" {
			open = append(open, i)
		}
	}
	return open
}

// isBlocked reports whether a rejected row prevents that the others are issued.
func (c *Uploader) isBlocked() bool {
	for _, o := range c.outcomes {
		if o.Status == client.RowRejected && !c.Skip {
			return true
		}
	}
	return false
}

// begin resets the state of an earlier run.
func (c *Uploader) begin(rows []Item) {
	c.rows, c.outcomes, c.batches = rows, make([]Outcome, len(rows)), map[string]bool{}
	c.index = make(map[int]int, len(rows))
	for i, r := range rows {
		c.index[r.Number] = i
	}
}

// finishCalls continues the calls of an earlier run. It repeats a call without a result with
// the same key.
func (c *Uploader) finishCalls(ctx context.Context) error {
	for _, call := range c.Journal.order {
		places := c.places(call)
		switch {
		case call.refused || places == nil:
		case call.batch != "":
			c.note(call, places, client.RowUnchanged)
		default:
			if err := c.send(ctx, call, places); err != nil {
				return err
			}
		}
	}
	return nil
}

// places returns the positions of the rows of a call; nil if the manifest lacks one of them.
func (c *Uploader) places(call *bulkCall) []int {
	places := make([]int, len(call.Rows))
	for n, number := range call.Rows {
		i, ok := c.index[number]
		if !ok {
			return nil
		}
		places[n] = i
	}
	return places
}

func (c *Uploader) note(call *bulkCall, places []int, status client.RowStatus) {
	c.batches[call.batch], c.lastID = true, call.batch
	for _, i := range places {
		c.outcomes[i].Status = status
	}
}

// uploadLife is the time in which an upload is used, a little less than the vault keeps it.
const uploadLife = apiaccess.UploadTTL - time.Hour

// uploadAll uploads the documents that the vault does not have.
func (c *Uploader) uploadAll(ctx context.Context, open []int) error {
	var missing []int
	for _, i := range open {
		u, ok := c.Journal.uploaded(c.rows[i].Number)
		if !ok || u.FileID == "" || u.SHA256 != c.rows[i].SHA256 || c.Now().Sub(u.At) > uploadLife {
			missing = append(missing, i)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan int)
	var crew sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range max(1, min(len(missing), c.parallel())) {
		crew.Go(func() {
			for i := range work {
				err := c.upload(ctx, c.rows[i])
				if message, ok := fault.Message(err); ok && fault.Is(err, fault.Invalid) {
					// Each goroutine writes to other rows.
					c.outcomes[i] = Outcome{Status: client.RowRejected, Error: fmt.Sprintf("row %d: %s", c.rows[i].Number, message)}
				} else if err != nil {
					cancel(fault.At(fmt.Sprintf("row %d", c.rows[i].Number), err))
					continue
				}
				mu.Lock()
				done++
				c.Progress(client.Progress{Stage: "uploading", Done: done, Total: len(missing)})
				mu.Unlock()
			}
		})
	}
	for _, i := range missing {
		if ctx.Err() != nil {
			break
		}
		work <- i
	}
	close(work)
	crew.Wait()
	return context.Cause(ctx)
}

func (c *Uploader) parallel() int {
	if c.Parallel > 0 {
		return c.Parallel
	}
	return 4
}

func (c *Uploader) upload(ctx context.Context, r Item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at := c.Now()
	key := c.keyOf("file", fmt.Sprint(r.Number), r.SHA256, fmt.Sprint(c.Journal.tried(r.Number)))
	kept, err := c.Client.UploadFile(ctx, r.Certificate.File, key, nil)
	if err != nil {
		return err
	}
	return c.Journal.write(journalEntry{Row: r.Number, Upload: &upload{SHA256: r.SHA256, FileID: kept.FileID, At: at, Origin: r.Origin}})
}

// keyOf returns the idempotency key of a call, derived from its content, so that the same call
// has the same key in every run.
func (c *Uploader) keyOf(parts ...string) string {
	h := sha256.New()
	for _, p := range append([]string{c.Name}, parts...) {
		fmt.Fprintf(h, "%d %s ", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// submitAll submits the entries of rows whose documents are uploaded.
func (c *Uploader) submitAll(ctx context.Context, open []int) error {
	per := c.PerCall
	if per <= 0 {
		entries := make([]client.BulkEntry, len(open))
		for n, i := range open {
			entries[n] = client.BulkEntry{Content: c.rows[i].Certificate.Content, QR: c.rows[i].Certificate.QR}
		}
		per = client.EntriesPerCall(entries)
	}
	for len(open) > 0 && !c.isBlocked() {
		n := min(per, len(open))
		call := &bulkCall{QR: c.placements(open[:n])}
		for _, i := range open[:n] {
			u, _ := c.Journal.uploaded(c.rows[i].Number)
			call.Rows, call.IDs = append(call.Rows, c.rows[i].Number), append(call.IDs, u.FileID)
		}
		said := append([]string{"bulk"}, call.IDs...)
		for _, at := range call.QR {
			said = append(said, fmt.Sprint(at))
		}
		call.Key = c.keyOf(said...)
		if err := c.Journal.write(journalEntry{Call: call}); err != nil {
			return err
		}
		if err := c.send(ctx, call, open[:n]); err != nil {
			return err
		}
		open = open[n:]
	}
	return nil
}

// placements returns the places of the rows' codes; nil if no row has one.
func (c *Uploader) placements(places []int) []client.Placement {
	all, said := make([]client.Placement, len(places)), false
	for n, i := range places {
		all[n] = c.rows[i].Certificate.QR
		said = said || all[n] != (client.Placement{})
	}
	if !said {
		return nil
	}
	return all
}

// send makes one call. If the vault refuses it, the rows with errors get an outcome, and the
// others stay open.
func (c *Uploader) send(ctx context.Context, call *bulkCall, places []int) error {
	entries := make([]client.BulkEntry, len(places))
	for n, i := range places {
		entries[n] = client.BulkEntry{Content: c.rows[i].Certificate.Content, FileID: call.IDs[n]}
		if call.QR != nil {
			entries[n].QR = call.QR[n]
		}
	}
	accepted, err := c.Client.SubmitBulk(ctx, entries, call.Key)
	if fault.Is(err, fault.Invalid) {
		if err := c.refused(ctx, places, err); err != nil {
			return err
		}
		return c.Journal.write(journalEntry{Refused: call.Key})
	}
	if err != nil {
		return err
	}
	if err := c.Journal.write(journalEntry{Done: call.Key, Batch: accepted.BatchID}); err != nil {
		return err
	}
	call.batch = accepted.BatchID
	c.note(call, places, client.RowIssued)
	c.Progress(client.Progress{Stage: "submitting", Done: len(c.rows) - len(c.open()), Total: len(c.rows)})
	return nil
}

// refused handles the errors of a refused call: it looks up certificates that exist already,
// marks documents that the vault no longer has for another upload, and rejects the other rows.
func (c *Uploader) refused(ctx context.Context, places []int, cause error) error {
	answered, ok := errors.AsType[*client.Error](cause)
	if !ok || len(answered.Errors) == 0 {
		return cause
	}
	complaints, lost, others := sortErrors(answered.Errors, len(places))
	if others {
		return cause
	}
	var again []int
	for n, i := range places {
		switch {
		case complaints[n] == duplicateText:
			again = append(again, i)
		case complaints[n] != "":
			c.outcomes[i] = Outcome{Status: client.RowRejected, Error: fmt.Sprintf("row %d: %s", c.rows[i].Number, complaints[n])}
		case lost[n]:
			if err := c.Journal.write(journalEntry{Row: c.rows[i].Number, Upload: &upload{}}); err != nil {
				return err
			}
		}
	}
	if err := c.findIssued(ctx, again); err != nil {
		return err
	}
	for _, i := range again {
		if c.outcomes[i].Status == "" {
			c.outcomes[i] = Outcome{Status: client.RowRejected, Error: fmt.Sprintf("row %d: %s", c.rows[i].Number, duplicateText)}
		}
	}
	return nil
}

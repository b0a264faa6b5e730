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
	"maps"
	"net/http"
	"slices"
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
	// Others are the UUIDs of certificates that are not the row's, although the vault's answers
	// do not tell them from it.
	Others []string
}

func (r Item) key() vault.Key {
	return r.Certificate.Content.Vault().Key()
}

// Outcome is the result of a row.
type Outcome struct {
	Status      client.RowStatus
	Certificate *client.Certificate // where there is one
	Error       string
	// Others are set where the row has no certificate yet: those in the vault's list that had its
	// e-mail and title before, where the vault does not say when certificates were issued.
	Others []string
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
	Shared   bool   // people may have one address, title and issue date on the vault
	// Fresh says that the journal knows every row that was sent before. Others are sent without
	// being looked up first, where the vault shows issue dates: it names those that exist.
	Fresh bool
	// Claimed has the numbers of the rows that certificates are known to belong to, by UUID,
	// besides those in the journal.
	Claimed map[string]int
	// Wait bounds how long the run waits in total for certificates to appear and to be
	// finished; 0 is DefaultWait.
	Wait     time.Duration
	Now      func() time.Time
	Sleep    func(context.Context, time.Duration) error
	Progress func(client.Progress)

	rows    []Item
	keys    []row       // one for each of rows
	index   map[int]int // the position in rows, by number
	state   []rowState  // one for each of rows
	vault   vaultList
	batches map[string]bool
	lastID  string
	cause   error // why some rows were not sent

	nextPause, paused time.Duration
	waitBegan         time.Time
}

// Run issues rows on the vault. It returns the outcome of each, and the ID of the last batch,
// "" where the vault names none. The error is about the run as a whole.
func (c *Uploader) Run(ctx context.Context, rows []Item) ([]Outcome, string, error) {
	err := c.run(ctx, rows)
	if err != nil {
		return c.outcomes(), c.lastID, err
	}
	if err := c.recordCertificates(); err != nil {
		return c.outcomes(), c.lastID, err
	}
	return c.outcomes(), c.lastID, nil
}

func (c *Uploader) run(ctx context.Context, rows []Item) error {
	c.begin(rows)
	c.resume()
	before, err := c.lookedUpFirst(ctx)
	if err == nil {
		err = c.reconcile(ctx, before)
	}
	if err != nil {
		return err
	}
	for uuid := range c.vault.certs {
		c.vault.before[uuid] = true
	}
	c.rejectChanged()
	if err := c.repeatCalls(ctx); err != nil {
		return err
	}
	if err := c.sendAndWait(ctx); err != nil {
		return err
	}
	if c.cause != nil && len(c.where(func(s *rowState) bool { return s.stage != unsent && s.stage != inDoubt })) == 0 {
		return c.cause
	}
	return nil
}

// lookedUpFirst returns the rows that are looked up before anything is sent. Where the vault shows
// no dates, it would not say which of two certificates is whose: then all are, and the run waits
// for what it sends.
func (c *Uploader) lookedUpFirst(ctx context.Context) ([]int, error) {
	all := c.where(func(*rowState) bool { return true })
	if !c.Fresh {
		return all, nil
	}
	if _, err := c.vault.page(ctx, client.Filter{Page: 1}); err != nil {
		return nil, err
	}
	if shows, known := c.vault.showsDates(); known && !shows {
		c.NoWait = false
		return all, nil
	}
	return c.where(func(s *rowState) bool { return s.stage != unsent }), nil
}

// Find returns what became of rows that were sent before, as far as the vault lists them. It
// changes nothing.
func (c *Uploader) Find(ctx context.Context, rows []Item) ([]Outcome, error) {
	c.begin(rows)
	for i := range c.state {
		c.state[i].stage, c.state[i].sent = accepted, true
	}
	if err := c.reconcile(ctx, c.where(func(*rowState) bool { return true })); err != nil {
		return nil, err
	}
	return c.outcomes(), nil
}

// sendAndWait sends the open rows and waits for their certificates. Rows that waited for
// others go in another turn.
func (c *Uploader) sendAndWait(ctx context.Context) error {
	for open := len(c.open()) + 1; len(c.open()) < open; {
		open = len(c.open())
		if err := c.sendAll(ctx); err != nil {
			return err
		}
		if c.NoWait {
			// The certificates are read as far as the vault lists them already, so that later
			// webhooks can be matched. The rows are accepted: errors do not count.
			_ = c.reconcile(ctx, c.unsettled())
			return nil
		}
		if err := c.await(ctx); err != nil {
			return err
		}
		if c.cause != nil || c.isBlocked() || len(c.ready()) == 0 {
			return nil
		}
	}
	return nil
}

// Plan returns the expected outcome of rows, and changes nothing.
func (c *Uploader) Plan(ctx context.Context, rows []Item) ([]Outcome, error) {
	c.begin(rows)
	if err := c.reconcile(ctx, c.where(func(*rowState) bool { return true })); err != nil {
		return nil, err
	}
	outcomes := c.outcomes()
	for i := range outcomes {
		if outcomes[i].Status == client.RowNotIssued {
			outcomes[i] = Outcome{Status: client.RowReady}
		}
	}
	return outcomes, nil
}

func (c *Uploader) outcomes() []Outcome {
	all := make([]Outcome, len(c.state))
	for i := range all {
		all[i] = c.outcome(i)
	}
	return all
}

// open returns the positions of the rows that are still to be sent.
func (c *Uploader) open() []int { return c.where((*rowState).isOpen) }

// isBlocked reports whether a rejected row prevents that the others are issued.
func (c *Uploader) isBlocked() bool {
	return !c.Skip && len(c.where(func(s *rowState) bool { return s.stage == rejected })) > 0
}

// begin resets the state of an earlier run.
func (c *Uploader) begin(rows []Item) {
	c.rows, c.state, c.batches = rows, make([]rowState, len(rows)), map[string]bool{}
	c.lastID, c.cause, c.vault = "", nil, newVaultList(c.Client, c.Shared)
	c.nextPause, c.paused = 0, 0
	c.index = make(map[int]int, len(rows))
	c.keys = make([]row, len(rows))
	for i, r := range rows {
		c.index[r.Number], c.keys[i] = i, newRow(r)
	}
}

// rejectChanged rejects rows that say something else than their certificates.
func (c *Uploader) rejectChanged() {
	for i := range c.state {
		s := &c.state[i]
		if s.stage != found {
			continue
		}
		if o := c.compare(c.rows[i], *s.cert); o.Status == client.RowRejected {
			s.stage, s.text = rejected, o.Error
		}
	}
}

// acceptedLife is for how long an accepted call is believed to be at work. A row that is not
// listed after that is sent again.
const acceptedLife = 24 * time.Hour

// resume continues from the calls of earlier runs: rows of an accepted call must appear, those
// of a call without an answer are in doubt.
func (c *Uploader) resume() {
	for _, call := range c.Journal.order {
		for n, number := range call.Rows {
			i, ok := c.index[number]
			if !ok || call.refused || !call.isAbout(n, c.keys[i].key) {
				continue
			}
			switch {
			case !call.done:
				c.state[i].stage = inDoubt
			case c.Now().Sub(c.acceptedAt(call, number)) < acceptedLife:
				c.state[i].stage = accepted
			}
		}
		if call.done && !call.refused {
			c.remember(call.batch)
		}
	}
}

// acceptedAt returns when a call was accepted. Older journals say only when the row's file
// was uploaded.
func (c *Uploader) acceptedAt(call *bulkCall, number int) time.Time {
	if !call.at.IsZero() {
		return call.at
	}
	u, _ := c.Journal.uploaded(number)
	return u.At
}

func (c *Uploader) remember(batch string) {
	if batch != "" {
		c.batches[batch], c.lastID = true, batch
	}
}

// repeatCalls repeats the calls of earlier runs that got no answer, with the same keys. If the
// vault lists some of a call's rows, it was accepted, since calls are accepted whole.
func (c *Uploader) repeatCalls(ctx context.Context) error {
	for _, call := range c.Journal.order {
		places := c.places(call)
		if call.refused || call.done || places == nil {
			continue
		}
		listed := 0
		for _, i := range places {
			if s := &c.state[i]; s.stage == found || s.stage == rejected {
				listed++
			}
		}
		switch {
		case listed == len(places), c.isBlocked():
		case listed > 0:
			for _, i := range places {
				if s := &c.state[i]; s.isOpen() {
					s.stage = accepted
				}
			}
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
		if !ok || !call.isAbout(n, c.keys[i].key) {
			return nil
		}
		places[n] = i
	}
	return places
}

// maxIdleRounds ends the sending of rows of which the vault says nothing that helps.
const maxIdleRounds = 12

// sendAll sends the open rows, in rounds. After a round in which the vault refused calls, its
// list says which rows exist; the others are sent again, in smaller calls.
func (c *Uploader) sendAll(ctx context.Context) error {
	for idle := 0; idle < maxIdleRounds && !c.isBlocked() && c.cause == nil; {
		open := c.ready()
		if len(open) == 0 {
			return nil
		}
		if err := c.uploadAll(ctx, open); err != nil {
			return c.stopFor(err)
		}
		if err := c.submitAll(ctx, c.stillOpen(open)); err != nil {
			return c.stopFor(err)
		}
		before := len(c.open())
		if err := c.learn(ctx, open); err != nil {
			return err
		}
		if c.cause != nil && len(c.where(func(s *rowState) bool { return s.stage == inDoubt })) == 0 {
			c.cause = nil // the list says what the answer did not
		}
		if idle++; len(c.open()) < before || len(c.stillOpen(open)) < len(open) {
			idle = 0
		}
	}
	return nil
}

// stopFor ends the sending. The rows that the vault has already are waited for and reported.
func (c *Uploader) stopFor(err error) error {
	if fault.Is(err, fault.Unavailable) && len(c.where(func(s *rowState) bool { return s.mustAppear() || s.sent })) > 0 {
		c.cause = err
		return nil
	}
	return err
}

func (c *Uploader) stillOpen(places []int) (open []int) {
	for _, i := range places {
		if c.state[i].isOpen() {
			open = append(open, i)
		}
	}
	return open
}

// ready returns the open rows that can be sent now. A vault that does not tell issue dates
// gets one row after the other of those that differ in their dates alone, since it would not
// say which of the certificates is whose.
func (c *Uploader) ready() []int {
	open := c.open()
	if shows, _ := c.vault.showsDates(); shows || c.NoWait {
		return open
	}
	busy := map[vault.Key]bool{}
	for _, i := range c.where(func(s *rowState) bool { return s.mustAppear() && s.text == "" }) {
		busy[c.keys[i].undated] = true
	}
	var ready []int
	for _, i := range open {
		key := c.keys[i].undated
		if !busy[key] {
			busy[key] = true
			ready = append(ready, i)
		}
	}
	return ready
}

// learn reads the vault's list where the answers of a round do not say enough.
func (c *Uploader) learn(ctx context.Context, sent []int) error {
	defer func() { c.vault.front = "" }() // it is read for these rows alone
	var unclear []int
	refused := false
	for _, i := range sent {
		s := &c.state[i]
		refused = refused || s.suspect || s.stage == duplicate
		if s.stage == duplicate || s.isOpen() && (s.suspect || s.stage == inDoubt || s.lostFiles > 0) {
			unclear = append(unclear, i)
		}
	}
	if _, known := c.vault.showsDates(); len(unclear) > 0 && !known {
		if _, err := c.vault.hasNews(ctx); err != nil {
			return err
		}
	}
	shows, known := c.vault.showsDates()
	decides := shows || !known // else the list does not tell which rows exist
	if (len(unclear) == 0 || !decides) && len(c.ready()) == len(c.open()) {
		return nil
	}
	if len(unclear) == 0 {
		unclear = c.where((*rowState).mustAppear) // others wait until these have appeared
		refused = true
	}
	if !c.NoWait {
		if _, err := c.quiet(ctx, len(unclear)); err != nil {
			return err
		}
	}
	if err := c.reconcile(ctx, unclear); err != nil {
		if c.cause != nil {
			return c.cause // the vault does not answer at all
		}
		return err
	}
	if refused && !c.NoWait && !c.listed(unclear) {
		if err := c.catchUp(ctx, unclear); err != nil {
			return err
		}
	}
	listed := c.listed(unclear)
	for _, i := range unclear {
		if c.state[i].suspect = false; listed {
			c.state[i].refusals = 0
		}
	}
	return nil
}

// listed reports whether the vault's list has one of some rows.
func (c *Uploader) listed(places []int) bool {
	return slices.ContainsFunc(places, func(i int) bool { return c.state[i].stage == found })
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
					c.state[i].stage, c.state[i].text = rejected, fmt.Sprintf("row %d: %s", c.rows[i].Number, message)
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

// submitAll submits the entries of rows whose documents are uploaded. It ends when a call
// gets no answer.
func (c *Uploader) submitAll(ctx context.Context, open []int) error {
	for _, places := range c.calls(open) {
		if c.isBlocked() || c.cause != nil {
			return nil
		}
		call := &bulkCall{QR: c.placements(places)}
		for _, i := range places {
			u, _ := c.Journal.uploaded(c.rows[i].Number)
			call.Rows, call.IDs = append(call.Rows, c.rows[i].Number), append(call.IDs, u.FileID)
			call.Content = append(call.Content, shortKey(c.keys[i].key))
		}
		said := append([]string{"bulk"}, call.IDs...)
		for _, at := range call.QR {
			said = append(said, fmt.Sprint(at))
		}
		call.Key = c.keyOf(said...)
		if err := c.Journal.write(journalEntry{Call: call}); err != nil {
			return err
		}
		if err := c.send(ctx, call, places); err != nil {
			return err
		}
	}
	return nil
}

// calls divides rows into calls. Those that were in refused calls go in smaller ones.
func (c *Uploader) calls(open []int) (calls [][]int) {
	per := c.PerCall
	if per <= 0 {
		entries := make([]client.BulkEntry, len(open))
		for n, i := range open {
			entries[n] = client.BulkEntry{Content: c.rows[i].Certificate.Content, QR: c.rows[i].Certificate.QR}
		}
		per = client.EntriesPerCall(entries)
	}
	bySize := map[int][]int{}
	for _, i := range open {
		size := max(1, per>>min(c.state[i].refusals, 20))
		bySize[size] = append(bySize[size], i)
	}
	for _, size := range slices.Backward(slices.Sorted(maps.Keys(bySize))) {
		calls = slices.AppendSeq(calls, slices.Chunk(bySize[size], size))
	}
	return calls
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

// send makes one call. If the vault refuses it, the rows with errors are marked, and the
// others stay open. A call without an answer leaves its rows in doubt.
func (c *Uploader) send(ctx context.Context, call *bulkCall, places []int) error {
	entries := make([]client.BulkEntry, len(places))
	for n, i := range places {
		entries[n] = client.BulkEntry{Content: c.rows[i].Certificate.Content, FileID: call.IDs[n]}
		if call.QR != nil {
			entries[n].QR = call.QR[n]
		}
		c.state[i].sent = true
	}
	answer, err := c.Client.SubmitBulk(ctx, entries, call.Key)
	switch {
	case err == nil:
	case fault.Is(err, fault.Invalid):
		if err := c.refused(places, err); err != nil {
			return err
		}
		return c.Journal.write(journalEntry{Refused: call.Key})
	case fault.Is(err, fault.Unavailable), isServerError(err):
		for _, i := range places {
			if c.state[i].isOpen() {
				c.state[i].stage = inDoubt
			}
		}
		c.cause = err
		return nil
	default:
		return err
	}
	if err := c.Journal.write(journalEntry{Done: call.Key, Batch: answer.BatchID, At: c.Now()}); err != nil {
		return err
	}
	c.remember(answer.BatchID)
	for _, i := range places {
		if c.state[i].stage != found {
			c.state[i].stage = accepted
		}
	}
	c.Progress(client.Progress{Stage: "submitting", Done: len(c.rows) - len(c.open()), Total: len(c.rows)})
	return nil
}

// isServerError reports whether the vault answered that it failed: whether it did what it was
// asked for is not known.
func isServerError(err error) bool {
	e, ok := errors.AsType[*client.Error](err)
	return ok && e.Status >= http.StatusInternalServerError
}

// maxLostFiles is how many times a file is uploaded again that the vault loses.
const maxLostFiles = 3

// refused handles the errors of a refused call: rows that exist are to be looked up, documents
// that the vault no longer has are uploaded again, and other rows are rejected. Rows of which
// nothing is said stay open.
func (c *Uploader) refused(places []int, cause error) error {
	answered, ok := errors.AsType[*client.Error](cause)
	if !ok {
		return cause
	}
	r := readRefusal(answered, len(places))
	if r.unnamed {
		return cause
	}
	incomplete := r.bareDuplicate || slices.Contains(r.duplicates, true)
	for n, i := range places {
		s := &c.state[i]
		switch {
		case r.duplicates[n]:
			s.stage, s.existed = duplicate, true
		case r.problems[n] != "":
			s.stage, s.text = rejected, fmt.Sprintf("row %d: %s", c.rows[i].Number, r.problems[n])
		case r.lost[n]:
			if s.lostFiles++; s.lostFiles > maxLostFiles {
				s.stage, s.text = rejected, fmt.Sprintf("row %d: the vault loses its file again and again: %s", c.rows[i].Number, messageOf(cause))
				continue
			}
			s.stage = unsent
			if err := c.Journal.write(journalEntry{Row: c.rows[i].Number, Upload: &upload{}}); err != nil {
				return err
			}
		case incomplete && len(places) == 1:
			s.stage, s.existed = duplicate, true
		case incomplete:
			s.stage, s.suspect, s.existed = unsent, true, true
			s.refusals++
		default:
			s.stage = unsent
		}
	}
	return nil
}

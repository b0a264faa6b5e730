package remotebulk

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The vault's own list decides what became of a row. Answers to calls say only what to do
// next: an answer may be lost, and an accepted certificate may appear minutes later.

// lookUp looks some rows up in what was read of the vault's list.
func (c *Uploader) lookUp(places []int) {
	claimed := c.claimed()
	for _, i := range places {
		s := &c.state[i]
		if s.stage == rejected {
			continue
		}
		if one, ok := c.vault.exact(c.keys[i]); ok {
			c.settle(s, one)
			continue
		}
		var possible []client.Certificate
		for _, one := range c.vault.withoutDate(c.keys[i]) {
			row, taken := claimed[one.UUID]
			switch {
			case taken && row == c.rows[i].Number:
				c.settle(s, one)
			case !taken && !slices.Contains(c.rows[i].Others, one.UUID) && !(s.stage == accepted && s.sent && c.vault.before[one.UUID]):
				possible = append(possible, one)
			}
		}
		if s.stage == found || !s.mustAppear() {
			continue // whether one of the possible ones is the row's, only sending tells
		}
		if len(possible) > 1 {
			possible = withName(possible, c.keys[i].name)
		}
		switch len(possible) {
		case 0:
		case 1:
			c.settle(s, possible[0])
			claimed[possible[0].UUID] = c.rows[i].Number
		default:
			s.text = ambiguous(possible)
		}
	}
}

func (c *Uploader) settle(s *rowState, one client.Certificate) {
	s.stage, s.cert, s.text = found, &one, ""
}

func withName(some []client.Certificate, name string) (named []client.Certificate) {
	for _, one := range some {
		if one.Name == name {
			named = append(named, one)
		}
	}
	if len(named) == 0 {
		return some
	}
	return named
}

// claimed returns the certificates that are known to belong to a row, with its number: those
// of the journal and those that were found.
func (c *Uploader) claimed() map[string]int {
	claimed := map[string]int{}
	if c.Journal != nil {
		for uuid, k := range c.Journal.known {
			claimed[uuid] = k.Row
		}
	}
	maps.Copy(claimed, c.Claimed)
	for i := range c.state {
		if s := &c.state[i]; s.stage == found {
			claimed[s.cert.UUID] = c.rows[i].Number
		}
	}
	return claimed
}

// reconcile reads the vault's list as far as some rows need it, and looks them up.
func (c *Uploader) reconcile(ctx context.Context, places []int) error {
	if len(places) == 0 {
		return nil
	}
	rows := make([]row, len(places))
	for n, i := range places {
		rows[n] = c.keys[i]
	}
	isSeen := func(n int) bool {
		if s := &c.state[places[n]]; s.stage == found {
			return c.vault.seen[s.cert.UUID]
		}
		one, ok := c.vault.exact(rows[n])
		return ok && c.vault.seen[one.UUID]
	}
	if err := c.vault.read(ctx, rows, isSeen); err != nil {
		return err
	}
	for _, r := range rows {
		if _, ok := c.vault.exact(r); !ok {
			if err := c.vault.learnDates(ctx, c.vault.withoutDate(r)); err != nil {
				return err
			}
		}
	}
	c.lookUp(places)
	c.lookUp(c.where((*rowState).mustAppear)) // what was read may be theirs
	return nil
}

// where returns the positions of rows in some state.
func (c *Uploader) where(is func(*rowState) bool) (places []int) {
	for i := range c.state {
		if is(&c.state[i]) {
			places = append(places, i)
		}
	}
	return places
}

// unsettled returns the rows that are not finished on the vault.
func (c *Uploader) unsettled() []int {
	return c.where(func(s *rowState) bool { return s.mustAppear() && s.text == "" || s.isMoving() })
}

// Pauses between two looks at the vault.
const (
	minPollPause = 200 * time.Millisecond
	maxPollPause = 5 * time.Second
)

// DefaultWait is for how long a run waits for certificates if it is not told.
const DefaultWait = 15 * time.Minute

// pause waits a moment, longer each time, and returns false once the run has waited as long
// as it may.
func (c *Uploader) pause(ctx context.Context) (bool, error) {
	if c.paused == 0 {
		c.waitBegan = c.Now()
	}
	wait := c.Wait
	if wait == 0 {
		wait = DefaultWait
	}
	left := wait - max(c.paused, c.Now().Sub(c.waitBegan))
	if left <= 0 {
		return false, nil
	}
	c.nextPause = min(max(2*c.nextPause, minPollPause), maxPollPause)
	pause := min(c.nextPause, left)
	c.paused += pause
	return true, c.Sleep(ctx, pause)
}

// await waits until every row is finished on the vault, at most as long as the run may wait.
func (c *Uploader) await(ctx context.Context) error {
	for {
		open := c.unsettled()
		if len(open) == 0 {
			return nil
		}
		again, err := c.quiet(ctx, len(open))
		if err == nil {
			err = c.reconcileNews(ctx, open)
		}
		if err != nil {
			return err
		}
		c.Progress(client.Progress{Stage: "issuing", Done: len(c.rows) - len(c.unsettled()), Total: len(c.rows)})
		if len(c.unsettled()) == 0 || !again {
			return nil
		}
		if again, err = c.pause(ctx); err != nil || !again {
			return err
		}
	}
}

// reconcileNews reconciles rows. Where none of them has a certificate that can change, it
// reads the list only if that has changed.
func (c *Uploader) reconcileNews(ctx context.Context, open []int) error {
	for _, i := range open {
		if c.state[i].isMoving() {
			return c.reconcile(ctx, open)
		}
	}
	if c.vault.front == "" {
		return c.reconcile(ctx, open)
	}
	news, err := c.vault.hasNews(ctx)
	if err == nil && news {
		return c.reconcile(ctx, open)
	}
	c.lookUp(open) // it may have been read for other rows
	return err
}

// quiet waits until the vault processes nothing, or until the number of what it processes
// stands still: then others' certificates are stuck, or ours. It returns false once the run
// has waited as long as it may.
func (c *Uploader) quiet(ctx context.Context, open int) (again bool, err error) {
	const still = 3
	filter := client.Filter{Status: string(vault.Processing), PerPage: 1}
	if len(c.batches) == 1 {
		for batch := range c.batches {
			filter.Batch = batch // a vault that does not know it counts all
		}
	}
	last, same := -1, 0
	for same < still {
		page, err := c.Client.List(ctx, filter)
		if fault.Is(err, fault.Invalid) {
			return true, nil // it does not filter by status
		}
		if err != nil {
			return true, err
		}
		left := page.Meta.Total
		c.Progress(client.Progress{Stage: "issuing", Done: max(len(c.rows)-max(left, open), 0), Total: len(c.rows)})
		if left == 0 {
			return true, nil
		}
		if same++; left != last {
			last, same = left, 1
		}
		if again, err := c.pause(ctx); err != nil || !again {
			return false, err
		}
	}
	return true, nil
}

// catchUp gives a list that lags behind a moment to show what a refusal says to exist.
func (c *Uploader) catchUp(ctx context.Context, places []int) error {
	const looks = 4
	for range looks {
		for _, i := range places {
			if c.state[i].stage == found {
				return nil
			}
		}
		if again, err := c.pause(ctx); err != nil || !again {
			return err
		}
		if err := c.reconcileNews(ctx, places); err != nil {
			return err
		}
	}
	return nil
}

// recordCertificates records new and changed certificates of the rows.
func (c *Uploader) recordCertificates() error {
	var news []journalEntry
	for i := range c.state {
		one := c.state[i].cert
		if one == nil || one.UUID == "" {
			continue
		}
		k := RemoteCertificate{UUID: one.UUID, ReferenceID: one.ReferenceID, Vault: c.Client.Base(),
			Row: c.rows[i].Number, Status: one.Status.Value, At: one.UpdatedAt}
		if had, ok := c.Journal.known[k.UUID]; !ok || had.Status != k.Status || !had.At.Equal(k.At) {
			news = append(news, journalEntry{Certificate: &k})
		}
	}
	if len(news) == 0 {
		return nil
	}
	return c.Journal.write(news...)
}

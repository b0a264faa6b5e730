package remotebulk

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// duplicateText is the guide's text for a certificate that exists already (step 4).
const duplicateText = vault.DuplicateMessage

var entryField = regexp.MustCompile(`^entries\.(\d{1,6})\.([a-z_.]+)$`)

// sortErrors sorts the errors of a refused call: the problem of each entry, the entries whose
// documents are missing in the vault, and whether there are any other errors.
func sortErrors(all map[string][]string, entries int) (complaints []string, lost []bool, others bool) {
	complaints, lost = make([]string, entries), make([]bool, entries)
	for name, messages := range all {
		m := entryField.FindStringSubmatch(name)
		if m == nil {
			return complaints, lost, true
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || n >= entries {
			return complaints, lost, true
		}
		switch text := strings.Join(messages, " "); {
		case strings.Contains(text, duplicateText):
			complaints[n] = duplicateText
		case m[2] == "file_id":
			lost[n] = true
		case complaints[n] == "":
			complaints[n] = text
		}
	}
	return complaints, lost, false
}

// Pauses between two polls of a batch.
const (
	minPollPause = 200 * time.Millisecond
	maxPollPause = 5 * time.Second
)

// follow waits until no certificate of the batches is processing, and reads the results.
func (c *Uploader) follow(ctx context.Context) error {
	for batch := range c.batches {
		if err := c.await(ctx, batch); err != nil {
			return err
		}
	}
	found, err := c.batchCertificates(ctx)
	if err != nil {
		return err
	}
	for i, o := range c.outcomes {
		if o.Status != client.RowIssued && o.Status != client.RowUnchanged {
			continue
		}
		one, ok := found.of(c.rows[i])
		switch {
		case ok && o.Status == client.RowUnchanged:
			o = c.compare(c.rows[i], one)
		case ok:
			o.Certificate = &one
		}
		c.outcomes[i] = finalOutcome(o)
	}
	return nil
}

// batchCertificates reads the certificates of the batches.
func (c *Uploader) batchCertificates(ctx context.Context) (certificateIndex, error) {
	found := certificateIndex{}
	for batch := range c.batches {
		if err := c.pages(ctx, client.Filter{Batch: batch}, found); err != nil {
			return found, err
		}
	}
	return found, nil
}

// identify reads the certificates of accepted rows, as far as the vault has them already, so
// that later webhooks can be matched. It ignores errors: the rows are accepted.
func (c *Uploader) identify(ctx context.Context) {
	found, _ := c.batchCertificates(ctx)
	for i, o := range c.outcomes {
		if one, ok := found.of(c.rows[i]); ok && o.Certificate == nil {
			c.outcomes[i].Certificate = &one
		}
	}
}

// recordCertificates records new and changed certificates of the rows.
func (c *Uploader) recordCertificates() error {
	var news []journalEntry
	for i, o := range c.outcomes {
		if o.Certificate == nil || o.Certificate.UUID == "" {
			continue
		}
		k := RemoteCertificate{UUID: o.Certificate.UUID, ReferenceID: o.Certificate.ReferenceID, Vault: c.Client.Base(),
			Row: c.rows[i].Number, Status: o.Certificate.Status.Value, At: o.Certificate.UpdatedAt}
		if had, ok := c.Journal.known[k.UUID]; !ok || had.Status != k.Status || !had.At.Equal(k.At) {
			news = append(news, journalEntry{Certificate: &k})
		}
	}
	if len(news) == 0 {
		return nil
	}
	return c.Journal.write(news...)
}

func finalOutcome(o Outcome) Outcome {
	if o.Certificate == nil || o.Status == client.RowRejected {
		return o
	}
	switch vault.Status(o.Certificate.Status.Value) {
	case vault.Failed:
		o.Status, o.Error = client.RowFailed, "processing failed"
		if o.Certificate.FailureReason != nil {
			o.Error = *o.Certificate.FailureReason
		}
	case vault.Processing:
		o.Status = client.RowProcessing
	case vault.Approved, vault.Revoked:
	}
	return o
}

func (c *Uploader) await(ctx context.Context, batch string) error {
	for pause := minPollPause; ; pause = min(2*pause, maxPollPause) {
		page, err := c.Client.List(ctx, client.Filter{Batch: batch, Status: string(vault.Processing), PerPage: 1})
		if err != nil {
			return err
		}
		left := page.Meta.Total
		c.Progress(client.Progress{Stage: "issuing", Done: max(len(c.rows)-left, 0), Total: len(c.rows)})
		if left == 0 {
			return nil
		}
		if err := c.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

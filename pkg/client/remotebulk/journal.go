package remotebulk

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Journal records the steps of one manifest for one vault, in a file to which lines are
// appended. A run that was interrupted or is repeated continues from it.
type Journal struct {
	mu      sync.Mutex
	file    *os.File
	today   string
	uploads map[int]upload
	tries   map[int]int                  // uploads so far, of each row
	known   map[string]RemoteCertificate // by UUID
	order   []*bulkCall
	calls   map[string][]*bulkCall // by key
	gone    map[int]bool           // rows that were forgotten and are in the file still
}

// upload is a document that the vault has.
type upload struct {
	SHA256 string    `json:"sha256"`
	FileID string    `json:"file_id"`
	At     time.Time `json:"at"`
	Origin string    `json:"origin,omitempty"`
}

// bulkCall is one bulk request.
type bulkCall struct {
	Key  string   `json:"key"`
	Rows []int    `json:"rows"`
	IDs  []string `json:"file_ids"`
	// QR has the place of the code for each row; nil if no row has one.
	QR []client.Placement `json:"qr,omitempty"`
	// Content has the beginning of the uniqueness key of each row; nil in older journals.
	Content []string `json:"content,omitempty"`

	done    bool   // it was accepted
	batch   string // "" where the vault names none
	at      time.Time
	refused bool
}

// shortKey is enough of a row's key to notice that the manifest is read otherwise than before.
func shortKey(key vault.Key) string {
	const digits = 12
	return key.String()[:digits]
}

// isAbout reports whether the call's row at a position has a uniqueness key.
func (b *bulkCall) isAbout(n int, key vault.Key) bool {
	return n >= len(b.Content) || b.Content[n] == shortKey(key)
}

// journalEntry is one line; one of its parts is set.
type journalEntry struct {
	Today       string             `json:"today,omitempty"`
	Row         int                `json:"row,omitempty"`
	Upload      *upload            `json:"upload,omitempty"`
	Call        *bulkCall          `json:"call,omitempty"`
	Done        string             `json:"done,omitempty"` // a call's key
	Batch       string             `json:"batch_id,omitempty"`
	At          time.Time          `json:"at,omitzero"`       // when the call was accepted
	Refused     string             `json:"refused,omitempty"` // a call's key
	Certificate *RemoteCertificate `json:"certificate,omitempty"`
}

// OpenJournal opens or creates a journal. Rows without an issue date get today's date, and
// keep that of the first run. If another run has the journal open, the error is of kind
// Locked: two writers would damage it.
func OpenJournal(path, today string) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fault.Wrap(fault.Full, err, "the folder for notes about remote batches cannot be created; name another home with --home")
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Full, err, "the notes about this batch cannot be opened; name another home with --home")
	}
	if mine, err := lock(f); err != nil || !mine {
		if err == nil {
			err = fault.New(fault.Locked, "another run of this manifest for this vault is in progress; wait until it has ended")
		}
		return nil, errors.Join(err, f.Close())
	}
	j := &Journal{file: f, uploads: map[int]upload{}, tries: map[int]int{}, known: map[string]RemoteCertificate{}, calls: map[string][]*bulkCall{}, gone: map[int]bool{}}
	if err := j.replay(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if j.today == "" {
		if err := j.write(journalEntry{Today: today}); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return j, nil
}

// firstDate returns the date with which a journal begins; "" where there is no journal yet.
func firstDate(path string) (vault.Date, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fault.Wrap(fault.Full, err, "the notes about this batch cannot be opened; name another home with --home")
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadBytes('\n')
	var first journalEntry
	if err != nil || json.Unmarshal(line, &first) != nil {
		return "", nil // the first run ended before it did anything
	}
	return vault.Date(first.Today), nil
}

// replay reads the file. It drops a last line that is incomplete.
func (j *Journal) replay() error {
	in := bufio.NewReader(j.file)
	var whole int64
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the notes about this batch: %w", err)
		}
		var r journalEntry
		if json.Unmarshal(line, &r) != nil {
			return fault.Newf(fault.Damaged, "the notes about this batch, %s, are damaged; delete the file and run the command again: it finds the issued certificates", j.file.Name())
		}
		j.apply(r)
		whole += int64(len(line))
	}
	if err := j.file.Truncate(whole); err != nil {
		return fmt.Errorf("repairing the notes about this batch: %w", err)
	}
	_, err := j.file.Seek(whole, io.SeekStart)
	return err
}

func (j *Journal) apply(r journalEntry) {
	switch {
	case r.Today != "":
		j.today = r.Today
	case r.Upload != nil:
		j.uploads[r.Row] = *r.Upload
		j.tries[r.Row]++
		delete(j.gone, r.Row)
	case r.Call != nil:
		for _, row := range r.Call.Rows {
			delete(j.gone, row)
		}
		j.order = append(j.order, r.Call)
		j.calls[r.Call.Key] = append(j.calls[r.Call.Key], r.Call)
	case r.Certificate != nil:
		j.known[r.Certificate.UUID] = *r.Certificate
	default:
		if r.Done != "" {
			for _, c := range j.calls[r.Done] {
				c.done, c.batch, c.at = true, r.Batch, r.At
			}
		}
		for _, c := range j.calls[r.Refused] {
			c.refused = true
		}
	}
}

// write appends entries. They are durable when it returns.
func (j *Journal) write(all ...journalEntry) error {
	var lines []byte
	for _, r := range all {
		line, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("recording a step of this batch: %w", err)
		}
		lines = append(append(lines, line...), '\n')
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(lines); err != nil {
		return fault.Wrap(fault.Full, err, "the notes about this batch cannot be written; make room, then run the same command again")
	}
	for _, r := range all {
		j.apply(r)
	}
	if err := j.file.Sync(); err != nil {
		return fault.Wrap(fault.Full, err, "the notes about this batch cannot be written; make room, then run the same command again")
	}
	return nil
}

// Rows returns the numbers of the rows that the journal has steps of.
func (j *Journal) Rows() []int {
	j.mu.Lock()
	defer j.mu.Unlock()
	rows := maps.Clone(j.tries)
	for _, call := range j.order {
		for _, row := range call.Rows {
			rows[row] = 0
		}
	}
	return slices.Sorted(maps.Keys(rows))
}

// Forget drops the steps of rows whose results are kept elsewhere. Calls with other rows stay.
// Once no step is left, the file is emptied.
func (j *Journal) Forget(rows ...int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, row := range rows {
		delete(j.uploads, row)
		delete(j.tries, row)
		j.gone[row] = true
	}
	j.order = slices.DeleteFunc(j.order, func(call *bulkCall) bool {
		over := !slices.ContainsFunc(call.Rows, func(row int) bool { return !j.gone[row] })
		if over {
			delete(j.calls, call.Key)
		}
		return over
	})
	maps.DeleteFunc(j.known, func(_ string, k RemoteCertificate) bool { return j.gone[k.Row] })
	if len(j.tries)+len(j.order)+len(j.known) > 0 || len(j.gone) == 0 {
		return nil
	}
	clear(j.gone)
	err := j.file.Truncate(0)
	if err == nil {
		_, err = j.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fault.Wrap(fault.Full, err, "the notes about what was sent cannot be emptied; check the disk of the home")
	}
	return nil
}

// Today returns the date of rows without one, which is that of the first run.
func (j *Journal) Today() string { return j.today }

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

func (j *Journal) uploaded(row int) (upload, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	u, ok := j.uploads[row]
	return u, ok
}

func (j *Journal) tried(row int) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.tries[row]
}

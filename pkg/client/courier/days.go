package courier

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Days are the dates that rows without one were given when they were first sent to
// a vault, in a file of lines that only grows. A row keeps its date in whatever
// manifest it comes again: it is not to be issued anew because a day has passed.
type Days struct {
	path  string
	known map[string]vault.Date // by vault.Draft's FreezeKey
}

// dated is one line.
type dated struct {
	Key  string     `json:"key"`
	Date vault.Date `json:"date"`
}

// OpenDays reads the file, which need not exist.
func OpenDays(path string) (*Days, error) {
	d := &Days{path: path, known: map[string]vault.Date{}}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return nil, unopened(err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return d, nil // what has no end was cut off before it counted
		}
		if err != nil {
			return nil, fmt.Errorf("reading the dates of rows without one: %w", err)
		}
		var one dated
		if json.Unmarshal(line, &one) == nil && one.Key != "" && d.known[one.Key] == "" {
			d.known[one.Key] = one.Date
		}
	}
}

// Of is the date of a row; "" where it has none yet.
func (d *Days) Of(key vault.Key) vault.Date { return d.known[key.String()] }

// Note keeps the dates of rows that have none yet. When it returns, that is durable.
func (d *Days) Note(rows map[vault.Key]vault.Date) error {
	var lines []byte
	for key, date := range rows {
		if d.Of(key) != "" {
			continue
		}
		line, err := json.Marshal(dated{key.String(), date})
		if err != nil {
			return fmt.Errorf("noting the date of a row: %w", err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if len(lines) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(d.path), 0o700); err != nil {
		return unopened(err)
	}
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return unopened(err)
	}
	// A line end first: a line that a crash cut short must not spoil these.
	_, err = f.Write(append([]byte("\n"), lines...))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fault.Wrap(fault.Full, err, "the notes about this batch cannot be written; make room, then run the same command again")
	}
	for key, date := range rows {
		if d.Of(key) == "" {
			d.known[key.String()] = date
		}
	}
	return nil
}

func unopened(err error) error {
	return fault.Wrap(fault.Full, err, "the notes about remote batches cannot be opened; name another home with --home")
}

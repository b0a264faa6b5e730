package remotebulk

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

// FrozenDates are the dates that rows without one got when they were first sent to a vault,
// in a file to which lines are appended. A row keeps its date in every later manifest, so
// that it is not issued again on another day.
type FrozenDates struct {
	path  string
	known map[string]vault.Date // by vault.Draft's FreezeKey
}

// frozenDate is one line.
type frozenDate struct {
	Key  string     `json:"key"`
	Date vault.Date `json:"date"`
}

// OpenFrozenDates reads the file, which may be missing.
func OpenFrozenDates(path string) (*FrozenDates, error) {
	d := &FrozenDates{path: path, known: map[string]vault.Date{}}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return nil, openError(err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return d, nil // an incomplete line does not count
		}
		if err != nil {
			return nil, fmt.Errorf("reading the dates of rows without one: %w", err)
		}
		var one frozenDate
		if json.Unmarshal(line, &one) == nil && one.Key != "" && d.known[one.Key] == "" {
			d.known[one.Key] = one.Date
		}
	}
}

// Date returns the date of a row; "" if it has none yet.
func (d *FrozenDates) Date(key vault.Key) vault.Date { return d.known[key.String()] }

// Add records the dates of rows that have none yet. They are durable when it returns.
func (d *FrozenDates) Add(rows map[vault.Key]vault.Date) error {
	var lines []byte
	for key, date := range rows {
		if d.Date(key) != "" {
			continue
		}
		line, err := json.Marshal(frozenDate{key.String(), date})
		if err != nil {
			return fmt.Errorf("recording the date of a row: %w", err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if len(lines) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(d.path), 0o700); err != nil {
		return openError(err)
	}
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return openError(err)
	}
	// A line end first: the last line may be incomplete after a crash.
	_, err = f.Write(append([]byte("\n"), lines...))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fault.Wrap(fault.Full, err, "the notes about this batch cannot be written; make room, then run the same command again")
	}
	for key, date := range rows {
		if d.Date(key) == "" {
			d.known[key.String()] = date
		}
	}
	return nil
}

func openError(err error) error {
	return fault.Wrap(fault.Full, err, "the notes about remote batches cannot be opened; name another home with --home")
}

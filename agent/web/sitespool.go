package web

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/vecctl/vecctl/pkg/fsutil"
)

// siteSpool keeps the entries of the index in a temporary file until they are sorted into parts:
// those of a large home take more memory than they should. They are what is public anyway.
type siteSpool struct {
	file  *os.File
	out   *bufio.Writer
	end   int64
	parts map[string][]spooledEntry
}

// spooledEntry is where an entry is in the file.
type spooledEntry struct {
	reference string
	at        int64
	length    int
}

func newSiteSpool() (*siteSpool, error) {
	file, err := os.CreateTemp("", "vecctl-site-*")
	if err != nil {
		return nil, fsutil.DiskError(err, "making a temporary file for the index of the site")
	}
	const buffer = 256 << 10
	return &siteSpool{file: file, out: bufio.NewWriterSize(file, buffer), parts: map[string][]spooledEntry{}}, nil
}

// Close removes the file.
func (s *siteSpool) Close() error {
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}

// add adds an entry to a part.
func (s *siteSpool) add(part, reference string, data []byte) error {
	if _, err := s.out.Write(data); err != nil {
		return fsutil.DiskError(err, "writing the index of the site to a temporary file")
	}
	s.parts[part] = append(s.parts[part], spooledEntry{reference, s.end, len(data)})
	s.end += int64(len(data))
	return nil
}

// take returns the entries of a part in the order of their reference IDs, and forgets it.
func (s *siteSpool) take(part string) ([]json.RawMessage, error) {
	if err := s.out.Flush(); err != nil {
		return nil, fsutil.DiskError(err, "writing the index of the site to a temporary file")
	}
	all := s.parts[part]
	delete(s.parts, part)
	slices.SortFunc(all, func(a, b spooledEntry) int { return cmp.Compare(a.reference, b.reference) })
	entries := make([]json.RawMessage, len(all))
	for i, e := range all {
		entries[i] = make([]byte, e.length)
		if _, err := s.file.ReadAt(entries[i], e.at); err != nil {
			return nil, fmt.Errorf("read the index of the site: %w", err)
		}
	}
	return entries, nil
}

// left is how many entries are in parts that were not taken.
func (s *siteSpool) left() (n int) {
	for _, all := range s.parts {
		n += len(all)
	}
	return n
}

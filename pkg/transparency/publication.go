package transparency

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Publication is where logs are published.
type Publication interface {
	// ReadFile returns the file at a path below the place; NotFound where there is none.
	ReadFile(ctx context.Context, path string) ([]byte, error)
}

// maxFile bounds a file of a log: a bundle of 256 entries, each with its length in two bytes.
const maxFile = 256 * (2 + 1<<16)

// ListPath is where a publication lists its logs.
const ListPath = "log/logs.json"

// Listed is a log in the list of a publication.
type Listed struct {
	Institution string `json:"institution"`
	Key         string `json:"key"`  // public, with the log's name: what verifiers of signed notes take
	Size        int64  `json:"size"` // entries
	URL         string `json:"url"`  // the prefix of checkpoint and tiles
}

// Folder is a publication in files.
type Folder struct{ Files fs.FS }

// ReadFile implements Publication.
func (f Folder) ReadFile(_ context.Context, path string) ([]byte, error) {
	file, err := f.Files.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.NotFound, err, fmt.Sprintf("there is no file %s", path))
	}
	if err != nil {
		return nil, fmt.Errorf("read a published log: %w", err)
	}
	defer file.Close()
	return readBounded(file, path)
}

// Site is a publication on a web server.
type Site struct {
	Transport http.RoundTripper
	URL       string // below which the files are
}

// ReadFile implements Publication.
func (s Site) ReadFile(ctx context.Context, path string) ([]byte, error) {
	address := strings.TrimSuffix(s.URL, "/") + "/" + path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("%s is no address", s.URL))
	}
	answer, err := s.Transport.RoundTrip(request)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, fmt.Sprintf("%s cannot be reached: %v", address, err))
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return readBounded(answer.Body, address)
	case http.StatusNotFound, http.StatusGone:
		return nil, fault.Newf(fault.NotFound, "there is no %s", address)
	}
	return nil, fault.Newf(fault.Unavailable, "%s answers with status %d; try again later", address, answer.StatusCode)
}

// readBounded reads a file that is no longer than a log's files may be.
func readBounded(r io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, fmt.Sprintf("%s cannot be read: %v", name, err))
	}
	if len(data) > maxFile {
		return nil, fault.Newf(fault.Damaged, "%s is longer than a file of a log can be", name)
	}
	return data, nil
}

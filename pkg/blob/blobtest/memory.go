package blobtest

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
)

// Memory is a blob.Store in memory, for tests.
type Memory struct {
	hasher   blob.Hasher
	mu       sync.Mutex
	contents map[string]stored
	holds    int
}

type stored struct {
	body []byte
	at   time.Time
}

var _ blob.Store = (*Memory)(nil)

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{contents: map[string]stored{}} }

// stagedBytes is content that is set aside; nil once it was stored or discarded.
type stagedBytes struct{ body []byte }

// Open implements blob.StagedContent.
func (c *stagedBytes) Open() (blob.File, error) { return newFile("staged", stored{body: c.body}), nil }

// Discard implements blob.StagedContent.
func (c *stagedBytes) Discard() { c.body = nil }

// Stage implements blob.Store.
func (m *Memory) Stage(ctx context.Context, r io.Reader, limit int64) (*blob.Staged, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	digest, err := m.hasher.Copy(&body, r, limit)
	if err != nil {
		return nil, err
	}
	return &blob.Staged{Digest: digest, Content: &stagedBytes{body: append([]byte{}, body.Bytes()...)}}, nil
}

// Commit implements blob.Store.
func (m *Memory) Commit(ctx context.Context, staged ...*blob.Staged) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, st := range staged {
		if content, ok := st.Content.(*stagedBytes); ok && content.body != nil {
			m.contents[st.SHA256] = stored{body: content.body, at: time.Now()}
			content.body = nil
		}
	}
	return nil
}

// Open implements blob.Store.
func (m *Memory) Open(ctx context.Context, sum string) (blob.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !blob.ValidSum(sum) {
		return nil, blob.InvalidSum()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	content, ok := m.contents[sum]
	if !ok {
		return nil, blob.Missing(fs.ErrNotExist)
	}
	return newFile(sum, content), nil
}

// List implements blob.Store.
func (m *Memory) List(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.contents)), nil
}

// Sweep implements blob.Store.
func (m *Memory) Sweep(ctx context.Context, part int, before time.Time, referenced blob.Referenced) (int, error) {
	all, err := m.List(ctx)
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, sum := range all {
		if first, err := strconv.ParseUint(sum[:2], 16, 8); err != nil || int(first) != part {
			continue
		}
		gone, err := m.remove(ctx, sum, before, referenced)
		if err != nil {
			return removed, err
		}
		if gone {
			removed++
		}
	}
	return removed, nil
}

// Remove implements blob.Store.
func (m *Memory) Remove(ctx context.Context, sum string, referenced blob.Referenced) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return m.remove(ctx, sum, time.Now().AddDate(1, 0, 0), referenced)
}

func (m *Memory) remove(ctx context.Context, sum string, before time.Time, referenced blob.Referenced) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	content, ok := m.contents[sum]
	if !ok || m.holds > 0 || !content.at.Before(before) {
		return false, nil
	}
	needed, err := referenced(ctx, sum)
	if err != nil || needed {
		return false, err
	}
	delete(m.contents, sum)
	return true, nil
}

// Hold implements blob.Store.
func (m *Memory) Hold(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.holds++
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.holds--
	}, nil
}

// file is an open content.
type file struct {
	*bytes.Reader
	name string
	at   time.Time
}

func newFile(name string, content stored) *file {
	return &file{Reader: bytes.NewReader(content.body), name: name, at: content.at}
}

// Close implements blob.File.
func (f *file) Close() error { return nil }

// Stat implements blob.File.
func (f *file) Stat() (fs.FileInfo, error) { return fileInfo{f}, nil }

// fileInfo describes a file.
type fileInfo struct{ file *file }

// Name implements fs.FileInfo.
func (i fileInfo) Name() string { return i.file.name }

// Size implements fs.FileInfo.
func (i fileInfo) Size() int64 { return i.file.Reader.Size() }

// Mode implements fs.FileInfo.
func (i fileInfo) Mode() fs.FileMode { return 0o600 }

// ModTime implements fs.FileInfo.
func (i fileInfo) ModTime() time.Time { return i.file.at }

// IsDir implements fs.FileInfo.
func (i fileInfo) IsDir() bool { return false }

// Sys implements fs.FileInfo.
func (i fileInfo) Sys() any { return nil }

package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Entry is a file in a backup.
type Entry struct {
	Name     string // relative to the home, with slashes
	Blob     string // the document that it is, "" for any other file
	Size     int64
	Modified time.Time
}

// Visit is told of each of the home's members in turn. It may read the body, all
// of it or none, before it returns. What it is told is not verified yet: that is
// known when Read has returned.
type Visit func(m Entry, body io.Reader) error

// Limits of a header and of a line of a list, in bytes. A list as a whole is bounded by what
// the archive really has: it is read line by line, and no line may come twice.
const (
	maxHeader = 1 << 20
	maxLine   = 64 << 10 // a name of a home has at most 4,096 bytes
)

// reader takes an archive apart.
type reader struct {
	tar    *tar.Reader
	found  Contents
	sums   map[string]string // what was read, by name
	listed map[string]string // what SHA256SUMS says
}

// Read reads a backup, which must not be encrypted any more, to its end and checks
// it: each member against SHA256SUMS, and that none is missing. Visit may be nil.
func Read(ctx context.Context, r io.Reader, visit Visit) (Contents, error) {
	packed, err := zstd.NewReader(bufio.NewReaderSize(r, copySize), zstd.WithDecoderMaxWindow(8*windowSize))
	if err != nil {
		return Contents{}, fmt.Errorf("opening a backup: %w", err)
	}
	defer packed.Close()
	b := &reader{tar: tar.NewReader(packed), sums: map[string]string{}}
	for b.listed == nil {
		if err := ctx.Err(); err != nil {
			return b.found, err
		}
		if err := b.next(visit); err != nil {
			return b.found, b.failure(err)
		}
	}
	// What lies behind the last member is the end of the archive, whose checksum
	// is looked at when it is reached.
	if _, err := b.tar.Next(); !errors.Is(err, io.EOF) {
		return b.found, damagedError(errors.Join(err, errors.New("there is something behind the last member")))
	}
	if _, err := io.Copy(io.Discard, packed); err != nil {
		return b.found, b.failure(err)
	}
	return b.found, b.compare()
}

// failure tells what is wrong with an archive. Once it has said what it is, its
// beginning is sound.
func (b *reader) failure(err error) error {
	if b.found.Header.Format > 0 && errors.Is(err, zstd.ErrMagicMismatch) {
		return damagedError(err)
	}
	return readError(err)
}

// ReadHeader reads what a backup is, and nothing else.
func ReadHeader(r io.Reader) (Header, error) {
	packed, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(8*windowSize), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return Header{}, fmt.Errorf("opening a backup: %w", err)
	}
	defer packed.Close()
	b := &reader{tar: tar.NewReader(packed), sums: map[string]string{}}
	err = readError(b.next(nil))
	return b.found.Header, err
}

// next reads a member.
func (b *reader) next(visit Visit) error {
	h, err := b.tar.Next()
	if err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg || !isLocal(h.Name) || h.Size < 0 {
		return damagedError(fmt.Errorf("member %q is no file of a home", h.Name))
	}
	if _, twice := b.sums[h.Name]; twice {
		return damagedError(fmt.Errorf("member %q is there twice", h.Name))
	}
	switch first := len(b.sums) == 0; {
	case first && h.Name != headerName:
		return fault.New(fault.Damaged, "this is no backup of a vecctl home; vecctl backup makes one")
	case h.Name == sumsName:
		b.listed = map[string]string{}
		return b.list(h, func(sum, name string) bool {
			// A name that no member had is wrong, however many of them there are.
			_, twice := b.listed[name]
			_, there := b.sums[name]
			b.listed[name] = sum
			return there && !twice
		})
	case h.Name == elsewhereName:
		seen := map[string]bool{}
		err := b.list(h, func(sum, name string) bool {
			twice := seen[sum]
			seen[sum] = true
			return !twice && blobSum(name) == sum
		})
		b.found.Elsewhere = slices.Sorted(maps.Keys(seen))
		return err
	case h.Name == headerName:
		return b.header(h)
	}
	digest := sha256.New()
	body := io.TeeReader(b.tar, digest)
	m := Entry{Name: h.Name, Blob: blobSum(h.Name), Size: h.Size, Modified: h.ModTime}
	if strings.HasPrefix(h.Name, blobFolder) && m.Blob == "" {
		return damagedError(fmt.Errorf("member %q is no document", h.Name))
	}
	if visit != nil {
		if err := visit(m, body); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return err
	}
	b.note(m, hex.EncodeToString(digest.Sum(nil)))
	return nil
}

// note remembers what a member was.
func (b *reader) note(m Entry, sum string) {
	b.sums[m.Name] = sum
	b.found.Bytes += m.Size
	if m.Blob == "" {
		b.found.Files++
		return
	}
	b.found.Blobs++
	b.found.Sums = append(b.found.Sums, m.Blob)
	if m.Blob != sum {
		b.found.Damaged = append(b.found.Damaged, m.Blob)
	}
}

// whole reads a member of the archive's own.
func (b *reader) whole(h *tar.Header, longest int64) ([]byte, error) {
	if h.Size > longest {
		return nil, damagedError(fmt.Errorf("member %s has %d bytes", h.Name, h.Size))
	}
	// It grows as it is read, whatever the header says.
	var body bytes.Buffer
	if _, err := io.Copy(&body, b.tar); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body.Bytes())
	b.sums[h.Name] = hex.EncodeToString(sum[:])
	return body.Bytes(), nil
}

func (b *reader) header(h *tar.Header) error {
	body, err := b.whole(h, maxHeader)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, &b.found.Header); err != nil {
		return damagedError(err)
	}
	switch got := b.found.Header; {
	case got.Format > Format:
		return fault.Newf(fault.Illegal, "this backup was made by a newer vecctl (%s, format %d; this one knows %d); use that version or a later one",
			got.Vecctl, got.Format, Format)
	case got.Format < 1:
		return damagedError(errors.New("the header names no format"))
	}
	return nil
}

// list reads lines of hash and name, one at a time, and ends at the first that take refuses.
func (b *reader) list(h *tar.Header, take func(sum, name string) bool) error {
	digest := sha256.New()
	lines := bufio.NewReaderSize(io.TeeReader(b.tar, digest), maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			b.sums[h.Name] = hex.EncodeToString(digest.Sum(nil))
			return nil
		case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
		sum, name, ok := parseLine(string(line))
		if !ok || !take(sum, name) {
			return damagedError(fmt.Errorf("%s has a line that is none", h.Name))
		}
	}
}

// compare holds what was read to what SHA256SUMS says.
func (b *reader) compare() error {
	delete(b.sums, sumsName)
	for name, sum := range b.sums {
		switch said, ok := b.listed[name]; {
		case !ok:
			return damagedError(fmt.Errorf("SHA256SUMS does not list %q", name))
		case said != sum:
			return fault.Newf(fault.Damaged, "the backup is damaged: %s is not what was written; use another one", name)
		}
	}
	if len(b.listed) != len(b.sums) {
		return damagedError(errors.New("SHA256SUMS lists files that are not there"))
	}
	return nil
}

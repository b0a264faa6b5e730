package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Writer makes a backup. It is for one goroutine.
type Writer struct {
	made       time.Time
	compressor *compressor
	ended      bool
	tar        *tar.Writer
	sums       bytes.Buffer
	found      Contents
	buffer     []byte
	readers    int // in which documents are read ahead
}

// NewWriter begins a backup that is written to w. Elsewhere are the documents that
// the backup of h.Since has.
func NewWriter(w io.Writer, h Header, elsewhere []string, of Throttle) (*Writer, error) {
	h.Format = Format
	text, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("beginning a backup: %w", err)
	}
	packed, err := newCompressor(w, of)
	if err != nil {
		return nil, err
	}
	b := &Writer{made: h.MadeAt, compressor: packed, tar: tar.NewWriter(packed), buffer: make([]byte, copySize), readers: min(of.processors(), maxReaders)}
	b.found = Contents{Header: h, Elsewhere: elsewhere}
	if err := b.writeHeader(append(text, '\n'), elsewhere); err != nil {
		b.Abort()
		return nil, err
	}
	return b, nil
}

// writeHeader adds the archive's own files that come first.
func (b *Writer) writeHeader(header []byte, elsewhere []string) error {
	if err := b.addOwn(headerName, header); err != nil || b.found.Header.Since == nil {
		return err
	}
	var list bytes.Buffer
	for _, sum := range elsewhere {
		list.WriteString(sumLine(sum, blobPath(sum)))
	}
	return b.addOwn(elsewhereName, list.Bytes())
}

const copySize = 256 << 10

// addOwn adds one of the archive's own files.
func (b *Writer) addOwn(name string, body []byte) error {
	_, err := b.addEntry(name, int64(len(body)), b.made, bytes.NewReader(body))
	return err
}

// File adds a file of the home. The body must give size bytes.
func (b *Writer) File(name string, size int64, modified time.Time, body io.Reader) error {
	if !isLocal(name) || blobSum(name) != "" {
		return fault.Newf(fault.Invalid, "%q cannot be in a backup; rename that file", name)
	}
	if _, err := b.addEntry(name, size, modified, body); err != nil {
		return err
	}
	b.found.Files++
	b.found.Bytes += size
	return nil
}

// Stream adds a file of the home that writes itself, size bytes long.
func (b *Writer) Stream(name string, size int64, modified time.Time, from io.WriterTo) error {
	if err := b.beginEntry(name, size, modified); err != nil {
		return err
	}
	digest := sha256.New()
	if n, err := from.WriteTo(io.MultiWriter(b.tar, digest)); err != nil || n != size {
		return errors.Join(err, fmt.Errorf("%s gave %d bytes of %d", name, n, size))
	}
	b.sums.WriteString(sumLine(hex.EncodeToString(digest.Sum(nil)), name))
	b.found.Files++
	b.found.Bytes += size
	return nil
}

// addEntry writes a member and notes its hash.
func (b *Writer) addEntry(name string, size int64, modified time.Time, body io.Reader) (sum string, err error) {
	if err := b.beginEntry(name, size, modified); err != nil {
		return "", err
	}
	digest := sha256.New()
	if err := b.copy(digest, size, body); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	sum = hex.EncodeToString(digest.Sum(nil))
	b.sums.WriteString(sumLine(sum, name))
	return sum, nil
}

func (b *Writer) beginEntry(name string, size int64, modified time.Time) error {
	err := b.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: modified.Truncate(time.Second),
	})
	if err != nil {
		return fmt.Errorf("adding %s to the backup: %w", name, err)
	}
	return nil
}

// copy writes exactly size bytes. A body that has fewer was changed meanwhile.
func (b *Writer) copy(digest hash.Hash, size int64, body io.Reader) error {
	n, err := io.CopyBuffer(io.MultiWriter(b.tar, digest), onlyReader{io.LimitReader(body, size)}, b.buffer)
	if err == nil && n < size {
		err = fault.New(fault.Conflict, "the file was cut while it was read; run the same command again")
	}
	return err
}

// onlyReader hides the shortcuts that would go around the buffer.
type onlyReader struct{ io.Reader }

// blob adds a document whose content and hash are known.
func (b *Writer) blob(name, sum string, body []byte, modified time.Time) error {
	if err := b.beginEntry(blobPath(name), int64(len(body)), modified); err != nil {
		return err
	}
	if _, err := b.tar.Write(body); err != nil {
		return fmt.Errorf("adding a document to the backup: %w", err)
	}
	b.sums.WriteString(sumLine(sum, blobPath(name)))
	b.count(name, sum, int64(len(body)))
	return nil
}

func (b *Writer) count(name, sum string, size int64) {
	b.found.Blobs++
	b.found.Bytes += size
	b.found.Sums = append(b.found.Sums, name)
	if name != sum {
		b.found.Damaged = append(b.found.Damaged, name)
	}
}

// Close writes the hashes and ends the backup; without it a reader finds the
// backup cut off.
func (b *Writer) Close() (Contents, error) {
	sums := slices.Clone(b.sums.Bytes())
	if err := errors.Join(b.addOwn(sumsName, sums), b.tar.Close()); err != nil {
		b.Abort()
		return b.found, err
	}
	b.ended = true
	return b.found, b.compressor.close()
}

// Abort lets go of what a backup that is not finished holds; after Close it does
// nothing.
func (b *Writer) Abort() {
	if !b.ended {
		b.ended = true
		b.compressor.abort()
	}
}

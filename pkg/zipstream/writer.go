// Package zipstream writes and reads ZIP archives from their beginning to their end, in
// memory that does not grow with the number of entries.
//
// The entries are not compressed, and each is preceded by its length and its CRC-32. So
// programs that read a ZIP as it arrives can do so, and what was received of an archive that
// broke off is usable up to the last whole entry. Archives of more than 65,535 entries or
// 4 GB are ZIP64.
package zipstream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Entry describes a file of an archive.
type Entry struct {
	Name     string
	Size     int64
	CRC32    uint32 // IEEE
	Modified time.Time
}

// The format (APPNOTE.TXT, section 4.3): signatures, and the lengths of what has a fixed one.
const (
	entrySignature     = 0x04034b50
	directorySignature = 0x02014b50
	end64Signature     = 0x06064b50
	locatorSignature   = 0x07064b50
	endSignature       = 0x06054b50

	entryHeaderSize     = 30
	directoryHeaderSize = 46
	end64Size           = 56
	locatorSize         = 20
	endSize             = 22

	versionPlain, versionZip64 = 20, 45
	madeOnUnix                 = 3 << 8
	nameIsUTF8                 = 1 << 11
	regularFile                = 0o100644 << 16

	zip64Extra     = 0x0001
	timeExtra      = 0x5455
	timeExtraSize  = 9
	zip64ExtraSize = 12
)

// Writer writes an archive.
type Writer struct {
	w         io.Writer
	offset    int64
	entries   uint64
	directory spool
	buffer    []byte
}

// NewWriter returns a writer. Close or Discard ends it.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w, buffer: make([]byte, 128<<10)} }

// Offset is how long the archive is so far.
func (z *Writer) Offset() int64 { return z.offset }

// Add writes an entry with the content of r, which must be as long as the entry says.
func (z *Writer) Add(e Entry, r io.Reader) error {
	at := z.offset
	if err := z.write(localHeader(e)); err != nil {
		return err
	}
	// The limit hides the reader's own ways of copying, which write more than is counted.
	n, err := io.CopyBuffer(onlyWriter{z.w}, io.LimitReader(r, e.Size), z.buffer)
	z.offset += n
	if err != nil {
		return err
	}
	if n != e.Size {
		return fmt.Errorf("the content of %s has %d bytes instead of %d: %w", e.Name, n, e.Size, io.ErrUnexpectedEOF)
	}
	return z.record(e, at)
}

// Resume notes an entry that the archive has already: one that a Writer wrote behind those
// noted before. Nothing is written.
func (z *Writer) Resume(e Entry) error {
	at := z.offset
	z.offset += int64(len(localHeader(e))) + e.Size
	return z.record(e, at)
}

// record notes an entry for the archive's directory.
func (z *Writer) record(e Entry, at int64) error {
	if e.Size >= math.MaxUint32 || len(e.Name) > math.MaxUint16 {
		return fmt.Errorf("the entry %.60s is too large for the archive", e.Name)
	}
	z.entries++
	_, err := z.directory.Write(directoryHeader(e, at))
	return err
}

// Close writes the archive's directory, without which it is not whole.
func (z *Writer) Close() error {
	begin := z.offset
	n, err := z.directory.copyTo(onlyWriter{z.w}, z.buffer)
	z.offset += n
	if err == nil {
		err = z.write(endRecords(z.entries, begin, z.offset-begin))
	}
	return errors.Join(err, z.directory.discard())
}

// Discard lets go of what the writer holds. It may be called after Close.
func (z *Writer) Discard() { _ = z.directory.discard() }

func (z *Writer) write(p []byte) error {
	n, err := z.w.Write(p)
	z.offset += int64(n)
	return err
}

// onlyWriter hides what else a writer can do.
type onlyWriter struct{ io.Writer }

// dosTime is a moment as ZIP has it: date and time with steps of two seconds, since 1980.
func dosTime(t time.Time) (date, clock uint16) {
	t = t.UTC()
	if t.Year() < 1980 || t.Year() > 2107 {
		return 1<<5 | 1, 0 // 1980-01-01
	}
	return uint16(t.Year()-1980)<<9 | uint16(t.Month())<<5 | uint16(t.Day()), uint16(t.Hour())<<11 | uint16(t.Minute())<<5 | uint16(t.Second()/2)
}

// common are the fields that both headers of an entry share.
func common(b []byte, e Entry, version uint16, extra int) []byte {
	date, clock := dosTime(e.Modified)
	b = binary.LittleEndian.AppendUint16(b, version)
	b = binary.LittleEndian.AppendUint16(b, nameIsUTF8)
	b = binary.LittleEndian.AppendUint16(b, 0) // not compressed
	b = binary.LittleEndian.AppendUint16(b, clock)
	b = binary.LittleEndian.AppendUint16(b, date)
	b = binary.LittleEndian.AppendUint32(b, e.CRC32)
	b = binary.LittleEndian.AppendUint32(b, uint32(e.Size))
	b = binary.LittleEndian.AppendUint32(b, uint32(e.Size))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(e.Name)))
	return binary.LittleEndian.AppendUint16(b, uint16(extra))
}

// modified is the extra field with the moment in seconds.
func modified(b []byte, e Entry) []byte {
	b = binary.LittleEndian.AppendUint16(b, timeExtra)
	b = binary.LittleEndian.AppendUint16(b, timeExtraSize-4)
	b = append(b, 1)
	return binary.LittleEndian.AppendUint32(b, uint32(e.Modified.Unix()))
}

func localHeader(e Entry) []byte {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, entryHeaderSize+len(e.Name)+timeExtraSize), entrySignature)
	b = common(b, e, versionPlain, timeExtraSize)
	return modified(append(b, e.Name...), e)
}

func directoryHeader(e Entry, at int64) []byte {
	version, extra, offset := uint16(versionPlain), timeExtraSize, uint32(math.MaxUint32)
	if at < math.MaxUint32 {
		offset = uint32(at)
	} else {
		version, extra = versionZip64, timeExtraSize+zip64ExtraSize
	}
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, directoryHeaderSize+len(e.Name)+extra), directorySignature)
	b = binary.LittleEndian.AppendUint16(b, madeOnUnix|version)
	b = common(b, e, version, extra)
	b = append(b, make([]byte, 6)...) // comment, disk, internal attributes
	b = binary.LittleEndian.AppendUint32(b, regularFile)
	b = binary.LittleEndian.AppendUint32(b, offset)
	b = modified(append(b, e.Name...), e)
	if version == versionZip64 {
		b = binary.LittleEndian.AppendUint16(b, zip64Extra)
		b = binary.LittleEndian.AppendUint16(b, zip64ExtraSize-4)
		b = binary.LittleEndian.AppendUint64(b, uint64(at))
	}
	return b
}

// endRecords end an archive whose directory begins at an offset and has a length.
func endRecords(entries uint64, begin, length int64) (b []byte) {
	if entries >= math.MaxUint16 || begin >= math.MaxUint32 || length >= math.MaxUint32 {
		b = binary.LittleEndian.AppendUint32(b, end64Signature)
		b = binary.LittleEndian.AppendUint64(b, end64Size-12)
		b = binary.LittleEndian.AppendUint16(b, madeOnUnix|versionZip64)
		b = binary.LittleEndian.AppendUint16(b, versionZip64)
		b = append(b, make([]byte, 8)...) // disks
		for _, n := range []uint64{entries, entries, uint64(length), uint64(begin)} {
			b = binary.LittleEndian.AppendUint64(b, n)
		}
		b = binary.LittleEndian.AppendUint32(b, locatorSignature)
		b = binary.LittleEndian.AppendUint32(b, 0)
		b = binary.LittleEndian.AppendUint64(b, uint64(begin+length))
		b = binary.LittleEndian.AppendUint32(b, 1)
	}
	b = binary.LittleEndian.AppendUint32(b, endSignature)
	b = append(b, make([]byte, 4)...) // disks
	for range 2 {
		b = binary.LittleEndian.AppendUint16(b, uint16(min(entries, math.MaxUint16)))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(min(length, math.MaxUint32)))
	b = binary.LittleEndian.AppendUint32(b, uint32(min(begin, math.MaxUint32)))
	return append(b, 0, 0) // comment
}

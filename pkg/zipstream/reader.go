package zipstream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"
	"time"
)

// ErrFormat is the cause of the error of what is no archive of a Writer.
var ErrFormat = errors.New("this is not a ZIP archive whose entries are stored with their lengths")

// ErrChecksum is the cause of the error of an entry that is not what its checksum says.
var ErrChecksum = errors.New("an entry of the archive is damaged: its checksum is wrong")

// Reader reads an archive that a Writer writes. What breaks off is io.ErrUnexpectedEOF.
type Reader struct {
	r       *bufio.Reader
	entry   Entry
	left    int64 // of the entry
	sum     hash.Hash32
	offset  int64 // behind what was read
	whole   int64 // behind the last whole entry
	entries uint64
}

// NewReader returns a reader.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), sum: crc32.NewIEEE()}
}

// WholeSize is the length of the part of the archive that has whole entries.
func (z *Reader) WholeSize() int64 { return z.whole }

// Next goes to the next entry, over what is left of the one before. It returns io.EOF when
// the archive has ended, which it has not before its directory came whole.
func (z *Reader) Next() (Entry, error) {
	if _, err := io.Copy(io.Discard, z); err != nil {
		return Entry{}, err
	}
	z.whole = z.offset
	signature, err := z.signature()
	switch {
	case err != nil:
		return Entry{}, err
	case signature == entrySignature:
		return z.header()
	case signature == directorySignature, signature == endSignature:
		return Entry{}, z.end(signature)
	}
	return Entry{}, ErrFormat
}

// Read reads the content of the entry.
func (z *Reader) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n, err := z.r.Read(p[:min(int64(len(p)), z.left)])
	z.left, z.offset = z.left-int64(n), z.offset+int64(n)
	z.sum.Write(p[:n])
	switch {
	case z.left == 0 && z.sum.Sum32() != z.entry.CRC32:
		return n, fmt.Errorf("%s: %w", z.entry.Name, ErrChecksum)
	case z.left == 0:
		return n, nil
	}
	return n, unlessBroken(err)
}

// unlessBroken makes an end within the archive an error.
func unlessBroken(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (z *Reader) full(n int) ([]byte, error) {
	b := make([]byte, n)
	read, err := io.ReadFull(z.r, b)
	z.offset += int64(read)
	return b, unlessBroken(err)
}

func (z *Reader) signature() (uint32, error) {
	b, err := z.full(4)
	return binary.LittleEndian.Uint32(b), err
}

// header reads what precedes an entry.
func (z *Reader) header() (e Entry, err error) {
	b, err := z.full(entryHeaderSize - 4)
	if err != nil {
		return e, err
	}
	number := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	const flags, method, crc, packed, size, name, extra = 2, 4, 10, 14, 18, 22, 24
	e.CRC32, e.Size = binary.LittleEndian.Uint32(b[crc:]), int64(binary.LittleEndian.Uint32(b[size:]))
	const behind = 1 << 3 // lengths and checksum follow the content
	if number(method) != 0 || number(flags)&behind != 0 || int64(binary.LittleEndian.Uint32(b[packed:])) != e.Size || e.Size == math.MaxUint32 {
		return e, ErrFormat
	}
	rest, err := z.full(number(name) + number(extra))
	if err != nil {
		return e, err
	}
	e.Name, e.Modified = string(rest[:number(name)]), modifiedAt(rest[number(name):])
	z.entry, z.left = e, e.Size
	z.sum.Reset()
	z.entries++
	return e, nil
}

// modifiedAt finds the moment in the extra fields; the zero time where there is none.
func modifiedAt(extra []byte) time.Time {
	for len(extra) >= 4 {
		kind, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; size > len(extra) {
			break
		}
		if kind == timeExtra && size >= timeExtraSize-4 && extra[0]&1 != 0 {
			return time.Unix(int64(binary.LittleEndian.Uint32(extra[1:])), 0).UTC()
		}
		extra = extra[size:]
	}
	return time.Time{}
}

// end reads the archive's directory and what follows it, and returns io.EOF where they are
// whole and have as many entries as were read.
func (z *Reader) end(signature uint32) (err error) {
	listed := uint64(0)
	for ; signature == directorySignature; listed++ {
		b, err := z.full(directoryHeaderSize - 4)
		if err != nil {
			return err
		}
		const name, extra, comment = 24, 26, 28
		rest := 0
		for _, at := range []int{name, extra, comment} {
			rest += int(binary.LittleEndian.Uint16(b[at:]))
		}
		if _, err := z.full(rest); err != nil {
			return err
		}
		if signature, err = z.signature(); err != nil {
			return err
		}
	}
	if signature == end64Signature {
		if _, err := z.full(end64Size + locatorSize - 4); err != nil {
			return err
		}
		if signature, err = z.signature(); err != nil {
			return err
		}
	}
	if signature != endSignature || listed != z.entries {
		return ErrFormat
	}
	if _, err := z.full(endSize - 4); err != nil {
		return err
	}
	return io.EOF
}

package image

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"io"
)

// checkPixels inflates a PNG's pixels, without keeping them, to find out
// whether they are as many as the image says: they are embedded as they stand.
func (d *Dimensions) checkPixels(r io.ReaderAt, size int64) error {
	in := bufio.NewReader(io.NewSectionReader(r, 0, size))
	if _, err := in.Discard(8); err != nil {
		return errPNG
	}
	z, err := zlib.NewReader(&pixels{in: in})
	if err != nil {
		return errPNG
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, d.rawSize+1))
	if n < d.rawSize {
		return d.missingDataError()
	}
	if err != nil || n > d.rawSize {
		return errPNG
	}
	return nil
}

// pixels reads what the IDAT chunks of a PNG hold. Their order and sums were
// checked before.
type pixels struct {
	in   *bufio.Reader
	left int
}

func (p *pixels) Read(b []byte) (int, error) {
	for p.left == 0 {
		if err := p.next(); err != nil {
			return 0, err
		}
	}
	n, err := p.in.Read(b[:min(len(b), p.left)])
	if p.left -= n; p.left == 0 && err == nil {
		_, err = p.in.Discard(4) // the sum
	}
	return n, err
}

// next goes to the data of the next chunk with pixels.
func (p *pixels) next() error {
	for {
		var head [8]byte
		if _, err := io.ReadFull(p.in, head[:]); err != nil {
			return err
		}
		n := int(binary.BigEndian.Uint32(head[:]))
		switch string(head[4:]) {
		case "IDAT":
			if p.left = n; n > 0 {
				return nil
			}
		case "IEND":
			return io.EOF
		}
		if _, err := p.in.Discard(n + 4); err != nil {
			return io.ErrUnexpectedEOF
		}
	}
}

// Package image makes one-page PDFs of JPEG and PNG images.
package image

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/jpeg"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

const (
	maxPixels     = 40_000_000
	maxSide       = 65535
	minPageMM     = 30.0
	maxPageMM     = 1189.0 // the long side of A0
	defaultSideMM = 297.0  // the long side of an image that does not say its size: A4
)

// Dimensions are what an image says of itself before its pixels are read.
type Dimensions struct {
	PNG               bool
	Width, Height     int // of the pixels as stored
	Orientation       int // EXIF's, 1 to 8
	WidthMM, HeightMM float64
	DPI               float64 // 0: it does not say
	decode            bool    // its pixels must be decoded and written anew
	rawSize           int64   // bytes of a PNG's pixels, not interlaced
	dataSize          int64   // bytes of its compressed pixels
}

// swapsSides reports whether the orientation swaps width and height.
func (d Dimensions) swapsSides() bool { return d.Orientation >= 5 }

// Measure reads an image's dimensions and walks over its parts, without
// decoding pixels. It refuses what is too large, cut off or damaged.
func Measure(r io.ReaderAt, size int64) (Dimensions, error) {
	d := Dimensions{Orientation: 1}
	in := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 4096)
	magic, err := in.Peek(8)
	if err != nil {
		return d, reject.New(reject.DamagedImage, "The image ends before it begins")
	}
	if d.PNG = magic[0] == 0x89; d.PNG {
		err = d.measurePNG(in)
	} else {
		err = d.measureJPEG(r, size)
	}
	if err != nil {
		return d, err
	}
	d.setPaperSize()
	return d, nil
}

func (d *Dimensions) setSize(width, height int) error {
	d.Width, d.Height = width, height
	switch {
	case width <= 0 || height <= 0:
		return reject.New(reject.DamagedImage, "The image has no width or no height")
	case width*height <= maxPixels && max(width, height) > maxSide:
		return reject.Newf(reject.ImageTooLarge, "The image has %d x %d pixels, and no side may have more than %d", width, height, maxSide)
	case width*height > maxPixels || width > maxSide || height > maxSide:
		return reject.Newf(reject.ImageTooLarge, "The image has %d x %d pixels, which is more than 40 megapixels", width, height)
	}
	return nil
}

// setPaperSize finds the size on paper: the image's own where it is one that a
// document can have, else that of a sheet of A4.
func (d *Dimensions) setPaperSize() {
	w, h := float64(d.Width), float64(d.Height)
	if d.swapsSides() {
		w, h = h, w
	}
	if d.DPI > 0 {
		d.WidthMM, d.HeightMM = w/d.DPI*25.4, h/d.DPI*25.4
		if long := max(d.WidthMM, d.HeightMM); long >= minPageMM && long <= maxPageMM {
			return
		}
	}
	k := defaultSideMM / max(w, h)
	d.WidthMM, d.HeightMM = w*k, h*k
}

var errPNG = reject.New(reject.DamagedImage, "The PNG image is damaged or cut off")

// measurePNG walks over the chunks and checks their sums.
func (d *Dimensions) measurePNG(in *bufio.Reader) error {
	if _, err := in.Discard(8); err != nil {
		return errPNG
	}
	for first := true; ; first = false {
		var head [8]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return errPNG
		}
		n, kind := int64(binary.BigEndian.Uint32(head[:4])), string(head[4:])
		if first != (kind == "IHDR") || n > 1<<31-1 {
			return errPNG
		}
		sum := crc32.NewIEEE()
		sum.Write(head[4:])
		var body bytes.Buffer
		var to io.Writer = sum
		if n <= 64 {
			to = io.MultiWriter(sum, &body)
		}
		if _, err := io.CopyN(to, in, n); err != nil {
			return errPNG
		}
		var want [4]byte
		if _, err := io.ReadFull(in, want[:]); err != nil || binary.BigEndian.Uint32(want[:]) != sum.Sum32() {
			return errPNG
		}
		switch kind {
		case "IHDR":
			if err := d.readIHDR(body.Bytes()); err != nil {
				return err
			}
		case "pHYs":
			d.readPHYS(body.Bytes())
		case "tRNS":
			d.decode = true // fpdf knows one transparent colour only
		case "IDAT":
			d.dataSize += n
		case "IEND":
			if d.dataSize*maxDeflate < d.rawSize {
				return d.missingDataError()
			}
			return nil
		}
		if n == 0 {
			d.decode = true // fpdf stops at an empty chunk
		}
	}
}

// maxDeflate is how many times its size deflated data can grow.
const maxDeflate = 1032

func (d *Dimensions) missingDataError() error {
	return reject.Newf(reject.DamagedImage, "The image says that it has %d x %d pixels and holds data for fewer", d.Width, d.Height)
}

func (d *Dimensions) readIHDR(b []byte) error {
	if len(b) != 13 {
		return errPNG
	}
	w, h := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	depth, color, interlace := b[8], b[9], b[12]
	d.decode = interlace != 0 || depth == 16
	if color > 6 || depth > 16 || w > 1<<31-1 || h > 1<<31-1 {
		return errPNG
	}
	if err := d.setSize(int(w), int(h)); err != nil {
		return err
	}
	samples := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
	d.rawSize = int64(h) * (1 + (int64(w)*samples*int64(depth)+7)/8)
	return nil
}

func (d *Dimensions) readPHYS(b []byte) {
	if len(b) == 9 && b[8] == 1 { // pixels per metre
		x, y := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		if x == y {
			d.DPI = float64(x) * 0.0254
		}
	}
}

var errJPEG = reject.New(reject.DamagedImage, "The JPEG image is damaged or cut off")

func (d *Dimensions) measureJPEG(r io.ReaderAt, size int64) error {
	if err := d.readSegments(io.NewSectionReader(r, 0, size)); err != nil {
		return err
	}
	// What the decoder does not know, fpdf does not take either.
	config, err := jpeg.DecodeConfig(bufio.NewReader(io.NewSectionReader(r, 0, size)))
	if err != nil || config.Width != d.Width || config.Height != d.Height {
		return reject.New(reject.DamagedImage, "The JPEG image is damaged or of a kind that viewers do not show")
	}
	tail := make([]byte, min(size, 64<<10))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return fmt.Errorf("read the image's end: %w", err)
	}
	if !bytes.Contains(tail, []byte{0xFF, 0xD9}) {
		return errJPEG
	}
	// Of a block of 8 x 8 pixels, at least one bit is stored.
	if int64(d.Width)*int64(d.Height)/64 > size*8 {
		return d.missingDataError()
	}
	return nil
}

// readSegments walks over the markers up to the first scan.
func (d *Dimensions) readSegments(in io.ReadSeeker) error {
	if _, err := in.Seek(2, io.SeekStart); err != nil {
		return errJPEG
	}
	framed := false
	for range 4096 {
		var b [4]byte
		if _, err := io.ReadFull(in, b[:]); err != nil || b[0] != 0xFF {
			return errJPEG
		}
		if b[1] == 0xFF { // a fill byte
			if _, err := in.Seek(-3, io.SeekCurrent); err != nil {
				return errJPEG
			}
			continue
		}
		n := int64(binary.BigEndian.Uint16(b[2:])) - 2
		if n < 0 {
			return errJPEG
		}
		next, err := in.Seek(0, io.SeekCurrent)
		if err != nil {
			return errJPEG
		}
		marker := b[1]
		frame := marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC
		if frame || marker == 0xE0 || marker == 0xE1 {
			body := make([]byte, n)
			if _, err := io.ReadFull(in, body); err != nil {
				return errJPEG
			}
			if err := d.readSegment(marker, body, frame); err != nil {
				return err
			}
			framed = framed || frame
		}
		if marker == 0xDA {
			if !framed {
				return errJPEG
			}
			return nil
		}
		if _, err := in.Seek(next+n, io.SeekStart); err != nil {
			return errJPEG
		}
	}
	return errJPEG
}

func (d *Dimensions) readSegment(marker byte, b []byte, frame bool) error {
	switch {
	case frame:
		if len(b) < 6 {
			return errJPEG
		}
		return d.setSize(int(binary.BigEndian.Uint16(b[3:])), int(binary.BigEndian.Uint16(b[1:])))
	case marker == 0xE0 && len(b) >= 12 && string(b[:5]) == "JFIF\x00":
		if x := float64(binary.BigEndian.Uint16(b[8:])); d.DPI == 0 {
			switch b[7] {
			case 1:
				d.DPI = x
			case 2:
				d.DPI = x * 2.54
			}
		}
	case marker == 0xE1 && len(b) > 14 && string(b[:6]) == "Exif\x00\x00":
		d.readEXIF(b[6:])
	}
	return nil
}

// Package raster makes one-page PDFs of JPEG and PNG images.
package raster

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/jpeg"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/refusal"
)

const (
	maxPixels = 40_000_000
	maxSide   = 65535
	minPageMM = 30.0
	maxPageMM = 1189.0 // the long side of A0
	plainMM   = 297.0  // the long side of an image that does not say its size: A4
)

// Dimensions are what an image says of itself before its pixels are read.
type Dimensions struct {
	PNG               bool
	Width, Height     int // of the pixels as stored
	Orientation       int // EXIF's, 1 to 8
	WidthMM, HeightMM float64
	DPI               float64 // 0: it does not say
	decode            bool    // its pixels must be decoded and written anew
}

// turned tells whether the orientation swaps width and height.
func (d Dimensions) turned() bool { return d.Orientation >= 5 }

// Measure reads an image's dimensions and walks over its parts, without
// decoding pixels. It refuses what is too large, cut off or damaged.
func Measure(r io.ReaderAt, size int64) (Dimensions, error) {
	d := Dimensions{Orientation: 1}
	in := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 4096)
	magic, err := in.Peek(8)
	if err != nil {
		return d, refusal.New(refusal.DamagedImage, "The image ends before it begins")
	}
	if d.PNG = magic[0] == 0x89; d.PNG {
		err = d.measurePNG(in)
	} else {
		err = d.measureJPEG(r, size)
	}
	if err != nil {
		return d, err
	}
	d.scale()
	return d, nil
}

func (d *Dimensions) bound(width, height int) error {
	d.Width, d.Height = width, height
	switch {
	case width <= 0 || height <= 0:
		return refusal.New(refusal.DamagedImage, "The image has no width or no height")
	case width*height > maxPixels || width > maxSide || height > maxSide:
		return refusal.Newf(refusal.ImageTooLarge, "The image has %d x %d pixels, which is more than 40 megapixels", width, height)
	}
	return nil
}

// scale finds the size on paper: the image's own where it is one that a
// document can have, else that of a sheet of A4.
func (d *Dimensions) scale() {
	w, h := float64(d.Width), float64(d.Height)
	if d.turned() {
		w, h = h, w
	}
	if d.DPI > 0 {
		d.WidthMM, d.HeightMM = w/d.DPI*25.4, h/d.DPI*25.4
		if long := max(d.WidthMM, d.HeightMM); long >= minPageMM && long <= maxPageMM {
			return
		}
	}
	k := plainMM / max(w, h)
	d.WidthMM, d.HeightMM = w*k, h*k
}

var damagedPNG = refusal.New(refusal.DamagedImage, "The PNG image is damaged or cut off")

// measurePNG walks over the chunks and checks their sums.
func (d *Dimensions) measurePNG(in *bufio.Reader) error {
	if _, err := in.Discard(8); err != nil {
		return damagedPNG
	}
	data := false
	for first := true; ; first = false {
		var head [8]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return damagedPNG
		}
		n, kind := int64(binary.BigEndian.Uint32(head[:4])), string(head[4:])
		if first != (kind == "IHDR") || n > 1<<31-1 {
			return damagedPNG
		}
		sum := crc32.NewIEEE()
		sum.Write(head[4:])
		var body bytes.Buffer
		var to io.Writer = sum
		if n <= 64 {
			to = io.MultiWriter(sum, &body)
		}
		if _, err := io.CopyN(to, in, n); err != nil {
			return damagedPNG
		}
		var want [4]byte
		if _, err := io.ReadFull(in, want[:]); err != nil || binary.BigEndian.Uint32(want[:]) != sum.Sum32() {
			return damagedPNG
		}
		switch kind {
		case "IHDR":
			if err := d.header(body.Bytes()); err != nil {
				return err
			}
		case "pHYs":
			d.density(body.Bytes())
		case "tRNS":
			d.decode = true // fpdf knows one transparent colour only
		case "IDAT":
			data = true
		case "IEND":
			if !data {
				return damagedPNG
			}
			return nil
		}
		if n == 0 {
			d.decode = true // fpdf stops at an empty chunk
		}
	}
}

func (d *Dimensions) header(b []byte) error {
	if len(b) != 13 {
		return damagedPNG
	}
	w, h := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	depth, color, interlace := b[8], b[9], b[12]
	d.decode = interlace != 0 || depth == 16
	if color > 6 || depth > 16 || w > 1<<31-1 || h > 1<<31-1 {
		return damagedPNG
	}
	return d.bound(int(w), int(h))
}

func (d *Dimensions) density(b []byte) {
	if len(b) == 9 && b[8] == 1 { // pixels per metre
		x, y := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		if x == y {
			d.DPI = float64(x) * 0.0254
		}
	}
}

var damagedJPEG = refusal.New(refusal.DamagedImage, "The JPEG image is damaged or cut off")

func (d *Dimensions) measureJPEG(r io.ReaderAt, size int64) error {
	if err := d.segments(io.NewSectionReader(r, 0, size)); err != nil {
		return err
	}
	// What the decoder does not know, fpdf does not take either.
	config, err := jpeg.DecodeConfig(bufio.NewReader(io.NewSectionReader(r, 0, size)))
	if err != nil || config.Width != d.Width || config.Height != d.Height {
		return refusal.New(refusal.DamagedImage, "The JPEG image is damaged or of a kind that viewers do not show")
	}
	tail := make([]byte, min(size, 64<<10))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return fmt.Errorf("read the image's end: %w", err)
	}
	if !bytes.Contains(tail, []byte{0xFF, 0xD9}) {
		return damagedJPEG
	}
	return nil
}

// segments walks over the markers up to the first scan.
func (d *Dimensions) segments(in io.ReadSeeker) error {
	if _, err := in.Seek(2, io.SeekStart); err != nil {
		return damagedJPEG
	}
	framed := false
	for range 4096 {
		var b [4]byte
		if _, err := io.ReadFull(in, b[:]); err != nil || b[0] != 0xFF {
			return damagedJPEG
		}
		if b[1] == 0xFF { // a fill byte
			if _, err := in.Seek(-3, io.SeekCurrent); err != nil {
				return damagedJPEG
			}
			continue
		}
		n := int64(binary.BigEndian.Uint16(b[2:])) - 2
		if n < 0 {
			return damagedJPEG
		}
		next, err := in.Seek(0, io.SeekCurrent)
		if err != nil {
			return damagedJPEG
		}
		marker := b[1]
		frame := marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC
		if frame || marker == 0xE0 || marker == 0xE1 {
			body := make([]byte, n)
			if _, err := io.ReadFull(in, body); err != nil {
				return damagedJPEG
			}
			if err := d.segment(marker, body, frame); err != nil {
				return err
			}
			framed = framed || frame
		}
		if marker == 0xDA {
			if !framed {
				return damagedJPEG
			}
			return nil
		}
		if _, err := in.Seek(next+n, io.SeekStart); err != nil {
			return damagedJPEG
		}
	}
	return damagedJPEG
}

func (d *Dimensions) segment(marker byte, b []byte, frame bool) error {
	switch {
	case frame:
		if len(b) < 6 {
			return damagedJPEG
		}
		return d.bound(int(binary.BigEndian.Uint16(b[3:])), int(binary.BigEndian.Uint16(b[1:])))
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
		d.exif(b[6:])
	}
	return nil
}

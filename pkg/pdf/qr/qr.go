// Package qr makes QR codes (ISO/IEC 18004) and reads module matrices back.
//
// Two libraries encode behind the one type Code. Encoder serves the stamping
// of documents, where thousands a second are made; EncodeForDisplay serves codes that
// people look at on screens and label sheets.
package qr

import (
	"bytes"
	"fmt"
	"image/png"
	"sync"

	"github.com/skip2/go-qrcode"
	"rsc.io/qr/coding"
)

// QuietZone is the white border that a reader needs, in modules.
const QuietZone = 4

// Code is a square of modules, without its quiet zone.
type Code struct {
	Size int
	dark []bool
}

// NewCode makes a white code of size modules a side.
func NewCode(size int) *Code { return &Code{size, make([]bool, size*size)} }

// Dark tells the colour of the module in column x and row y, from the top left.
// Outside of the code all is white.
func (c *Code) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.Size && y < c.Size && c.dark[y*c.Size+x]
}

// SetDark makes a module dark.
func (c *Code) SetDark(x, y int) {
	if x >= 0 && y >= 0 && x < c.Size && y < c.Size {
		c.dark[y*c.Size+x] = true
	}
}

// Encoder makes codes with error correction level M. It keeps the layout of
// each version, and is safe for concurrent use.
type Encoder struct {
	mu    sync.Mutex
	plans [coding.MaxVersion + 1]*coding.Plan
}

// Encode makes the smallest code that holds text.
func (e *Encoder) Encode(text string) (*Code, error) {
	enc := chooseEncoding(text)
	version := versionOf(enc)
	plan, err := e.plan(version)
	if err != nil {
		return nil, fmt.Errorf("a QR code of %d characters: %w", len(text), err)
	}
	made, err := plan.Encode(enc)
	if err != nil {
		return nil, fmt.Errorf("a QR code of %d characters: %w", len(text), err)
	}
	c := NewCode(made.Size)
	for y := range made.Size {
		for x := range made.Size {
			c.dark[y*c.Size+x] = made.Black(x, y)
		}
	}
	return c, nil
}

// Blank is a white code as large as that of text.
func Blank(text string) (*Code, error) {
	version := versionOf(chooseEncoding(text))
	if version > coding.MaxVersion {
		return nil, fmt.Errorf("a QR code of %d characters: more than a code holds", len(text))
	}
	return NewCode(17 + 4*int(version)), nil
}

// versionOf is the smallest version that holds what is encoded; one beyond the last
// where none does.
func versionOf(enc coding.Encoding) coding.Version {
	version := coding.Version(coding.MinVersion)
	for ; version <= coding.MaxVersion; version++ {
		if enc.Bits(version) <= version.DataBytes(coding.M)*8 {
			break
		}
	}
	return version
}

func chooseEncoding(text string) coding.Encoding {
	switch {
	case coding.Num(text).Check() == nil:
		return coding.Num(text)
	case coding.Alpha(text).Check() == nil:
		return coding.Alpha(text)
	}
	return coding.String(text)
}

func (e *Encoder) plan(v coding.Version) (*coding.Plan, error) {
	if v > coding.MaxVersion {
		return nil, fmt.Errorf("more than a code holds")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.plans[v] == nil {
		p, err := coding.NewPlan(v, coding.M, 0)
		if err != nil {
			return nil, err
		}
		e.plans[v] = p
	}
	return e.plans[v], nil
}

// EncodeForDisplay makes the code of text that people look at: PNG gives it as an
// image, the Code can be printed on a terminal.
func EncodeForDisplay(text string) (*Code, error) {
	q, err := newDisplayCode(text)
	if err != nil {
		return nil, err
	}
	q.DisableBorder = true
	rows := q.Bitmap()
	c := NewCode(len(rows))
	for y, row := range rows {
		copy(c.dark[y*c.Size:(y+1)*c.Size], row)
	}
	return c, nil
}

// PNG makes a PNG of size pixels a side with its quiet zone.
func PNG(text string, size int) ([]byte, error) {
	q, err := newDisplayCode(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, q.Image(size)); err != nil {
		return nil, fmt.Errorf("a QR code as PNG: %w", err)
	}
	return out.Bytes(), nil
}

func newDisplayCode(text string) (*qrcode.QRCode, error) {
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("a QR code of %d characters: %w", len(text), err)
	}
	return q, nil
}

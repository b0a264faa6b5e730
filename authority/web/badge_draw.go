package web

import (
	"image/color"
	"strings"

	"github.com/vecctl/vecctl/authority"
)

// shape is an outline that is filled with a colour.
type shape struct {
	outline outline
	fill    color.NRGBA
}

// drawing is a badge as outlines.
type drawing struct {
	size   BadgeSize
	shapes []shape
}

// background is the colour of a badge's ground. White on it has a contrast of at least
// 4.5 (WCAG 2.2, 1.4.3); which step it is, the words and the marks say too.
func background(b authority.Badge) color.NRGBA {
	switch b {
	case authority.Base:
		return color.NRGBA{0x4b, 0x55, 0x63, 0xff}
	case authority.Reference:
		return color.NRGBA{0x1d, 0x4e, 0xd8, 0xff}
	case authority.Governed:
		return color.NRGBA{0x0f, 0x66, 0x5f, 0xff}
	case authority.Financial:
		return color.NRGBA{0x6d, 0x28, 0xd9, 0xff}
	case authority.Currency:
	}
	return color.NRGBA{0x92, 0x40, 0x0e, 0xff}
}

func white(alpha uint8) color.NRGBA { return color.NRGBA{0xff, 0xff, 0xff, alpha} }

// layout lays a badge out: the ground, a panel with five marks of which as many are
// full as the step's rank, and the words. There is room for the maker's name in
// the larger sizes only.
func layout(b authority.Badge, s BadgeSize) (*drawing, error) {
	w, h := float32(s.Width), float32(s.Height)
	d := &drawing{size: s}
	ground := background(b)
	d.fill(rounded(0, 0, w, h, h/8), ground)
	panel := h * 0.62
	if s == BadgeSizes()[0] {
		panel = h * 0.75
	}
	d.fill(rounded(0, 0, panel, h, h/8), color.NRGBA{ground.R / 2, ground.G / 2, ground.B / 2, 0xff})
	d.rankBars(b.Rank(), panel, h)
	text, err := newTextOutliner()
	if err != nil {
		return nil, err
	}
	left, room := panel+h*0.15, w-panel-h*0.3
	if s == BadgeSizes()[0] {
		short, _, _ := strings.Cut(b.Name(), " ")
		words, err := text.line(short, left, h*0.68, h*0.5, room)
		d.fill(words, white(0xff))
		return d, err
	}
	maker, err := text.line("VendWeave", left, h*0.38, h*0.24, room)
	if err != nil {
		return nil, err
	}
	name, err := text.line(b.Name(), left, h*0.76, h*0.32, room)
	d.fill(maker, white(0xff))
	d.fill(name, white(0xff))
	return d, err
}

func (d *drawing) fill(o outline, c color.NRGBA) { d.shapes = append(d.shapes, shape{o, c}) }

// rankBars stacks five bars, the lowest rank of them full.
func (d *drawing) rankBars(rank int, panel, h float32) {
	const steps = 5
	pitch := h * 0.8 / steps
	for i := range steps {
		y := h*0.9 - float32(i+1)*pitch
		width := panel * (0.4 + 0.08*float32(i))
		alpha := uint8(0x40)
		if i < rank {
			alpha = 0xff
		}
		d.fill(rounded((panel-width)/2, y+pitch*0.2, width, pitch*0.6, pitch*0.15), white(alpha))
	}
}

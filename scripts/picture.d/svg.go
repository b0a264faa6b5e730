package main

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"

	"github.com/rivo/uniseg"
)

// A cell of the terminal, and the frame around all, in pixels.
const (
	cellWidth, cellHeight = 8.4, 18.0
	frame                 = 14.0
	baseline              = 13.5
	paper, text           = "#0d1117", "#e6edf3"
)

var rendition = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// run is a piece of a line in one ink.
type run struct {
	column, width int
	text          string
	ink           ink
}

// runs takes a line apart; the ink goes on from the line before.
func runs(line string, at ink) (all []run, after ink) {
	column := 0
	add := func(text string) {
		if text != "" {
			width := uniseg.StringWidth(text)
			all = append(all, run{column, width, text, at})
			column += width
		}
	}
	last := 0
	for _, m := range rendition.FindAllStringSubmatchIndex(line, -1) {
		add(line[last:m[0]])
		at, last = at.after(line[m[2]:m[3]]), m[1]
	}
	add(line[last:])
	return all, at
}

// draw makes the picture of a captured screen.
func draw(captured string) []byte {
	var body bytes.Buffer
	var at ink
	columns, lines := 0, 0
	for line := range strings.SplitSeq(captured, "\n") {
		var all []run
		all, at = runs(line, at)
		for _, r := range all {
			r.draw(&body, lines)
			columns = max(columns, r.column+r.width)
		}
		lines++
	}
	width, height := 2*frame+float64(columns)*cellWidth, 2*frame+float64(lines)*cellHeight
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.1f %.1f" width="%.0f" height="%.0f" role="img" aria-label="The screen of vecctl">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", paper)
	fmt.Fprintf(&b, `<g font-family="'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="14" fill="%s" xml:space="preserve">`+"\n", text)
	b.Write(body.Bytes())
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

// draw writes a run: its ground, where it has one, and its text, held to its columns
// whatever font is there.
func (r run) draw(b *bytes.Buffer, line int) {
	fore, back := r.ink.fore, r.ink.back
	if r.ink.reverse {
		fore, back = cmp.Or(back, paper), cmp.Or(fore, text)
	}
	x, y := frame+float64(r.column)*cellWidth, frame+float64(line)*cellHeight
	width := float64(r.width) * cellWidth
	if back != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, width, cellHeight, back)
	}
	for _, piece := range pieces(r.text) {
		piece.column, piece.ink = piece.column+r.column, r.ink
		piece.write(b, y, fore)
	}
}

var gap = regexp.MustCompile(` {2,}`)

// pieces takes a text apart where there is room between its words: each column of a
// table stays in its place, and one that is written from right to left moves no other.
func pieces(s string) []run {
	var all []run
	column, last := 0, 0
	add := func(text string) {
		width := uniseg.StringWidth(text)
		if strings.TrimSpace(text) != "" {
			all = append(all, run{column: column, width: width, text: text})
		}
		column += width
	}
	for _, at := range gap.FindAllStringIndex(s, -1) {
		add(s[last:at[0]])
		add(s[at[0]:at[1]])
		last = at[1]
	}
	add(s[last:])
	return all
}

func (r run) write(b *bytes.Buffer, y float64, fore string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs"`,
		frame+float64(r.column)*cellWidth, y+baseline, float64(r.width)*cellWidth)
	for _, a := range []struct {
		is          bool
		name, value string
	}{
		{fore != "", "fill", fore}, {r.ink.bold, "font-weight", "bold"}, {r.ink.dim, "opacity", "0.6"},
		{r.ink.italic, "font-style", "italic"}, {r.ink.line, "text-decoration", "underline"},
	} {
		if a.is {
			fmt.Fprintf(b, ` %s="%s"`, a.name, a.value)
		}
	}
	b.WriteString(">")
	_ = xml.EscapeText(b, []byte(r.text)) // a buffer takes all
	b.WriteString("</text>\n")
}

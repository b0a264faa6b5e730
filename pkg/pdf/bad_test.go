package pdf

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// bomb is a stream that inflates to n times 1 MB.
func bomb(dict string, n int) string {
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, flate.BestCompression) // the level is valid
	z.Write(bytes.Repeat([]byte(" "), 1<<20))
	z.Flush() // what is written so far stands for itself, and can be repeated
	return stream(dict+"/Filter/FlateDecode", "\x78\x9C"+strings.Repeat(b.String(), n))
}

// nested is a value within n arrays.
func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// deepTree is a page tree of n levels above its page.
func deepTree(n int) objects {
	o := objects{1: "<</Type/Catalog/Pages 2 0 R>>"}
	for i := range n {
		o[2+i] = fmt.Sprintf("<</Type/Pages/Count 1/Kids[%d 0 R]>>", 3+i)
	}
	o[2+n] = "<</Type/Page/MediaBox[0 0 595 842]>>"
	return o
}

// TestBadInput refuses each with words of its own, in little time and memory.
func TestBadInput(t *testing.T) {
	plain := plainObjects()
	page := func(entries string) []byte { return plain.with(3, "<</Type/Page/Parent 2 0 R"+entries+">>").table("") }
	encrypt := "/Encrypt<</Filter/%s/V 1/R 2/P -1/O(" + strings.Repeat("o", 32) + ")/U(" + strings.Repeat("u", 32) + ")>>/ID[(a)(a)]"
	sound := plain.table("")
	for _, tt := range []struct {
		name   string
		file   []byte
		reason Reason
		says   string
	}{
		{"empty", nil, reject.Empty, "is empty"},
		{"text", []byte("Dear Sir or Madam,\n"), reject.NotPDF, "plain text"},
		{"an Office document", []byte("PK\x03\x04\x14\x00"), reject.NotPDF, "Office document"},
		{"noise", bytes.Repeat([]byte{0, 7, 255}, 99), reject.NotPDF, "neither a PDF nor"},
		{"HEIC", []byte("\x00\x00\x00\x18ftypheic\x00\x00"), reject.UnsupportedImage, "a HEIC image"},
		{"WebP", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), reject.UnsupportedImage, "a WebP image"},
		{"TIFF", []byte("II*\x00\x08\x00\x00\x00"), reject.UnsupportedImage, "a TIFF image"},
		{"GIF", []byte("GIF89a\x00\x00"), reject.UnsupportedImage, "a GIF image"},
		{"a header alone", []byte("%PDF-1.4\n"), reject.Truncated, "a header and nothing else"},
		{"cut off behind an object", cut(sound, "4 0 obj"), reject.Truncated, "is not there"},
		{"cut off before a font", cut(sound, "5 0 obj"), reject.Truncated, "a font or an image of page 1 is not there"},
		{"cut off in the middle", cut(sound, "/Contents"), reject.Truncated, "breaks off in the middle"},
		{"no pages", plain.with(2, "<</Type/Pages/Kids[]/Count 0>>").table(""), reject.NoPages, "has no pages"},
		{"no catalog", objects{2: plain[2], 3: plain[3]}.table(""), reject.Damaged, "no catalog"},
		{"a page tree that is a loop", plain.with(2, "<</Type/Pages/Kids[2 0 R]/Count 1>>").table(""), reject.NoPages, "runs in a loop"},
		{"a /Prev loop", prevLoop(), reject.Endless, "runs in a loop: one of its parts continues itself"},
		{"a catalog that is its own page", plain.with(1, "<</Pages 1 0 R/MediaBox[0 0 595 842]>>").table(""), reject.NoPages, "runs in a loop"},
		{"a page tree 2,000 levels deep", deepTree(2000).table(""), reject.TooComplex, "nests deeper than"},
		{"nesting 2,000 levels deep", page("/MediaBox[0 0 595 842]/X" + nested(2000)), reject.TooComplex, "nests objects deeper than"},
		{"content that inflates to 1 GB", plain.with(4, bomb("", 1024)).table(""), reject.TooComplex, "inflates to a size"},
		{"content that inflates to 40 MB", plain.with(4, bomb("", 40)).table(""), reject.TooComplex, "inflates to a size"},
		{"an object stream that inflates to 1 GB", plain.with(1, bomb("/Type/ObjStm/N 1/First 4", 1024)).streamed(2, 3), reject.TooComplex, "inflates beyond"},
		{"a dynamic XFA form", plain.with(1, "<</Type/Catalog/Pages 2 0 R/NeedsRendering true>>").table(""), reject.XFAOnly, "dynamic XFA"},
		{"an XFA form without fields", plain.with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</XFA 9 0 R/Fields[]>>>>").with(9, stream("", `<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template/></xdp:xdp>`)).table(""), reject.XFAOnly, "dynamic XFA"},
		{"an XFA form in parts", plain.with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</XFA[(preamble)9 0 R(template)10 0 R]>>>>").with(9, stream("", "<x>")).with(10, stream("", `<template xmlns="http://www.xfa.org/schema/xfa-template/2.8/"/>`)).table(""), reject.XFAOnly, "dynamic XFA"},
		{"a crop box beside the page", plain.with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/CropBox[5000 5000 5500 5500]/Contents 4 0 R>>").table(""), reject.Damaged, "its CropBox lies outside its MediaBox"},
		{"a password", plain.table(fmt.Sprintf(encrypt, "Standard")), reject.Encrypted, "opens with a password only"},
		{"an unknown handler", plain.table(fmt.Sprintf(encrypt, "Acme.Vault")), reject.UnknownHandler, "Acme.Vault"},
		{"a page 3 mm wide", page("/MediaBox[0 0 8.5 842]"), reject.PageTooSmall, "3 x 297 mm"},
		{"certified against changes", plain.with(1, "<</Type/Catalog/Pages 2 0 R/Perms<</DocMDP 6 0 R>>>>").
			with(6, "<</Type/Sig/Reference[<</TransformMethod/DocMDP/TransformParams<</P 1>>>>]>>").table(""), reject.ChangesForbidden, "certified"},
		{"locked by a signature", plain.with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>").
			with(6, "<</FT/Sig/V<</Type/Sig>>/Lock<</Action/All/P 1>>>>").table(""), reject.ChangesForbidden, "locks it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var err error
			took := spent(func() { _, err = Inspect(bytes.NewReader(tt.file), int64(len(tt.file))) })
			runtime.ReadMemStats(&after)
			r, ok := errors.AsType[*Rejection](err)
			if !ok || r.Reason != tt.reason || !strings.Contains(r.Message, tt.says) || !strings.HasSuffix(r.Message, tt.reason.Remedy()) {
				t.Fatalf("%v\nwant %s: %s", err, tt.reason, tt.says)
			}
			if message, _ := fault.Message(err); message != r.Message || !fault.Is(err, fault.Invalid) {
				t.Errorf("as a fault it says %q", message)
			}
			// On a busy machine one try says little; the best of a few says what it takes.
			limit := 100 * time.Millisecond * slowdown
			for range 5 {
				if took <= limit {
					break
				}
				took = min(took, spent(func() { _, _ = Inspect(bytes.NewReader(tt.file), int64(len(tt.file))) }))
			}
			if took > limit {
				t.Errorf("took %v", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > maxMemory {
				t.Errorf("took %d MB", used>>20)
			}
			if tt.reason == reject.UnsupportedImage || tt.reason == reject.NotPDF {
				return // Update is handed what Inspect let through
			}
			if _, err := NewStamper(testSigner()).Stamp(source(tt.file), testMark()); err == nil {
				t.Error("and it is stamped all the same")
			}
		})
	}
}

// TestTwoThings refuses a document of which one object would have to be written
// twice, as two different things.
func TestTwoThings(t *testing.T) {
	file := plainObjects().with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm 3 0 R>>").table("")
	_, err := NewStamper(testSigner()).Stamp(source(file), testMark())
	if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != reject.Damaged || !strings.Contains(r.Message, "as two different things") {
		t.Errorf("%v", err)
	}
}

func TestBadMarks(t *testing.T) {
	original := source(plainObjects().table(""))
	for name, test := range map[string]struct {
		change func(*Stamp)
		want   reject.Reason
	}{
		"no link":                  {func(m *Stamp) { m.URL = "" }, reject.BadMark},
		"a link too long":          {func(m *Stamp) { m.URL = strings.Repeat("x", 4000) }, reject.BadMark},
		"a caption beyond it":      {func(m *Stamp) { m.Caption = "Zeugnis für Zoë" }, reject.BadMark},
		"a caption too long":       {func(m *Stamp) { m.Caption = strings.Repeat("W", 200) }, reject.BadMark},
		"a code of 3 mm":           {func(m *Stamp) { m.SizeMM = 3 }, reject.BadPlace},
		"a code of a metre":        {func(m *Stamp) { m.SizeMM = 1000 }, reject.BadPlace},
		"a margin of a metre":      {func(m *Stamp) { m.MarginMM = 1000 }, reject.BadPlace},
		"a margin below zero":      {func(m *Stamp) { m.MarginMM = -1 }, reject.BadPlace},
		"a page that is not there": {func(m *Stamp) { m.Page = 2 }, reject.NoSuchPage},
	} {
		t.Run(name, func(t *testing.T) {
			m := testMark()
			test.change(&m)
			_, err := NewStamper(testSigner()).Stamp(original, m)
			if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != test.want {
				t.Errorf("%v, want the reason %s", err, test.want)
			}
		})
	}
}

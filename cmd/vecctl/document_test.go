package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
)

// smallPDF is a one-page PDF that says a text; padded, where size is more than
// it needs, to exactly size bytes.
func smallPDF(text string, size int) []byte {
	b := pdfWith(text, 0)
	// The cross-reference offset's digits grow with the padding.
	for pad := 0; size > 0 && len(b) != size; {
		pad += size - len(b)
		b = pdfWith(text, pad)
	}
	return b
}

func pdfWith(text string, pad int) []byte {
	content := fmt.Sprintf("BT /F1 24 Tf 72 720 Td (%s) Tj ET", text)
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	if pad > 0 {
		objects = append(objects, fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", pad, strings.Repeat("%", pad)))
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

// picture is a grey image with a darker stripe.
func picture() image.Image {
	img := image.NewGray(image.Rect(0, 0, 300, 400))
	for i := range img.Pix {
		img.Pix[i] = 0xe0
	}
	for x := range 300 {
		img.SetGray(x, 40, color.Gray{Y: 0x40})
	}
	return img
}

func smallPNG() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, picture()) // into memory, of a sound image: cannot fail
	return b.Bytes()
}

func smallJPEG() []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, picture(), nil) // likewise
	return b.Bytes()
}

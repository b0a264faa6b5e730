package pdf

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// Format is the kind of an input, decided by its content.
type Format string

// The kinds that are accepted.
const (
	FormatPDF  Format = "pdf"
	FormatJPEG Format = "jpeg"
	FormatPNG  Format = "png"
)

// SniffLen is how many bytes of a file's beginning SniffFormat wants.
const SniffLen = 1024

// unsupportedFormats are the beginnings of formats that are known by name and not
// accepted.
var unsupportedFormats = []struct {
	at          int
	magic, name string
}{
	{0, "RIFF", "a WebP image"},
	{0, "II*\x00", "a TIFF image"},
	{0, "MM\x00*", "a TIFF image"},
	{0, "GIF8", "a GIF image"},
	{0, "BM", "a BMP image"},
	{0, "PK\x03\x04", "a ZIP archive or an Office document"},
	{0, "\xD0\xCF\x11\xE0", "an old Office document"},
	{0, "%!PS", "a PostScript file"},
	{0, "{\\rtf", "an RTF document"},
	{0, "\xFF\x0A", "a JPEG XL image"},
	{0, "\x00\x00\x00\x0CJXL ", "a JPEG XL image"},
	{0, "\x00\x00\x00\x0CjP  ", "a JPEG 2000 image"},
}

// SniffFormat decides by content what a file is; head are its first bytes, SniffLen
// of them or the whole file. The error is a *reject.Rejection that names what was found.
func SniffFormat(head []byte) (Format, error) {
	head = head[:min(len(head), SniffLen)]
	switch {
	case len(head) == 0:
		return "", reject.New(reject.Empty, "The file is empty")
	case bytes.HasPrefix(head, []byte("\xFF\xD8\xFF")):
		return FormatJPEG, nil
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1A\n")):
		return FormatPNG, nil
	}
	if name := unsupportedFormat(head); name != "" {
		reason := reject.NotPDF
		if strings.HasSuffix(name, "image") {
			reason = reject.UnsupportedImage
		}
		return "", reject.Newf(reason, "The file is %s, which is not accepted", name)
	}
	if bytes.Contains(head, []byte("%PDF-")) {
		return FormatPDF, nil
	}
	if text := bytes.TrimSpace(head); utf8.Valid(text[:max(0, len(text)-3)]) && !bytes.ContainsRune(head, 0) {
		return "", reject.New(reject.NotPDF, "The file is plain text and not a PDF, whatever its name says")
	}
	return "", reject.New(reject.NotPDF, "The file is neither a PDF nor a JPEG or PNG image")
}

// unsupportedFormat names a format that is known and not accepted.
func unsupportedFormat(head []byte) string {
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		switch brand := string(head[8:12]); brand {
		case "heic", "heix", "hevc", "heim", "heis", "mif1", "msf1":
			return "a HEIC image"
		case "avif", "avis":
			return "an AVIF image"
		}
		return "a video"
	}
	for _, s := range unsupportedFormats {
		if bytes.HasPrefix(head[min(s.at, len(head)):], []byte(s.magic)) {
			if s.magic == "RIFF" && (len(head) < 12 || string(head[8:12]) != "WEBP") {
				continue
			}
			return s.name
		}
	}
	return ""
}

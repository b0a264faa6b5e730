package openbadge

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"hash/crc32"
	"io"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Where a picture holds a credential (Open Badges 3.0, "Baked Badges").
const (
	pngKeyword   = "openbadgecredential"
	svgNamespace = "https://purl.imsglobal.org/ob/v3p0"
	svgElement   = "credential"
	pngSignature = "\x89PNG\r\n\x1a\n"
)

// maxBaked is more than any credential has bytes.
const maxBaked = 8 << 20

// BakePNG puts a credential into a PNG. One that it holds already is replaced.
func BakePNG(picture []byte, credential string) ([]byte, error) {
	if !bytes.HasPrefix(picture, []byte(pngSignature)) {
		return nil, fault.New(fault.Invalid, "the picture is not a PNG")
	}
	var out bytes.Buffer
	out.WriteString(pngSignature)
	body := append([]byte(pngKeyword), 0, 0, 0, 0, 0) // not compressed, no language, no translation
	body = append(body, credential...)
	first := true
	err := eachChunk(picture, func(kind string, data []byte) bool {
		if kind == "iTXt" && bytes.HasPrefix(data, append([]byte(pngKeyword), 0)) {
			return true
		}
		writeChunk(&out, kind, data)
		if first {
			writeChunk(&out, "iTXt", body) // right behind the header
			first = false
		}
		return true
	})
	return out.Bytes(), err
}

func writeChunk(out *bytes.Buffer, kind string, data []byte) {
	_ = binary.Write(out, binary.BigEndian, uint32(len(data))) // a buffer takes everything
	sum := crc32.NewIEEE()
	both := io.MultiWriter(out, sum)
	_, _ = io.WriteString(both, kind)
	_, _ = both.Write(data)
	_ = binary.Write(out, binary.BigEndian, sum.Sum32())
}

// eachChunk goes through the chunks of a PNG until the function returns false.
func eachChunk(picture []byte, yield func(kind string, data []byte) bool) error {
	rest := picture[len(pngSignature):]
	for len(rest) > 0 {
		const around = 12
		if len(rest) < around {
			return fault.New(fault.Invalid, "the PNG ends early")
		}
		size := int64(binary.BigEndian.Uint32(rest))
		if size > int64(len(rest)-around) {
			return fault.New(fault.Invalid, "the PNG ends early")
		}
		kind, data := string(rest[4:8]), rest[8:8+size]
		if !yield(kind, data) || kind == "IEND" {
			return nil
		}
		rest = rest[around+size:]
	}
	return fault.New(fault.Invalid, "the PNG ends early")
}

// unbakePNG returns the credential in a PNG; NotFound where it holds none.
func unbakePNG(picture []byte) (found string, err error) {
	seen := 0
	err = eachChunk(picture, func(kind string, data []byte) bool {
		keyword, rest, _ := bytes.Cut(data, []byte{0})
		if kind != "iTXt" || string(keyword) != pngKeyword || len(rest) < 2 {
			return true
		}
		seen++
		compressed := rest[0] == 1
		parts := bytes.SplitN(rest[2:], []byte{0}, 3)
		if len(parts) < 3 {
			return true
		}
		found = string(parts[2])
		if compressed {
			found = inflate(parts[2])
		}
		return true
	})
	switch {
	case err != nil:
		return "", err
	case seen > 1:
		return "", fault.New(fault.Invalid, "the picture holds more than one credential")
	case found == "":
		return "", errNoCredential()
	}
	return found, nil
}

func inflate(data []byte) string {
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return ""
	}
	text, err := io.ReadAll(io.LimitReader(r, maxBaked))
	if err != nil {
		return ""
	}
	return string(text)
}

func errNoCredential() error { return fault.New(fault.NotFound, "the picture holds no credential") }

// BakeSVG puts a credential into an SVG that holds none: JSON as the content of an element, a token
// as its attribute.
func BakeSVG(picture []byte, credential string) ([]byte, error) {
	start := bytes.Index(picture, []byte("<svg"))
	end := -1
	if start >= 0 {
		end = bytes.IndexByte(picture[start:], '>')
	}
	if end < 0 || picture[start+end-1] == '/' {
		return nil, fault.New(fault.Invalid, "the picture is not an SVG")
	}
	var element strings.Builder
	element.WriteString(`<openbadges:credential xmlns:openbadges="` + svgNamespace + `"`)
	if strings.HasPrefix(credential, "{") {
		// JSON has no need of the end of a section; escapes stand in for it.
		element.WriteString("><![CDATA[" + strings.ReplaceAll(credential, "]]>", `]]\u003e`) + "]]></openbadges:credential>")
	} else {
		element.WriteString(` verify="` + credential + `"/>`)
	}
	at := start + end + 1
	return bytes.Join([][]byte{picture[:at], []byte(element.String()), picture[at:]}, nil), nil
}

// unbakeSVG returns the credential in an SVG; NotFound where it holds none.
func unbakeSVG(picture []byte) (found string, err error) {
	d := xml.NewDecoder(bytes.NewReader(picture))
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return "", errNoCredential()
		}
		if err != nil {
			return "", fault.New(fault.Invalid, "the SVG cannot be read")
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != svgElement || start.Name.Space != svgNamespace {
			continue
		}
		for _, a := range start.Attr {
			if a.Name.Local == "verify" {
				return strings.TrimSpace(a.Value), nil
			}
		}
		var content string
		if err := d.DecodeElement(&content, &start); err != nil {
			return "", fault.New(fault.Invalid, "the SVG cannot be read")
		}
		return strings.TrimSpace(content), nil
	}
}

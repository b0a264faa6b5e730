package filter

import (
	"bytes"
	"compress/lzw"
	"compress/zlib"
	"encoding/ascii85"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func deflate(b []byte) []byte {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

func TestDecode(t *testing.T) {
	text := []byte(strings.Repeat("All that is gold does not glitter. ", 40))
	a85 := make([]byte, ascii85.MaxEncodedLen(len(text)))
	a85 = append(a85[:ascii85.Encode(a85, text)], "~>"...)
	var gif bytes.Buffer
	w := lzw.NewWriter(&gif, lzw.MSB, 8)
	w.Write(text[:200]) // as long as codes take 9 bits, early change makes no difference
	w.Close()
	for name, tt := range map[string]struct {
		filter   string
		in, want []byte
		p        Params
	}{
		"Flate":              {"FlateDecode", deflate(text), text, Params{}},
		"Flate, cut off":     {"FlateDecode", deflate(text)[:len(deflate(text))-6], text, Params{}},
		"Flate, line before": {"Fl", append([]byte("\r\n"), deflate(text)...), text, Params{}},
		"LZW":                {"LZWDecode", gif.Bytes(), text[:200], Params{}},
		"hex":                {"ASCIIHexDecode", []byte(hex.EncodeToString(text) + ">"), text, Params{}},
		"hex, odd":           {"AHx", []byte("414>"), []byte("A@"), Params{}},
		"base 85":            {"ASCII85Decode", a85, text, Params{}},
		"run length":         {"RunLengthDecode", []byte("\x02abc\xFEx\x80zzz"), []byte("abcxxx"), Params{}},
		"PNG up":             {"FlateDecode", deflate([]byte("\x02\x01\x02\x02\x01\x01")), []byte("\x01\x02\x02\x03"), Params{Predictor: 12, Columns: 2}},
		"PNG sub":            {"FlateDecode", deflate([]byte("\x01\x01\x02\x03")), []byte("\x01\x03\x06"), Params{Predictor: 10, Columns: 3}},
		"TIFF":               {"FlateDecode", deflate([]byte("\x01\x02\x03")), []byte("\x01\x03\x06"), Params{Predictor: 2, Columns: 3}},
	} {
		got, err := Decode(tt.filter, tt.in, tt.p, 1<<16)
		if !bytes.Equal(got, tt.want) || err != nil && !strings.Contains(name, "cut off") {
			t.Errorf("%s: %.60q, %v", name, got, err)
		}
		if got, err := Decode(tt.filter, tt.in, Params{}, 1); !errors.Is(err, ErrTooLarge) || len(got) > 1 {
			t.Errorf("%s, at most one byte: %d bytes, %v", name, len(got), err)
		}
	}
	if _, err := Decode("DCTDecode", nil, Params{}, 1); err == nil {
		t.Error("pictures are not decoded here")
	}
}

func FuzzDecode(f *testing.F) {
	names := []string{"FlateDecode", "LZWDecode", "ASCIIHexDecode", "ASCII85Decode", "RunLengthDecode"}
	f.Add(uint8(0), deflate([]byte("text text text")), 12, 1, 8, 4)
	f.Add(uint8(1), []byte("\x80\x0B\x60\x50\x22\x0C\x0C\x85\x01"), 1, 1, 8, 1)
	f.Add(uint8(2), []byte("4 1>"), 0, 0, 0, 0)
	f.Add(uint8(3), []byte("87cURz!!~>"), 2, 3, 16, 9)
	f.Add(uint8(4), []byte("\x02abc\xFEx\x80"), 15, 32, 1, 1<<20)
	f.Fuzz(func(t *testing.T, which uint8, b []byte, predictor, colors, bits, columns int) {
		const limit = 1 << 16
		p := Params{Predictor: predictor, Colors: max(colors, 0), Bits: max(bits, 0), Columns: max(columns, 0)}
		out, _ := Decode(names[int(which)%len(names)], b, p, limit)
		if len(out) > limit {
			t.Fatalf("%d bytes", len(out))
		}
	})
}

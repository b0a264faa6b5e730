package bolt

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

func TestTailsAreKeptWithoutPadding(t *testing.T) {
	zeros := bytes.Repeat([]byte{'0'}, 5000)
	for name, c := range map[string]struct {
		tail []byte
		most int // bytes in the store
	}{
		"none":           {nil, 0},
		"short":          {[]byte("x"), 1},
		"no padding":     {[]byte("\n1 0 obj\n<</Contents<3082>>>"), 29},
		"padding":        {[]byte("\n<3082" + string(zeros) + "> /M"), 20},
		"two runs":       {[]byte("\n00000" + string(zeros) + "> 0000"), 20},
		"padding alone":  {zeros, 4},
		"a signature":    {[]byte("\n<30820a" + strings.Repeat("0af1", 500) + string(zeros) + "> /M"), 1016},
		"odd digits":     {[]byte("\n<" + strings.Repeat("abc", 501) + string(zeros) + "> /M"), 766},
		"upper case":     {[]byte("\n<" + strings.Repeat("ABCD", 50) + string(zeros) + "> /M"), 215},
		"another header": {[]byte{hexTail, 5, 6, 7}, 7},
		"like a header":  {[]byte{packedTail, 5, 6, 7}, 7},
		"header, padded": {append([]byte{packedTail}, zeros...), 8},
	} {
		kept := packTail(c.tail)
		if len(kept) > c.most {
			t.Errorf("%s: %d bytes are kept, want at most %d", name, len(kept), c.most)
		}
		got, err := unpackTail(kept)
		if err != nil || !bytes.Equal(got, c.tail) {
			t.Errorf("%s: unpacked to %d bytes (%v), want %d", name, len(got), err, len(c.tail))
		}
	}
}

func TestDamagedTailIsSaid(t *testing.T) {
	for _, kept := range [][]byte{{packedTail}, {packedTail, 0x80}, {packedTail, 9, 1, 'x'}, {packedTail, 0, 0x80}, {packedTail, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F},
		{hexTail}, {hexTail, 0, 0}, {hexTail, 0, 2, 0, 'x'}, {hexTail, 9, 0, 0}, {hexTail, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0, 'x'}} {
		if got, err := unpackTail(kept); !fault.Is(err, fault.Damaged) {
			t.Errorf("% x: unpacked to %d bytes, error %v; want damaged", kept, len(got), err)
		}
	}
}

func FuzzTail(f *testing.F) {
	f.Add([]byte("\n<30820000"), uint16(100))
	f.Add([]byte("\n<"+strings.Repeat("0af1", 40)+"00>"), uint16(163))
	f.Add([]byte{hexTail, 1, 1, 1, '<', 0xAB}, uint16(0))
	f.Fuzz(func(t *testing.T, tail []byte, zeros uint16) {
		at := 0
		if len(tail) > 0 {
			at = int(zeros) % len(tail)
		}
		padded := append(bytes.Clone(tail[:at]), bytes.Repeat([]byte{'0'}, int(zeros))...)
		padded = append(padded, tail[at:]...)
		got, err := unpackTail(packTail(padded))
		if err != nil || !bytes.Equal(got, padded) {
			t.Fatalf("%q came back as %q (%v)", padded, got, err)
		}
		_, _ = unpackTail(tail) // of other bytes it must not panic
	})
}

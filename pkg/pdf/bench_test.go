package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"testing"
)

// sized is a document of about n bytes, most of which are one picture's.
func sized(n int) []byte {
	o := plainObjects()
	noise := sha256.New()
	var data []byte
	for len(data) < n {
		noise.Write(data[max(0, len(data)-32):])
		data = noise.Sum(data)
	}
	o[3] = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>/XObject<</Im 6 0 R>>>>/Contents 4 0 R>>"
	o[6] = stream("/Type/XObject/Subtype/Image/Width 8/Height 8/BitsPerComponent 8/ColorSpace/DeviceGray", string(data))
	return o.table("")
}

// kept is a source whose hash was kept at intake.
func kept(t testing.TB, b []byte) Source {
	h := sha256.New()
	h.Write(b)
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return Source{R: bytes.NewReader(b), Size: int64(len(b)), HashState: state}
}

func benchmarkTail(b *testing.B, src Source) {
	seal, m := NewStamper(testSigner()), testMark()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := seal.Stamp(src, m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTail50KB(b *testing.B) { benchmarkTail(b, kept(b, sized(50<<10))) }
func BenchmarkTail20MB(b *testing.B) { benchmarkTail(b, kept(b, sized(20<<20))) }

// BenchmarkTailCold hashes the original as well.
func BenchmarkTailCold50KB(b *testing.B) { benchmarkTail(b, source(sized(50<<10))) }

func BenchmarkTailParallel(b *testing.B) {
	doc := kept(b, sized(50<<10))
	seal, m := NewStamper(testSigner()), testMark()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := seal.Stamp(doc, m); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerify50KB(b *testing.B) {
	file := sealed(b, sized(50<<10))
	for b.Loop() {
		if v, err := Verify(bytes.NewReader(file), int64(len(file))); err != nil || !v.Valid {
			b.Fatal(v.Sentence)
		}
	}
}

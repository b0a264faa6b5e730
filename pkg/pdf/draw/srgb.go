package draw

import (
	"encoding/binary"
	"math"
	"slices"
)

// SRGB is a colour profile that says what red, green and blue mean in a document: those of
// IEC 61966-2-1, in the form of ICC.1:2004-10.
func SRGB() []byte {
	curve := append([]byte("para\x00\x00\x00\x00\x00\x03\x00\x00"), fixed16(2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)...)
	xyz := func(v ...float64) []byte { return append([]byte("XYZ \x00\x00\x00\x00"), fixed16(v...)...) }
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", profileText("sRGB")}, {"cprt", profileText("No rights reserved")},
		{"wtpt", xyz(0.9642, 1, 0.8249)},
		{"chad", append([]byte("sf32\x00\x00\x00\x00"), fixed16(1.04788, 0.02292, -0.05022, 0.02959, 0.99048, -0.01707, -0.00925, 0.01508, 0.75168)...)},
		{"rXYZ", xyz(0.43607, 0.22249, 0.01392)}, {"gXYZ", xyz(0.38515, 0.71687, 0.09708)}, {"bXYZ", xyz(0.14307, 0.06061, 0.7141)},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	const header = 128
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var data []byte
	start := header + 4 + 12*len(tags)
	at := map[string]int{} // equal data are kept once
	for _, t := range tags {
		offset, ok := at[string(t.data)]
		if !ok {
			offset = start + len(data)
			at[string(t.data)] = offset
			data = append(data, t.data...)
			for len(data)%4 != 0 {
				data = append(data, 0)
			}
		}
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(offset))
		table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
	}
	head := make([]byte, header)
	binary.BigEndian.PutUint32(head, uint32(start+len(data)))
	copy(head[8:], "\x04\x20\x00\x00mntrRGB XYZ ")
	copy(head[24:], "\x07\xEA\x00\x01\x00\x01") // 2026-01-01
	copy(head[36:], "acsp")
	copy(head[68:], fixed16(0.9642, 1, 0.8249))
	return slices.Concat(head, table, data)
}

// fixed16 are numbers as a profile has them: 16 bits before the point, 16 behind it.
func fixed16(numbers ...float64) []byte {
	var b []byte
	for _, x := range numbers {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(x*65536))))
	}
	return b
}

// profileText is a text in English.
func profileText(s string) []byte {
	b := []byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0CenUS")
	b = binary.BigEndian.AppendUint32(b, uint32(2*len(s)))
	b = binary.BigEndian.AppendUint32(b, 28)
	for _, c := range []byte(s) {
		b = append(b, 0, c)
	}
	return b
}

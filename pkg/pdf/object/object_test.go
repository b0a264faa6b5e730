package object

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		err      error
	}{
		{" 12 ", "12", nil},
		{"12 0 R/", "12 0 R", nil},
		{"12 0 Rx", "12", nil},
		{"12 0 obj", "12", nil},
		{"-.5]", "-.5", nil},
		{"/Name(", "/Name", nil},
		{"/ x", "/", nil},
		{"%c\n/A", "/A", nil},
		{`(a(b)\)c) d`, `(a(b)\)c)`, nil},
		{"(a", "(a", ErrShort},
		{"<4142> ", "<4142>", nil},
		{"<</A[1 2]/B<</C(>>)>>>>x", "<</A[1 2]/B<</C(>>)>>>>", nil},
		{"[1 endobj", "", ErrSyntax},
		{"<</A 1 stream", "", ErrSyntax},
		{"", "", ErrShort},
		{")", ")", ErrSyntax},
		{string(bytes.Repeat([]byte("["), MaxDepth+2)), "", ErrDeep},
	} {
		s, e, err := Next([]byte(tt.in), 0)
		if !errors.Is(err, tt.err) || err == nil && tt.in[s:e] != tt.want {
			t.Errorf("%.30q: %q, %v; want %q, %v", tt.in, tt.in[s:e], err, tt.want, tt.err)
		}
	}
}

func TestObject(t *testing.T) {
	d := Object("<</A 1/B#42 2/A 3/C/D/E[ 1 (x) null 4 0 R]/F>>")
	if n, ok := d.Get("A").Int(); n != 3 || !ok {
		t.Errorf("of a key that stands twice, not the last counts: %d", n)
	}
	if string(d.Get("BB")) != "2" || !d.Get("C").Is("D") || d.Get("X") != nil {
		t.Error("entries are not found")
	}
	var kinds []Kind
	for e := range d.Get("E").Elems() {
		kinds = append(kinds, e.Kind())
	}
	if want := []Kind{Number, String, Null, Reference}; string(kinds2(kinds)) != string(kinds2(want)) {
		t.Errorf("kinds %v", kinds)
	}
	if ref, ok := Object("12 65535 R").Ref(); !ok || ref != (Ref{12, 65535}) {
		t.Errorf("reference %v", ref)
	}
	if _, ok := Object("0 0 R").Ref(); ok {
		t.Error("there is no object 0")
	}
}

func kinds2(ks []Kind) (b []byte) {
	for _, k := range ks {
		b = append(b, byte(k))
	}
	return b
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]float64{"1": 1, "-.5": -.5, "+3.": 3, "--5": -5, "5-3": 5, "1e5": 1e5} {
		if got, ok := Object(in).Real(); !ok || got != want {
			t.Errorf("%s: %v %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "/1", "(1)", "-", "NaN", "1e99", "."} {
		if got, ok := Object(in).Real(); ok {
			t.Errorf("%q: %v", in, got)
		}
	}
	for f, want := range map[float64]string{0: "0", -0.00001: "0", 1.5: "1.5", 100: "100", -2.25: "-2.25", 1.0 / 3: "0.3333", 1e7: "10000000", -100: "-100"} {
		if got := string(AppendReal(nil, f)); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}

func TestStrings(t *testing.T) {
	for in, want := range map[string]string{
		`(a\(b\)\\)`: `a(b)\`, `(\101\7z\r\n)`: "A\az\r\n", "(a\\\nb)": "ab", "(a\r\nb)": "a\nb", "<41 4>": "A@", "<>": "", `(\`: "",
	} {
		if got := string(Object(in).Bytes()); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	for _, s := range []string{"plain", "Zoë 证书 🎓", `a(b)\`, "\r\n", ""} {
		if got := FromText(Object(AppendString(nil, Text(s))).Bytes()); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
}

func TestParseDate(t *testing.T) {
	for in, want := range map[string]string{
		"D:20260401140000+02'00'": "2026-04-01T12:00:00Z", "D:20260401120000Z": "2026-04-01T12:00:00Z", "D:20260401120000Z00'00'": "2026-04-01T12:00:00Z",
		"D:2026": "2026-01-01T00:00:00Z", "20260401": "2026-04-01T00:00:00Z", "D:20260401120000-05": "2026-04-01T17:00:00Z",
		"": "0001-01-01T00:00:00Z", "tomorrow": "0001-01-01T00:00:00Z", "D:20261301": "0001-01-01T00:00:00Z",
	} {
		if got := ParseDate(in).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func FuzzObject(f *testing.F) {
	for _, s := range []string{"<</A[1 2 0 R(x\\)y)<41>]/B true>>", "[[[", "(((", "<<<<", "12 0 R", "/A#4", "D:2026+02'00'", "--5", "\xFE\xFF\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, e, err := Next(b, 0)
		if s < 0 || e < s || e > len(b) {
			t.Fatalf("an object from %d to %d of %d", s, e, len(b))
		}
		if err != nil {
			return
		}
		o := Object(b[s:e])
		if s2, e2, err := Next(o, 0); err != nil || s2 != 0 || e2 != len(o) {
			t.Fatalf("%q is an object and then is not: %d to %d, %v", o, s2, e2, err)
		}
		for k, v := range o.Pairs() {
			if len(k) == 0 || k[0] != '/' {
				t.Fatalf("the key %q", k)
			}
			v.Kind()
		}
		for v := range o.Elems() {
			v.Kind()
		}
		if x, ok := o.Real(); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
			t.Fatalf("%q is %v", o, x)
		}
		o.Int()
		o.Ref()
		o.Text()
		text := o.Bytes()
		if _, offset := ParseDate(FromText(text)).Zone(); offset < -100*3600 || offset > 100*3600 {
			t.Fatalf("%q is in a time zone of %d s", text, offset)
		}
		if again := Object(AppendString(nil, text)).Bytes(); !bytes.Equal(again, text) {
			t.Fatalf("%q comes back as %q", text, again)
		}
		if again := Object(AppendHex(nil, text)).Bytes(); !bytes.Equal(again, text) {
			t.Fatalf("%q comes back as %q", text, again)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"D:20260502123456+02'00'", "D:2026", "20260502Z", "D:20260502123456-07", "D:2026'0'5", "", "D:99999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := ParseDate(text)
		if at.IsZero() {
			return
		}
		if again := ParseDate(Date(at.UTC().Format("20060102150405"))); at.UTC().Year() > 0 && at.UTC().Year() < 10_000 && !again.Equal(at) {
			t.Errorf("%q is %v, then %v", text, at, again)
		}
	})
}

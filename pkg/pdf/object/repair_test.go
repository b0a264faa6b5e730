package object

import "testing"

func TestMend(t *testing.T) {
	for in, want := range map[string]string{
		"<</A 1/B[1 2/C(x) endobj <</D 2>>": "<< /A 1 /B[ 1 2 /C (x)]>>",
		"<</A 1 ) /B 2>> /C":                "<< /A 1 /B 2>>",
		"<</A ] 1 > /B<</C 3>>>>":           "<< /A 1>>",
		"<</A<</B 1 stream":                 "<< /A<< /B 1>>>>",
		"<</A(x":                            "<< /A>>",
		"<<":                                "<<>>",
	} {
		got, ok := Repair([]byte(in), 0)
		if string(got) != want || !ok {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"", "[1", "<41>", "12"} {
		if got, ok := Repair([]byte(in), 0); ok {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func FuzzMend(f *testing.F) {
	f.Add([]byte("<</A 1/B[1 2/C(x) endobj <</D 2>>"))
	f.Add([]byte("<<[<<[>>>>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, ok := Repair(b, 0)
		if !ok {
			return
		}
		if s, e, err := Next(o, 0); err != nil || s != 0 || e != len(o) || o.Kind() != Dict {
			t.Fatalf("%q becomes %q, which is no dictionary: %v", b, o, err)
		}
	})
}

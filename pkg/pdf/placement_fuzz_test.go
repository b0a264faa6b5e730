package pdf

import (
	"fmt"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

func FuzzParsePlace(f *testing.F) {
	for _, seed := range append([]string{"", "10,20", " 1e3 , .5", "NaN,1", "-0,0x1p3", "1,2,3", "Inf,1", "1_0,2", "top-left ", "ſ"}, corners...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParsePlace(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		written := "bottom-right"
		switch {
		case m.Corner != Absolute && m.XMM == 0 && m.YMM == 0:
			written = corners[m.Corner]
		case m.Corner == Absolute && m.XMM >= 0 && m.YMM >= 0 && m.XMM < 1e5 && m.YMM < 1e5:
			written = fmt.Sprintf("%v,%v", m.XMM, m.YMM)
		default:
			t.Fatalf("%q is %+v", text, m)
		}
		if again, err := ParsePlace(written); err != nil || again != m {
			t.Errorf("%q: %+v, written as %q: %+v, %v", text, m, written, again, err)
		}
	})
}

package page

import (
	"strings"
	"testing"
)

// settled runs content and what closes it, and says what is still open.
func settled(content string) balance {
	b := balance{}
	b.run([]byte(content))
	open := 1 - b.lowest
	closing := b.close(nil)
	closing = append(closing, strings.Repeat(" Q", b.depth+open)...)
	again := balance{}
	again.run([]byte(strings.Repeat("q ", open)))
	again.run([]byte(content))
	again.run(closing)
	return again
}

func TestBalance(t *testing.T) {
	for content, want := range map[string]balance{
		"q 1 0 0 1 0 0 cm Q":              {},
		"q q Q":                           {depth: 1},
		"Q Q q":                           {depth: -1, lowest: -2},
		"(q q) Tj <71> Tj /q gs [q]":      {depth: 1},
		"BT (x":                           {inText: true, inString: 1},
		"BT <4":                           {inText: true, inHex: true},
		"/P <</MCID 0>> BDC q EMC":        {depth: 1},
		"/P BMC /P BMC EMC":               {marked: 1},
		"BI /W 1 ID q q q EI Q Q":         {depth: -2, lowest: -2},
		"BI /W 1 ID \x80EI q\x00\xFF\nEI": {},
		"% q q q\nq":                      {depth: 1},
		"qq QQ q1 1q":                     {},
	} {
		b := balance{}
		b.run([]byte(content))
		if b != want {
			t.Errorf("%q: %+v, want %+v", content, b, want)
		}
	}
}

func FuzzBalance(f *testing.F) {
	for _, s := range []string{"q Q", "Q q", "BT (x", "<4", "/A BMC q BI ID x EI", "((\\", "<<q>>", "% q", "ID"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		b := settled(string(content))
		if strings.Contains(string(content), "ID") || strings.Contains(string(content), "%") {
			return // image data and comments may swallow what closes
		}
		if b.depth != 0 || b.lowest < 0 || b.inText || b.inHex || b.inString != 0 || b.marked != 0 {
			t.Fatalf("%q is left as %+v", content, b)
		}
	})
}

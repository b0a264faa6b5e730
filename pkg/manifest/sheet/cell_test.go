package sheet

import "testing"

func TestDefuse(t *testing.T) {
	for _, s := range []string{"=1+1", "+49", "-5", "@home", "\tx", "\rx", "\nx", " =1", "＝1", "＠x"} {
		d := EscapeFormula(s)
		if d != "'"+s {
			t.Errorf("Defuse(%q) = %q", s, d)
		}
		if UnescapeFormula(d) != s {
			t.Errorf("Undefuse(%q) = %q", d, UnescapeFormula(d))
		}
	}
	for _, s := range []string{"", "a=b", "'quoted'", "'", "1-2", "O'Brien"} {
		if EscapeFormula(s) != s || UnescapeFormula(s) != s {
			t.Errorf("%q is not left alone: %q, %q", s, EscapeFormula(s), UnescapeFormula(s))
		}
	}
}

func TestQuote(t *testing.T) {
	tests := map[string]string{
		" a ":             `"a"`,
		"a\nb\x00":        `"a\nb\u0000"`,
		"a\u200bb\u00a0c": `"a\u200Bb\u00A0c"`,
		"a\u202eb":        `"a\u202Eb"`,
		"ক্\u200dষ":       "\"ক্\u200dষ\"",
		"\xff":            "\"\uFFFD\"",
	}
	for in, want := range tests {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestLetters(t *testing.T) {
	for column, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA", 16383: "XFD"} {
		if got := ColumnLetters(column); got != want {
			t.Errorf("Letters(%d) = %s, want %s", column, got, want)
		}
	}
}

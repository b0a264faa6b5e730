package vault_test

import (
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/vault"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"white space", " \t\r\n\u00a0\u2003\u3000", ""},
		{"nothing to see", "\ufeff\u200b \u200e\u2060\u200f", ""},
		{"marks around", "\ufeffAda\u200b", "Ada"},
		{"joiners stay", "\u0646\u0645\u06cc\u200c", "\u0646\u0645\u06cc\u200c"},
		{"around", "\u00a0 Ada \n", "Ada"},
		{"inside stays", "Ada  Lovelace", "Ada  Lovelace"},
		{"decomposed", "Zaz\u0307o\u0301łc\u0301", "Zażółć"},
		{"composed stays", "Zażółć", "Zażółć"},
		{"Bengali", "\u09ac\u09be\u0982\u09b2\u09be \u09a1\u09bc", "\u09ac\u09be\u0982\u09b2\u09be \u09a1\u09bc"},
		{"Hangul", "\u1112\u1161\u11ab", "\ud55c"},
		{"case stays", "İSTANBUL ıI", "İSTANBUL ıI"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := vault.Clean(tt.in); got != tt.want {
				t.Errorf("%+q, want %+q", got, tt.want)
			}
		})
	}
}

func TestFold(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"ASCII", "Ada LOVELACE 1", "ada lovelace 1"},
		{"Polish", "ZAŻÓŁĆ Gęślą Jaźń", "zazolc gesla jazn"},
		{"Turkish capitals", "İSTANBUL IĞDIR", "istanbul igdir"},
		{"Turkish small", "istanbul ığdır", "istanbul igdir"},
		{"German", "Straße ÄÖÜ", "strasse aou"},
		{"Danish", "Søren Ørsted Đ", "soren orsted d"},
		{"Greek", "ΟΔΥΣΣΕΎΣ Οδυσσεύς", "οδυσσευσ οδυσσευσ"},
		{"Arabic with and without marks", "مُحَمَّد أحمد", "محمد احمد"},
		{"Bengali", "রহিম", "রহিম"},
		{"Chinese", "王小明", "王小明"},
		{"Vietnamese", "Nguyễn Đặng", "nguyen dang"},
		{"Cyrillic", "Ёлкин Й", "елкин и"},
		{"Kelvin and Angstrom signs", "\u212a\u212b", "ka"},
		{"long s and ligature", "ſ", "s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := vault.Fold(tt.in); got != vault.Fold(tt.want) || tt.name != "Bengali" && got != tt.want {
				t.Errorf("%q folds to %+q, want %+q", tt.in, got, tt.want)
			}
			if composed, decomposed := vault.Fold(norm.NFC.String(tt.in)), vault.Fold(norm.NFD.String(tt.in)); composed != decomposed {
				t.Errorf("composed it folds to %+q, decomposed to %+q", composed, decomposed)
			}
		})
	}
}

func TestFoldEmail(t *testing.T) {
	same := [][2]string{
		{" John@Example.COM ", "john@example.com"},
		{"JÖRG@BÜCHER.example", "jörg@bücher.example"},
		{"jo\u0308rg@example.com", "jörg@example.com"},
		{"ΣΊΣΥΦΟΣ@example.gr", "σίσυφος@example.gr"},
	}
	for _, pair := range same {
		if a, b := vault.FoldEmail(pair[0]), vault.FoldEmail(pair[1]); a != b {
			t.Errorf("%q and %q are two addresses: %+q, %+q", pair[0], pair[1], a, b)
		}
	}
	// Accents tell addresses apart, although a search does not regard them.
	if vault.FoldEmail("jörg@example.com") == vault.FoldEmail("jorg@example.com") {
		t.Error("an accent is lost")
	}
}

var texts = []string{"", "Zażółć", "İıIi", "ΰ\u0345ᾳ", "ẞßſ", "e\u0301\u0327", "\u1112\u0301\u1161", "\xff\xfe", "a\xcc", "\u0149\u01f0\u1e9a",
	"\u1e9e\u0130\u0131", "ᏸᎰ", "\u09c7\u09be", "\ufb03", "\u212a", "ǅ"}

func FuzzFold(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := vault.Fold(s)
		if !utf8.ValidString(once) {
			t.Errorf("%+q folds to %+q, which is not UTF-8", s, once)
		}
		if twice := vault.Fold(once); twice != once {
			t.Errorf("%+q folds to %+q, and that to %+q", s, once, twice)
		}
	})
}

func FuzzCleanAndFoldEmail(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
		f.Add(" " + s + "@Example.com")
	}
	f.Fuzz(func(t *testing.T, s string) {
		if once := vault.Clean(s); vault.Clean(once) != once {
			t.Errorf("%+q is kept as %+q, and that as %+q", s, once, vault.Clean(once))
		}
		if once := vault.FoldEmail(s); vault.FoldEmail(once) != once {
			t.Errorf("%+q folds to %+q, and that to %+q", s, once, vault.FoldEmail(once))
		}
	})
}

package sheet

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	utext "golang.org/x/text/encoding/unicode"
)

func options() Options {
	return Options{MaxRows: 1000, Headings: "title, name", Known: func(h string) bool {
		h = strings.ToLower(strings.TrimSpace(h))
		return h == "title" || h == "name"
	}}
}

func shown(s *Sheet) string {
	var b strings.Builder
	b.WriteString(strings.Join(s.Header.Cells, "|"))
	for _, l := range s.Records {
		b.WriteString("\n" + strings.Join(l.Cells, "|"))
	}
	return b.String()
}

func TestDelimiters(t *testing.T) {
	tests := []struct{ name, text, want, delimiter string }{
		{"comma", "title,name\nD,Ann\n", "title|name\nD|Ann", ","},
		{"semicolon", "title;name\nD;Ann, B.A.\n", "title|name\nD|Ann, B.A.", ";"},
		{"tab", "title\tname\nD\tAnn, B.A.; M.A.\n", "title|name\nD|Ann, B.A.; M.A.", "tab"},
		{"commas in an unknown heading", "title;name;a,b,c,d\nD;Ann;1,2,3,4\n", "title|name|a,b,c,d\nD|Ann|1,2,3,4", ";"},
		{"headings nobody knows", "Titel;Vorname, Name\nD;Ann\nE;Ben\n", "Titel|Vorname, Name\nD|Ann\nE|Ben", ";"},
		{"declared", "sep=;\r\ntitle;name\r\nD;Ann\r\n", "title|name\nD|Ann", ";"},
		{"quoted declaration", "\"sep=;\"\ntitle;name\nD;Ann\n", "title|name\nD|Ann", ";"},
		{"CRLF and quotes", "title,name\r\n\"D \"\"X\"\", E\",\"Ann\r\nLee\"\r\n", "title|name\nD \"X\", E|Ann\nLee", ","},
		{"CR alone", "title,name\rD,Ann\rE,Ben", "title|name\nD|Ann\nE|Ben", ","},
		{"blank lines first", "\r\n\n,\ntitle,name\nD,Ann", "title|name\nD|Ann", ","},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Read([]byte(tt.text), options())
			if err != nil {
				t.Fatal(err)
			}
			if shown(s) != tt.want || s.Delimiter != tt.delimiter {
				t.Errorf("delimiter %q, got\n%s\nwant\n%s", s.Delimiter, shown(s), tt.want)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	s, err := Read([]byte("sep=,\ntitle,name\n\n\"a\nb\",x\n\n , \ny,5\" z\nq,\"un\"x\nr,s"), options())
	if err != nil {
		t.Fatal(err)
	}
	type place struct{ at, line int }
	var got []place
	for _, l := range s.Records {
		got = append(got, place{l.Row, l.Line})
	}
	want := []place{{3, 4}, {6, 8}, {7, 9}, {8, 10}}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	if s.Records[1].Cells[1] != `5" z` || s.Records[2].Fault == "" {
		t.Errorf("lines %+v", s.Records)
	}
}

func encoded(t *testing.T, e encoding.Encoding, text string) []byte {
	t.Helper()
	b, err := e.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEncodings(t *testing.T) {
	western := "title,name\nDiplôme,José Müller\n\"Grüße – „x“\",Çağ\n"
	western = strings.NewReplacer("Çağ", "Ærø Ñandú", "„x“", "“x”").Replace(western)
	all := "title,name\nডিপ্লোমা,Łucja غسان İrem\n"
	tests := []struct {
		name     string
		data     []byte
		encoding string
		want     string
		told     string
	}{
		{"UTF-8", []byte(all), "utf-8", all, ""},
		{"UTF-8 with BOM", []byte("\xef\xbb\xbf" + all), "utf-8", all, ""},
		{"UTF-16LE with BOM", encoded(t, utext.UTF16(utext.LittleEndian, utext.UseBOM), all), "utf-16le", all, ""},
		{"UTF-16BE with BOM", encoded(t, utext.UTF16(utext.BigEndian, utext.UseBOM), all), "utf-16be", all, ""},
		{"UTF-16LE", encoded(t, utext.UTF16(utext.LittleEndian, utext.IgnoreBOM), all), "utf-16le", all, ""},
		{"UTF-16BE", encoded(t, utext.UTF16(utext.BigEndian, utext.IgnoreBOM), all), "utf-16be", all, ""},
		{"UTF-16BE told", encoded(t, utext.UTF16(utext.BigEndian, utext.IgnoreBOM), all), "utf-16be", all, "UTF-16"},
		{"Windows-1252", encoded(t, charmap.Windows1252, western), "windows-1252", western, ""},
		{"Windows-1250 told", encoded(t, charmap.Windows1250, "title,name\nD,Łucja Żółć\n"), "windows-1250", "title,name\nD,Łucja Żółć\n", "windows-1250"},
		{"Windows-1254 told", encoded(t, charmap.Windows1254, "title,name\nD,Çağrı Şen\n"), "windows-1254", "title,name\nD,Çağrı Şen\n", "cp1254"},
		{"one bad byte in UTF-8", []byte("title,name\nD,É\nE,\xff\n"), "utf-8", "title,name\nD,É\nE,\xff\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, name, err := decode(tt.data, tt.told)
			if err != nil {
				t.Fatal(err)
			}
			if text != tt.want || name != tt.encoding {
				t.Errorf("%s\ngot  %q\nwant %q", name, text, tt.want)
			}
		})
	}
}

// A name in the wrong code page must never reach a certificate.
func TestEncodingNotGuessed(t *testing.T) {
	for _, tt := range []struct {
		name string
		page encoding.Encoding
		text string
	}{
		{"Polish", charmap.Windows1250, "Łucja Żółć"},
		{"Polish, one letter", charmap.Windows1250, "Michał"},
		{"Polish capital", charmap.Windows1250, "Żaba"},
		{"Turkish", charmap.Windows1254, "Yıldız"},
		{"Turkish capital", charmap.Windows1254, "Şahin"},
		{"Russian", charmap.Windows1251, "Иван"},
		{"Arabic", charmap.Windows1256, "غسان"},
		{"Mac", charmap.Macintosh, "José"},
		{"Mac, umlaut", charmap.Macintosh, "Müller"},
		{"Mac, o", charmap.Macintosh, "König"},
		{"Mac, tilde", charmap.Macintosh, "Nuñez"},
		{"DOS", charmap.CodePage850, "Müller"},
		{"DOS, o", charmap.CodePage850, "König"},
		{"DOS, capital", charmap.CodePage850, "Özil"},
		{"Polish, ń", charmap.Windows1250, "Gdańska"},
		{"Polish, ś", charmap.Windows1250, "Wiśniewska"},
		{"Polish, Ś", charmap.Windows1250, "Śliwa"},
		{"Polish, ę", charmap.Windows1250, "Zaręba"},
		{"Polish, ęg", charmap.Windows1250, "Węgrzyn"},
		{"Polish, ęp", charmap.Windows1250, "Kępa"},
		{"Polish, ęs", charmap.Windows1250, "Gęsicki"},
		{"Croatian", charmap.Windows1250, "Petrović"},
		{"Polish, ć", charmap.Windows1250, "Maćkowiak"},
		{"Czech, ř", charmap.Windows1250, "Dvořák"},
		{"Czech, dř", charmap.Windows1250, "Ondřej"},
		{"Czech, ě", charmap.Windows1250, "Zdeněk"},
		{"Czech, č", charmap.Windows1250, "Kovač"},
		{"Czech, lč", charmap.Windows1250, "Vlček"},
		{"Czech, Č", charmap.Windows1250, "Černý"},
		{"Czech, ů", charmap.Windows1250, "Růžena"},
		{"Hungarian, ő", charmap.Windows1250, "Erdős"},
		{"Hungarian, ű", charmap.Windows1250, "Szűcs"},
		{"Romanian", charmap.Windows1250, "Bălan"},
		{"Lithuanian", charmap.Windows1257, "Kazlauskienė"},
		{"Lithuanian, t", charmap.Windows1257, "Jonaitė"},
		{"Lithuanian, g", charmap.Windows1257, "Eglė"},
		{"Chinese", simplifiedchinese.GB18030, "王小明"},
		{"Japanese", japanese.ShiftJIS, "山田太郎"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := encoded(t, tt.page, "title,name\nD,"+tt.text+"\n")
			if text, name, err := decode(data, ""); err == nil {
				t.Errorf("read as %s: %q", name, text)
			} else if !strings.Contains(err.Error(), "--encoding") || !strings.Contains(err.Error(), "line 2") {
				t.Errorf("message: %v", err)
			}
		})
	}
}

// What Excel saves in Western Europe is read without a question.
func TestWesternNames(t *testing.T) {
	for _, name := range []string{"Müller", "José", "François", "Hélène", "Geneviève", "Molière", "Loïc", "Zoë", "Noël", "Anaïs", "Ève", "Inês", "João", "Conceição", "Guimarães", "Simões",
		"Antônio", "Núñez", "Íñigo", "Peña", "Nicolò", "Niccolò", "Forlì", "Sørensen", "Bøe", "Høegh", "Kjær", "Åse", "Øystein", "Ærø", "Bæk", "Lefèbvre", "Prêtre", "Crêpe", "Le Bœuf",
		"Sacré-Cœur", "Brûlé", "Benoît", "Gérôme", "Straße", "O’Neill", "“Anna”", "Smith–Jones", "Škoda", "Tomáš", "Besançon", "Gonçalves", "GRÜN", "Özdemir", "Château", "Aimée", "Bêche", "Bégué", "Brontë", "Chloë", "Citroën"} {
		data := encoded(t, charmap.Windows1252, "title,name\nD,"+name+"\n")
		if text, got, err := decode(data, ""); err != nil || !strings.Contains(text, name) {
			t.Errorf("%s: %s, %q, %v", name, got, text, err)
		}
	}
}

// The question shows a line as each likely encoding has it.
func TestEncodingQuestion(t *testing.T) {
	for _, tt := range []struct {
		page encoding.Encoding
		text string
		want []string
	}{
		{charmap.Windows1250, "Łucja Żółć", []string{"windows-1250, iso-8859-2: D,Łucja Żółć", "--encoding windows-1250"}},
		{charmap.Windows1250, "Wiśniewska", []string{"windows-1250: D,Wiśniewska"}},
		{charmap.Windows1254, "Şahin Yıldız", []string{"windows-1254: D,Şahin Yıldız"}},
		{charmap.Windows1251, "Иван Петров", []string{"windows-1251: D,Иван Петров"}},
		{charmap.Macintosh, "José Müller", []string{"macintosh: D,José Müller"}},
		{simplifiedchinese.GB18030, "王小明", []string{"gb18030: D,王小明"}},
		{japanese.ShiftJIS, "山田太郎", []string{"shift-jis: D,山田太郎"}},
	} {
		_, _, err := decode(encoded(t, tt.page, "title,name\nD,"+tt.text+"\n"), "")
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the question lacks %q: %v", tt.text, want, err)
			}
		}
	}
}

// Every encoding that help names can be given, by its common names too.
func TestEncodingNames(t *testing.T) {
	for name, want := range map[string]string{"Windows-1250": "windows-1250", "cp1251": "windows-1251", "1254": "windows-1254", "ISO-8859-2": "iso-8859-2", "latin2": "iso-8859-2",
		"Mac": "macintosh", "MacRoman": "macintosh", "GB18030": "gb18030", "gbk": "gb18030", "Shift_JIS": "shift-jis", "sjis": "shift-jis", "cp850": "cp850", "big5": "big5", "EUC-KR": "euc-kr", "ansi": "windows-1252"} {
		if got, err := encodingNamed(name, nil); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for word := range strings.FieldsFuncSeq(Encodings, func(r rune) bool { return r == ',' }) {
		name, _, _ := strings.Cut(strings.TrimSpace(word), " ")
		if _, err := encodingNamed(name, nil); err != nil {
			t.Errorf("help names %s: %v", name, err)
		}
	}
}

func TestEncodingMarkAgainstOption(t *testing.T) {
	if _, _, err := decode([]byte("\xef\xbb\xbftitle,name\n"), "windows-1252"); err == nil {
		t.Error("a file with the mark of UTF-8 is read as windows-1252")
	}
}

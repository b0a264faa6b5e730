package sheet

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
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
		{"DOS", charmap.CodePage850, "Müller"},
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

func TestEncodingMarkAgainstOption(t *testing.T) {
	if _, _, err := decode([]byte("\xef\xbb\xbftitle,name\n"), "windows-1252"); err == nil {
		t.Error("a file with the mark of UTF-8 is read as windows-1252")
	}
}

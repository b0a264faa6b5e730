package names

import (
	"fmt"
	"strings"
	"testing"
)

func TestOwn(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       Match
	}{
		{"Ann Kowalska", "This is to certify that\nAnn Kowalska\nhas passed", Exact},
		{"Ann Kowalska", "KOWALSKA, ANN", Exact},
		{"Ann Kowalska", "Ann Maria Kowalska", Exact},
		{"Ann Kowalska", "ann-kowalska.pdf", Exact},
		{"Łucja Żółć", "Lucja Zolc", Exact},
		{"Jürgen Müller", "Juergen Mueller", Exact},
		{"Juergen Mueller", "Jürgen Müller", Exact},
		{"Steffi Graf", "Ste\uFB03 Graf", Exact},
		{"Jean-Baptiste Lefèvre", "Jean Baptiste LEFEVRE", Exact},
		{"Conan O'Brien", "Conan O’Brien", Exact},
		{"Jan van der Berg", "Jan Berg", Exact},
		{"Jan Berg", "Jan van der Berg", Exact},
		{"Dr. Ann Kowalska", "Ann Kowalska", Exact},
		{"Ben Os", "for Ben Os", Exact},
		{"Ben Os", "for Jan Os", Absent},
		{"Dr. Os", "for Dr. Os", Exact},
		{"Madonna", "for Madonna, with honours", Exact},
		{"Ann\u00a0Kowalska", "Ann Kowalska", Exact},
		{"Jo\u0308rg Os", "Jörg Os", Exact},
		{"J. Smith", "John Smith", Loose},
		{"John Smith", "J. Smith", Loose},
		{"John Quincy Adams", "John Q. Adams", Loose},
		{"John Quincy Adams", "John Adams", Loose},
		{"Ann Kowalska", "A N N   K O W A L S K A", Loose},
		{"Ann Kowalska", "Ann Lis, signed by Jan Nowak for the whole board of examiners and by the Rector, Ewa Kowalska", Absent},
		{"Ann Kowalska", "Ewa Kowalska", Absent},
		{"Ann Kowalska", "Anna Kowalski", Absent},
		{"John Smith", "Jane Smith", Absent},
		{"", "Ann", Absent},
		{"王小明", "兹证明王小明同学已完成", Exact},
		{"王 小明", "王小明", Exact},
		{"王明", "王明 同学", Exact},
		{"王明", "王明华同学", Loose},
		{"山田 太郎", "山田太郎 殿", Exact},
		{"김철수", "성명: 김철수", Exact},
		{"آرش نیک\u200cپور", "روپ\n\u200c\nکین شرآ", Loose},
		{"ليلى حداد", "دادح ىليل", Exact},
		{"ليلى حداد", "ليلي حداد", Exact},
		{"আনিকা রহমান", "আনিকা রহমান", Exact},
		{"आनिका शर्मा", "आिनका शर्मा", Loose},
		{"Наталія Ковальчук", "Transcript of НАТАЛІЯ КОВАЛЬЧУК", Exact},
	} {
		if got := NewIndex([]string{tt.name}).Find(tt.text, 0).Own; got != tt.want {
			t.Errorf("%s in %q: %d, want %d", tt.name, tt.text, got, tt.want)
		}
	}
}

func TestOthers(t *testing.T) {
	x := NewIndex([]string{"Ann Kowalska", "Jan Nowak", "Ewa Lis", "Ann Lis", "王小明", "李小明", "Wulandari", "J. Nowak"})
	for _, tt := range []struct {
		text string
		own  int
		want string
	}{
		{"certify that Ewa Lis has", 0, "{0 [2]}"},
		{"certify that Ann Lis has", 0, "{0 [3]}"},
		{"certify that Ann Kowalska has, Ewa Lis, Registrar", 0, "{2 []}"},
		{"certify that somebody has", 0, "{0 []}"},
		{"兹证明李小明同学", 4, "{0 [5]}"},
		{"Wulandari", 0, "{0 []}"}, // a single word says too little
		{"Jan Nowak and Ewa Lis", 0, "{0 [1 2]}"},
		{"Jan Nowak", 7, "{1 [1]}"}, // loose for oneself, exact for another
	} {
		if got := fmt.Sprint(x.Find(tt.text, tt.own)); got != tt.want {
			t.Errorf("%q for %d: %s, want %s", tt.text, tt.own, got, tt.want)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("Per%c%cson Sur%c%c%cname", 'a'+i%26, 'a'+i/26%26, 'a'+i%26, 'a'+i/26%26, 'a'+i/676))
	}
	x := NewIndex(names)
	text := strings.Repeat("This is to certify that the holder has fulfilled all requirements of the programme. ", 5) + "Perxxson Suryyyname"
	b.ReportAllocs()
	for b.Loop() {
		if f := x.Find(text, 10); f.Own != Absent || len(f.Others) != 0 {
			b.Fatal(f)
		}
	}
}

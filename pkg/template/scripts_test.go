package template

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/pdf"
)

// scriptTests are names as people write them, with the fonts that hold them, as Debian
// installs them.
var scriptTests = []struct {
	script, name string
	fonts        []string
}{
	{"latin", "Łukasz Žižka ÄÖÜß Ǆ Ŋ", nil},
	{"one accented letter", "Rimgaile Ė̃ r̃ eee", nil},
	{"vietnamese", "Nguyễn Thị Đặng Phương Thảo", nil},
	{"yoruba", "Ọlájùmọ̀kẹ́ Adébáyọ̀ Ẹ̀gbẹ́", nil},
	{"ligatures", "Steffi Offiziant Griffith fl fj", nil},
	{"greek", "Ελευθέριος Παπαδόπουλος", nil},
	{"polytonic", "ᾠδὴ ᾍδης Ἑλένη ῥήτωρ", nil},
	{"cyrillic", "Щербаков Їжакевич Ђорђевић", nil},
	{"arabic", "محمد بن عبد الرحمن السَّلَام", []string{"NotoNaskhArabic"}},
	{"persian", "پژمان چگینی گیلانی\u200cزاده", []string{"NotoNaskhArabic"}},
	{"hebrew", "דָּוִד בֶּן־גּוּרִיּוֹן", []string{"NotoSerifHebrew"}},
	{"plain hebrew", "דוד בן גוריון", []string{"NotoSerifHebrew"}},
	{"syriac", "ܝܘܚܢܢ ܡܪܝܡ", []string{"NotoSansSyriac"}},
	{"thaana", "މުހައްމަދު ނަޝީދު", []string{"NotoSansThaana"}},
	{"nko", "ߒߞߏ ߡߊ߲߬ߘߋ߲", []string{"NotoSansNKo"}},
	{"adlam", "𞤀𞤣𞤢𞤥 𞤆𞤵𞤤𞤢𞤪", []string{"NotoSansAdlam"}},
	{"devanagari", "श्रीकृष्ण त्रिपाठी क्षत्रिय कि", []string{"NotoSansDevanagari"}},
	{"bengali", "রবীন্দ্রনাথ ঠাকুর শ্রী", []string{"NotoSansBengali"}},
	{"gurmukhi", "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ", []string{"NotoSansGurmukhi"}},
	{"gujarati", "નરેન્દ્ર ગાંધી શ્રી", []string{"NotoSansGujarati"}},
	{"oriya", "ଶ୍ରୀ ଜଗନ୍ନାଥ", []string{"NotoSansOriya"}},
	{"tamil", "ஸ்ரீநிவாச ராமானுஜன்", []string{"NotoSansTamil"}},
	{"telugu", "శ్రీనివాస్ కృష్ణమూర్తి", []string{"NotoSansTelugu"}},
	{"kannada", "ಶ್ರೀನಿವಾಸ ಕೃಷ್ಣ", []string{"NotoSansKannada"}},
	{"malayalam", "കൃഷ്ണൻ ശ്രീകുമാർ", []string{"NotoSansMalayalam"}},
	{"sinhala", "ශ්\u200dරී ජයවර්ධන", []string{"NotoSansSinhala"}},
	{"thai", "สมชาย ใจดี กำธร น้ำผึ้ง", []string{"NotoSerifThai"}},
	{"lao", "ສົມຈິດ ພົມມະຈັນ", []string{"NotoSerifLao"}},
	{"khmer", "ព្រះបាទ នរោត្តម សីហនុ", []string{"NotoSerifKhmer"}},
	{"burmese", "အောင်ဆန်းစုကြည်", []string{"NotoSansMyanmar"}},
	{"tibetan", "བསྟན་འཛིན་རྒྱ་མཚོ", []string{"NotoSerifTibetan"}},
	{"georgian", "ნინო კვირიკაშვილი", []string{"NotoSerifGeorgian"}},
	{"armenian", "Արամ Խաչատրյան", []string{"NotoSerifArmenian"}},
	{"ethiopic", "ኃይለ ሥላሴ", []string{"NotoSerifEthiopic"}},
	{"cherokee", "ᏍᏏᏉᏯ ᏣᎳᎩ", []string{"NotoSansCherokee"}},
	{"inuktitut", "ᓄᓇᕗᑦ ᐃᓄᒃ", []string{"NotoSansCanadianAboriginal"}},
	{"mongolian", "ᠮᠣᠩᠭᠣᠯ", []string{"NotoSansMongolian"}},
	{"tifinagh", "ⵜⵉⴼⵉⵏⴰⵖ ⴰⵎⴰⵣⵉⵖ", []string{"NotoSansTifinagh"}},
	{"ol chiki", "ᱥᱟᱱᱛᱟᱲᱤ", []string{"NotoSansOlChiki"}},
	{"javanese", "ꦗꦮ ꦱꦸꦂꦪ", []string{"NotoSansJavanese"}},
	{"balinese", "ᬩᬮᬶ ᬓ᭄ᬭᬶᬱ᭄ᬡ", []string{"NotoSerifBalinese"}},
	{"mixed", "Dr. محمد (Mohammed) 123 PhD", []string{"NotoNaskhArabic"}},
}

// scriptFont finds an installed font.
func scriptFont(name string) ([]byte, bool) {
	for _, dir := range []string{"noto", "dejavu"} {
		b, err := os.ReadFile(filepath.Join("/usr/share/fonts/truetype", dir, name+"-Regular.ttf"))
		if err == nil {
			return b, true
		}
	}
	return nil, false
}

// printName prints a name; ok is false where a font is not installed.
func printName(t *testing.T, name string, fonts []string) (file []byte, ok bool) {
	t.Helper()
	regular, _, err := BundledFonts()
	if err != nil {
		t.Fatal(err)
	}
	dir := folder("")
	dir["serif.ttf"] = &fstest.MapFile{Data: regular}
	list := "serif.ttf"
	for _, f := range fonts {
		b, ok := scriptFont(f)
		if !ok {
			return nil, false
		}
		dir[f+".ttf"] = &fstest.MapFile{Data: b}
		list = f + ".ttf, " + list
	}
	dir[File] = &fstest.MapFile{Data: []byte("name: X\npage: {size: A4, orientation: landscape}\nfonts: {t: [" + list + "]}\nfields:\n" +
		"  - {text: \"{full_name}\", x: 20, y: 40, width: 250, height: 40, font: t, size: 30}\nqr: {at: bottom-right}\n")}
	tpl, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if file, err = tpl.Render(map[string]string{"full_name": name}); err != nil {
		t.Fatal(err)
	}
	return file, true
}

// comparable is a text as a search compares it: composed, without marks of direction
// and with single spaces.
func comparable(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.Bidi_Control) {
			return -1
		}
		return c
	}, s)
	return norm.NFC.String(strings.Join(strings.Fields(s), " "))
}

// outsideReader reads a document's text with a program that may not be installed.
func outsideReader(t *testing.T, file []byte, name string, args ...string) (string, bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "FILE", path)
	}
	out, err := exec.Command(name, args...).Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out), true
}

// fromRight are the scripts that are written from right to left. Readers that keep the order
// of the content read them from the left; of poppler's, which turns texts around, the last two
// are not known to be of this kind.
var fromRight = []string{"arabic", "persian", "hebrew", "plain hebrew", "syriac", "thaana", "nko", "adlam"}

// TestScriptMatrix prints names of many scripts and reads back the letters that were printed.
// With VECCTL_PDFJS, the folder of the package pdfjs-dist, Firefox's reader is asked as well.
func TestScriptMatrix(t *testing.T) {
	for _, tt := range scriptTests {
		t.Run(tt.script, func(t *testing.T) {
			file, ok := printName(t, tt.name, tt.fonts)
			if !ok {
				t.Skipf("not all of %v are installed", tt.fonts)
			}
			for reader, got := range readAll(t, file) {
				accepted := []string{comparable(tt.name)}
				switch rtl := slices.Contains(fromRight, tt.script); {
				case tt.script == "mixed":
					checkWords(t, reader, got, tt.name)
					continue
				case rtl && (reader == "content" || reader == "mupdf" || tt.script == "nko" || tt.script == "adlam"):
					accepted = append(accepted, comparable(reversed(tt.name)))
				case reader == "pdf.js" && (tt.script == "persian" || tt.script == "sinhala"): // it leaves joiners out
					accepted = append(accepted, strings.NewReplacer("\u200c", "", "\u200d", "").Replace(accepted[0]))
				case reader == "pdf.js" && tt.script == "thaana": // it sees a space within the last word's cluster
					got, accepted[0] = strings.ReplaceAll(got, " ", ""), strings.ReplaceAll(accepted[0], " ", "")
				}
				if !slices.Contains(accepted, comparable(got)) {
					t.Errorf("%s reads %+q, want %+q", reader, comparable(got), accepted)
				}
			}
		})
	}
}

// readAll is what each reader that is there reads.
func readAll(t *testing.T, file []byte) map[string]string {
	t.Helper()
	all := map[string]string{"content": pdf.ReadText(bytes.NewReader(file), int64(len(file)), 1).Words}
	readers := map[string][]string{"poppler": {"pdftotext", "FILE", "-"}, "mupdf": {"mutool", "draw", "-q", "-F", "txt", "FILE"}}
	if dir := os.Getenv("VECCTL_PDFJS"); dir != "" {
		readers["pdf.js"] = []string{"node", "--input-type=module", "-e", `
import {getDocument} from "` + dir + `/legacy/build/pdf.mjs";
import fs from "fs";
const doc = await getDocument({data: new Uint8Array(fs.readFileSync("FILE")), verbosity: 0}).promise;
const content = await (await doc.getPage(1)).getTextContent();
console.log(content.items.map(i => i.str + (i.hasEOL ? "\n" : "")).join(""));`}
	}
	for name, command := range readers {
		if said, ok := outsideReader(t, file, command[0], command[1:]...); ok {
			all[name] = said
		}
	}
	return all
}

func checkWords(t *testing.T, reader, got, name string) {
	t.Helper()
	got = comparable(got)
	for word := range strings.FieldsSeq(strings.NewReplacer("(", " ", ")", " ", ".", " ").Replace(name)) {
		if !strings.Contains(got, word) && !strings.Contains(got, reversed(word)) {
			t.Errorf("%s does not read %q in %q", reader, word, got)
		}
	}
}

func reversed(s string) string {
	letters := []rune(s)
	slices.Reverse(letters)
	return string(letters)
}

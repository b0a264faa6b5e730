package dropfolder

import (
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// mapped is a manifest whose headings say nothing, and whose date can be read in two ways.
const mapped = "What,Who,Where,When,Doc\nDiploma,Ann,ann@example.org,1/6/2026,a.pdf\n"

const mapAnswers = "map: {What: certificate_title, Who: full_name, Where: applicant_email, When: issue_date, Doc: file}\n"

func TestAnswersBesideAManifest(t *testing.T) {
	b := newBench(t)
	b.put("drop/sub/m.csv", mapped)
	b.put("drop/sub/a.pdf", "a END")
	b.put("drop/sub/manifest.yaml", mapAnswers+"date_format: DD/MM/YYYY\n")
	b.settle()
	b.again() // the answers are kept with the batch
	b.start()
	b.work()
	b.lies("drop")
	b.lies("failed")
	b.lies("verified", "2026-06-01-m/Ann.pdf", "2026-06-01-m/report.csv")
}

// Answers in the drop folder itself stay for what comes next; rejected rows get their own.
func TestAnswersForAllOfTheDropFolder(t *testing.T) {
	b := newBench(t)
	b.put("drop/manifest.yaml", mapAnswers+"date_format: DD/MM/YYYY\n")
	b.put("drop/m.csv", mapped)
	b.put("drop/a.pdf", "a, damaged")
	b.settle()
	b.work()
	b.lies("drop", "manifest.yaml")
	b.lies("failed", "2026-06-01-m/a.pdf", "2026-06-01-m/a.pdf.reason.txt", "2026-06-01-m/manifest.yaml",
		"2026-06-01-m/rejected.csv", "2026-06-01-m/rejected.csv.reason.txt")
	if note := b.Status().Waiting[0]; note.State != Named || note.Note != "answers for the manifests beside it" {
		t.Errorf("status says %+v", note)
	}
}

func TestAnswersOfTheSettings(t *testing.T) {
	b := newBench(t)
	b.Answers = Answers{DateFormat: "DD/MM/YYYY", Delimiter: ";", Map: map[string]string{"Who": "full_name"}}
	b.put("drop/m.csv", strings.ReplaceAll("title,Who,email,date,file\nDiploma,Ann,ann@example.org,1/6/2026,a.pdf\n", ",", ";"))
	b.put("drop/a.pdf", "a, damaged")
	b.settle()
	b.work()
	b.put("drop/rejected.csv", strings.ReplaceAll(b.read("failed/2026-06-01-m/rejected.csv"), ";", ",")) // as a spreadsheet saves it
	b.put("failed/2026-06-01-m/a.pdf", "a END")
	b.settle()
	b.work()
	b.lies("drop")
	b.lies("failed")
}

// A reason file advises lines of manifest.yaml, and no flag.
func TestAdviceCanBeFollowed(t *testing.T) {
	b := newBench(t)
	b.put("drop/sub/m.csv", "title,name,email,Zeitpunkt,date2,file\nDiploma,Ann,ann@example.org,2026-06-01,,a.pdf\n")
	b.put("drop/n.csv", strings.Replace(rows("Ann", "a.pdf"), "2026-06-01", "1/6/2026", 1))
	b.put("drop/o/o.csv", rows("Ann", "a.pdf"))
	b.put("drop/o/manifest.yaml", "dateformat: DD/MM/YYYY\n")
	b.settle()
	for name, want := range map[string]string{
		"m.csv": "the line `map: {Zeitpunkt: issue_date}` in manifest.yaml",
		"n.csv": "the line `date_format: DD/MM/YYYY` in manifest.yaml or the line `date_format: MM/DD/YYYY` in manifest.yaml",
		"o.csv": `manifest.yaml, line 1: "dateformat" is not known; the keys are date_format, delimiter`,
	} {
		got := b.read("failed/" + name + ".reason.txt")
		if !strings.Contains(got, want) || strings.Contains(got, "--") {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, want := range map[string]string{
		"m.csv": "What was read of it:\nRead 1 row of text in utf-8, separated by commas:\n  column A, title\n  column B, name\n  column C, email\n  column D, Zeitpunkt\n  column E, date2\n  column F, file\n  row 2: \"Diploma\", \"Ann\", \"ann@example.org\", \"2026-06-01\", \"\", \"a.pdf\"\n",
		"n.csv": "column D, issue_date: -> issue_date",
	} {
		if got := b.read("failed/" + name + ".reason.txt"); !strings.Contains(got, want) {
			t.Errorf("%s does not say what was read:\n%s", name, got)
		}
	}
	if len(b.issuer.told) != 3 || !b.issuer.told[0].Refused {
		t.Errorf("the office was told %+v", b.issuer.told)
	}
}

func TestParseAnswers(t *testing.T) {
	a, err := ParseAnswers([]byte("date_format: DD/MM/YYYY\nmap:\n  A + B: full_name\nstrict: true\nqr_size: 30\n"))
	if err != nil || a.DateFormat != "DD/MM/YYYY" || a.Map["A + B"] != "full_name" || !a.IsStrict() || a.QRSize != 30 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := ParseAnswers(nil); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"- a\n", "names: none\n", "hidden: yes\n", "map: x\n", "qr_page: -1\n", "qr_at: middle\n", "strict: perhaps\n", "a: [\n"} {
		if _, err := ParseAnswers([]byte(bad)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "manifest.yaml") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAManifestThatIsOpenWaits(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.put("drop/a.pdf", "a END")
	for _, lock := range []string{"drop/~$m.csv", "drop/.~lock.m.csv#"} {
		b.put(lock, "")
		b.settle()
		if len(b.queue) != 0 {
			t.Fatal("a manifest that is open was taken")
		}
		found := false
		for _, f := range b.Status().Waiting {
			found = found || f.Name == "m.csv" && f.State == Waiting && strings.HasPrefix(f.Note, "is open in a spreadsheet program")
		}
		if !found {
			t.Errorf("status says %+v", b.Status().Waiting)
		}
		b.remove(lock)
	}
	b.pass(time.Second)
	b.work()
	b.lies("verified", "2026-06-01-m/Ann.pdf", "2026-06-01-m/report.csv")
}

func TestWhatWillNeverBeIssuedIsNamed(t *testing.T) {
	b := newBench(t)
	for name, why := range map[string]string{"x.rar": "archive", "y.docx": "save it as PDF", "z.xlsb": "save it as XLSX", "m.eml": "attached"} {
		b.put("drop/"+name, "x")
		if got := neverIssued(name); !strings.Contains(got, why) {
			t.Errorf("%s: %q", name, got)
		}
	}
	b.settle()
	for _, f := range b.Status().Waiting {
		if f.State != Unusable || f.Note == "" {
			t.Errorf("status says %+v", f)
		}
	}
	if neverIssued("a.pdf") != "" || neverIssued("a.png") != "" {
		t.Error("a document is said never to be issued")
	}
}

// A folder of the failed folder that is dropped as a whole has the same rows twice.
func TestOneOfTwoTablesOfRejectedRows(t *testing.T) {
	for name, tt := range map[string]struct{ csv, book string }{
		"the text was corrected":     {"ann@example.org", "ann"},
		"the workbook was corrected": {"ann", "ann@example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			const head = "certificate_title,full_name,applicant_email,issue_date,file,reason\nDiploma,Ann,%s,2026-06-01,a.pdf,x\n"
			m, err := manifest.Read([]byte(strings.Replace(head, "%s", tt.book, 1)), manifest.Options{})
			must(t, err)
			var book strings.Builder
			must(t, manifest.WriteRejectedWorkbook(&book, m, map[int]string{1: "x"}))
			b.put("drop/again/rejected.xlsx", book.String())
			b.put("drop/again/rejected.csv", strings.Replace(head, "%s", tt.csv, 1))
			b.put("drop/again/a.pdf", "a END")
			b.settle()
			b.work()
			b.settle()
			b.work()
			b.lies("drop")
			b.lies("failed")
			if len(b.issuer.issued) != 1 || len(b.issuer.told) != 1 || len(b.issuer.told[0].Report.Rows) != 1 {
				t.Errorf("issued %q, told %+v", b.issuer.issued, b.issuer.told)
			}
		})
	}
}

package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// sharedCase reads a manifest that once was read wrongly; the test is skipped where
// the cases are not at hand.
func sharedCase(t *testing.T, name string, opts Options) (*Manifest, error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "cases", "manifests", name))
	if os.IsNotExist(err) {
		t.Skip("the cases are not at hand")
	}
	if err != nil {
		t.Fatal(err)
	}
	opts.Name = filepath.Base(name)
	return Read(data, opts)
}

func TestSharedCases(t *testing.T) {
	read := func(name string, opts Options) string {
		m, err := sharedCase(t, name, opts)
		if err != nil {
			return err.Error()
		}
		var rows []string
		for _, r := range m.Rows {
			rows = append(rows, r.Name+" "+string(r.IssueDate)+" "+r.File)
		}
		return strings.Join(append(append(rows, said(m)), DescribeWarnings(m.Warnings())...), "|")
	}
	for _, tt := range []struct {
		name string
		opts Options
		want string
	}{
		{"silent_de/m.csv", Options{}, "Anna Müller 2026-06-01 1.pdf|"},
		{"silent_en/m.csv", Options{}, "John Smith  1.pdf|"},
		{"h_en2/m.csv", Options{}, "Ann Müller 2026-06-01 1.pdf|"},
		{"fdate/m.xlsx", Options{}, "m.xlsx: the cells D2 and D3 are formulas whose results are not stored in the file: open the workbook in Excel or LibreOffice, save it there, and try again"},
		{"hidden/m.xlsx", Options{}, `m.xlsx: 1 row is hidden or filtered out in the sheet "Sheet": row 3 ("Dip", "Bob Hidden", "hid2@example.org"). Say whether they count with --hidden read (issue them too) or --hidden skip (leave them out)`},
		{"hidden/m.xlsx", Options{Hidden: "skip"}, "Ann 2026-06-01 1.pdf|Cy 2026-06-01 3.pdf|"},
		{"hidden/m.xlsx", Options{Hidden: "read"}, "Ann 2026-06-01 1.pdf|Bob Hidden 2026-06-01 2.pdf|Cy 2026-06-01 3.pdf|"},
		{"sheets/m.xlsx", Options{}, `m.xlsx: 2 sheets hold tables, "Spring", "Autumn": say which one is meant with --sheet, such as --sheet "Spring"`},
		{"sheets/m.xlsx", Options{Sheet: "Autumn"}, "Bob 2026-06-01 2.pdf|"},
		{"mojibake/m.csv", Options{}, `JosÃ© MÃ¼ller 2026-06-01 1.pdf||row 1, column name (B2): "JosÃ© MÃ¼ller" was read in a wrong encoding somewhere, and probably means "José Müller"`},
		{"mojibake/m.csv", Options{Strict: true}, `JosÃ© MÃ¼ller 2026-06-01 1.pdf|row 1, column name (B2): "JosÃ© MÃ¼ller" was read in a wrong encoding somewhere, and probably means "José Müller"`},
		{"win/m.csv", Options{}, `N 2026-06-01 docs/1.pdf|M 2026-06-01 C:/Users/Reg/docs/2.pdf|O 2026-06-01 ./docs/3.pdf|P 2026-06-01 //srv/share/docs/2.pdf||` +
			`row 1, column name (B2): "N" is a single letter|row 2, column name (B3): "M" is a single letter|row 3, column name (B4): "O" is a single letter|row 4, column name (B5): "P" is a single letter`},
		{"zeros/m.xlsx", Options{}, "Ann A 2026-06-01 00123|Bob 2026-06-01 124|"},
		{"twins/m.csv", Options{}, `Ann Kowalska 2026-06-01 1.pdf|Ewa Kowalska 2026-06-01 2.pdf|row 2, column email (C3): found "family@example.org", the address of another person, "Ann Kowalska" in row 1, with the same title and issue date, ` +
			`want an address of Ewa Kowalska's own, or another title or date for one of them; where people share addresses, the setting issuing.shared_addresses lets names or external IDs tell them apart (vecctl institution set --shared-addresses)`},
	} {
		if got := read(tt.name, tt.opts); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestSharedCaseFiles(t *testing.T) {
	m, err := sharedCase(t, "win/m.csv", Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := MatchFiles(m, []string{"docs/1.pdf", "docs/2.pdf", "docs/3.pdf"})
	if fmt.Sprint(f.ByRow) != "map[1:docs/1.pdf 2:docs/2.pdf 3:docs/3.pdf 4:docs/2.pdf]" || len(f.Problems) > 0 {
		t.Errorf("%v, %v", f.ByRow, f.Problems)
	}
	want := `file: 4 values are written with backslashes (row 1: "docs\1.pdf" is read as "docs/1.pdf")|` +
		`file: 2 files were found by the end of a path of another machine (row 2: "C:/Users/Reg/docs/2.pdf" is "docs/2.pdf")`
	if got := strings.Join(append(m.Notes, f.Notes...), "|"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(f.Warnings) != 1 || f.Warnings[0].String() != `row 4, column file (E5): "//srv/share/docs/2.pdf" is the file of row 2 too` {
		t.Errorf("%v", f.Warnings)
	}
	if m, err = sharedCase(t, "zeros/m.xlsx", Options{}); err != nil {
		t.Fatal(err)
	}
	f = MatchFiles(m, []string{"00123.pdf", "00124.pdf", "m.xlsx"})
	if fmt.Sprint(f.ByRow) != "map[1:00123.pdf 2:00124.pdf]" || len(f.Notes) != 2 {
		t.Errorf("%v, %v", f.ByRow, f.Notes)
	}
}

// The tables of offices in many countries: the name and the date that are to be read.
func TestHeadingsOfLanguages(t *testing.T) {
	for _, tt := range []struct{ header, row, name, date string }{
		{"Title,Name,First Name,Email,File", "Dip,Smith,John,a@x.org,1.pdf", "John Smith", ""},
		{"Title,First Name,Surname,Email,Date Awarded,File", "Dip,John,Smith,a@x.org,2026-06-01,1.pdf", "John Smith", "2026-06-01"},
		{"Course,First,Middle,Last,Email,Conferral Date,File", "Dip,John,Q.,Smith,a@x.org,2026-06-01,1.pdf", "John Q. Smith", "2026-06-01"},
		{"Title,Name,First Name,Last Name,Email,File", "Dip,John Smith,John,Smith,a@x.org,1.pdf", "John Smith", ""},
		{"Titel,Vorname,Nachname,E-Mail,Ausstellungsdatum,Datei", "Dip,Anna,Müller,a@x.org,1. Juni 2026,1.pdf", "Anna Müller", "2026-06-01"},
		{"Abschluss,Name,Vorname,Geburtsdatum,E-Mail,Datum,Dateiname", "Dip,Müller,Anna,1.1.2000,a@x.org,01.06.2026,1.pdf", "Anna Müller", "2026-06-01"},
		{"Diplôme,Nom,Prénom,Courriel,Date de délivrance,Fichier", "Dip,Dupont,Zoé,a@x.org,1er juin 2026,1.pdf", "Zoé Dupont", "2026-06-01"},
		{"Título,Nombre,Apellidos,Correo electrónico,Fecha de emisión,Archivo", "Dip,Ana,García López,a@x.org,1 de junio de 2026,1.pdf", "Ana García López", "2026-06-01"},
		{"Curso,Nombre,Primer apellido,Segundo apellido,Correo,Fecha,Archivo", "Dip,Ana,García,López,a@x.org,2026-06-01,1.pdf", "Ana García López", "2026-06-01"},
		{"Certificado,Nome,Sobrenome,E-mail,Data de emissão,Arquivo", "Dip,João,Silva,a@x.org,1 de junho de 2026,1.pdf", "João Silva", "2026-06-01"},
		{"Attestato,Cognome,Nome,Posta elettronica,Data di rilascio,Nome file", "Dip,Rossi,Luca,a@x.org,1 giugno 2026,1.pdf", "Luca Rossi", "2026-06-01"},
		{"Certyfikat,Imię,Nazwisko,E-mail,Data wydania,Plik", "Dip,Łucja,Kowalska,a@x.org,1 czerwca 2026 r.,1.pdf", "Łucja Kowalska", "2026-06-01"},
		{"Sertifika,Adı,Soyadı,E-posta,Veriliş Tarihi,Dosya", "Dip,Ayşe,Çelik,a@x.org,1 Haziran 2026,1.pdf", "Ayşe Çelik", "2026-06-01"},
		{"Getuigschrift,Voornaam,Tussenvoegsel,Achternaam,E-mailadres,Datum van uitgifte,Bestand", "Dip,Jan,van der,Berg,a@x.org,1 juni 2026,1.pdf", "Jan van der Berg", "2026-06-01"},
		{"সনদের শিরোনাম,নাম,ইমেইল,তারিখ,ফাইল", "Dip,আনিকা রহমান,a@x.org,১ জুন ২০২৬,1.pdf", "আনিকা রহমান", "2026-06-01"},
		{"प्रमाणपत्र,पूरा नाम,ईमेल,दिनांक,फ़ाइल", "Dip,अनिता शर्मा,a@x.org,1 जून 2026,1.pdf", "अनिता शर्मा", "2026-06-01"},
		{"عنوان الشهادة,الاسم الأول,اسم العائلة,البريد الإلكتروني,تاريخ الإصدار,الملف", "Dip,ليلى,حداد,a@x.org,١ يونيو ٢٠٢٦,1.pdf", "ليلى حداد", "2026-06-01"},
		{"证书名称,姓,名,邮箱,颁发日期,文件", "Dip,王,小明,a@x.org,2026年6月1日,1.pdf", "王小明", "2026-06-01"},
		{"证书名称,姓,名,邮箱,颁发日期,文件", "Dip,Wang,Xiaoming,a@x.org,2026年6月1日,1.pdf", "Wang Xiaoming", "2026-06-01"},
		{"証明書,姓,名,メールアドレス,発行日,ファイル名", "Dip,山田,太郎,a@x.org,令和8年6月1日,1.pdf", "山田 太郎", "2026-06-01"},
		{"Title,Surname,Given Name,Email,File", "Dip,王,小明,a@x.org,1.pdf", "王小明", ""},
		{"증명서,성,이름,이메일,발급일,파일", "Dip,김,철수,a@x.org,2026년 6월 1일,1.pdf", "김철수", "2026-06-01"},
		{"Сертификат,Фамилия,Имя,Отчество,Электронная почта,Дата выдачи,Файл", "Dip,Иванова,Анна,Петровна,a@x.org,1 июня 2026 г.,1.pdf", "Анна Петровна Иванова", "2026-06-01"},
		{"Oklevél,Vezetéknév,Keresztnév,E-mail cím,Dátum,Fájl", "Dip,Nagy,Éva,a@x.org,2026-06-01,1.pdf", "Nagy Éva", "2026-06-01"},
		{"Title,First Name,Last Name,Degree,Email,File", "Ms,Ann,Lee,Dip,a@x.org,1.pdf", "Ann Lee", ""},
	} {
		m, err := Read([]byte(tt.header+"\n"+tt.row+"\n"), Options{Name: "m.csv"})
		if err != nil {
			t.Errorf("%s: %v", tt.header, err)
			continue
		}
		if r := m.Rows[0]; r.Name != tt.name || string(r.IssueDate) != tt.date || r.Title != "Dip" || r.Email != "a@x.org" || r.File != "1.pdf" || len(r.Problems) > 0 {
			t.Errorf("%s: %+v", tt.header, r)
		}
	}
}

// What a table leaves open is asked about, with a line to copy; obeying it helps.
func TestQuestions(t *testing.T) {
	rows := func(header string, rows ...string) string { return header + "\n" + strings.Join(rows, "\n") + "\n" }
	for _, tt := range []struct{ name, text, want, answer, reads string }{
		{"dates nobody knows", rows("title,name,email,file,Zeitpunkt", "D,Ann Lee,a@x.org,1.pdf,01.06.2026"),
			`the column "Zeitpunkt" (E) holds dates and is not used, and no other column is known as the issue date. Make it the issue date with --map "Zeitpunkt=issue_date", or leave it out with --map "Zeitpunkt=-" (the certificates are then dated today)`,
			"Zeitpunkt=issue_date", "Ann Lee 2026-06-01"},
		{"left out", rows("title,name,email,file,Zeitpunkt", "D,Ann Lee,a@x.org,1.pdf,01.06.2026"), `holds dates`, "Zeitpunkt=-", "Ann Lee "},
		{"a second date", rows("title,name,email,file,date,Enrolled", "D,Ann Lee,a@x.org,1.pdf,2026-06-01,2022-10-01"),
			`the column "Enrolled" (F) holds dates and is not used, for "date" (E) is the issue date. Leave it out with --map "Enrolled=-", or make it the issue date with --map "Enrolled=issue_date"`,
			"Enrolled=-", "Ann Lee 2026-06-01"},
		{"a date of birth alone", rows("title,name,email,file,Date of Birth", "D,Ann Lee,a@x.org,1.pdf,2000-01-01"), `--map "Date of Birth=-"`, "Date of Birth=-", "Ann Lee "},
		{"no heading", rows("title,name,email,file,", "D,Ann Lee,a@x.org,1.pdf,2026-06-01"), `the column E (no heading) holds dates`, "E=issue_date", "Ann Lee 2026-06-01"},
		{"graduated and completed", rows("title,name,email,file,Graduation Date,Completion Date", "D,Ann Lee,a@x.org,1.pdf,2026-06-01,2026-05-01"),
			`the headings "Graduation Date" (column 5) and "Completion Date" (column 6) both mean issue_date`, "Graduation Date=issue_date", "Ann Lee 2026-06-01"},
		{"names that agree in part", rows("title,Name,First Name,email,file", "D,Ann Lee,Ann,a@x.org,1.pdf", "D,Smith,John,b@x.org,2.pdf"),
			`the column "Name" (B) holds the full name in some rows, such as "Ann Lee" in row 2, and not in others, such as "Smith" beside "John" in row 3: say which is right, --map "Name=full_name" or --map "First Name + Name=full_name"`,
			"Name=full_name", "Ann Lee "},
		{"three names", rows("title,Name,First Name,Last Name,email,file", "D,Lions,Ann,Lee,a@x.org,1.pdf"), `--map "First Name + Last Name=full_name"`, "First Name + Last Name=full_name", "Ann Lee "},
		{"first names alone", rows("title,First Name,email,file", "D,Ann,a@x.org,1.pdf"), `no column for full_name: "First Name" (B) holds first names alone`, "First Name=full_name", "Ann "},
		{"last names alone", rows("title,Nachname,email,file", "D,Lee,a@x.org,1.pdf"), `"Nachname" (B) holds last names alone`, "Nachname=full_name", "Lee "},
		{"a first name beside a student", rows("title,Student,First Name,email,file", "D,Smith,John,a@x.org,1.pdf"),
			`the column "First Name" (C) is not used, and the full name in "Student" (B) does not hold it: row 2 has "John" beside "Smith". Join them with --map "First Name + Student=full_name", or leave it out with --map "First Name=-"`,
			"First Name + Student=full_name", "John Smith "},
		{"a misspelt first name", rows("title,Name,Frist Name,email,file", "D,Smith,John,a@x.org,1.pdf"), `--map "Frist Name + Name=full_name"`, "Frist Name=first name", "John Smith "},
		{"a misspelt date", rows("title,name,email,file,Isue Date", "D,Ann Lee,a@x.org,1.pdf,"), `the heading "Isue Date" (E) is nearly one for issue_date: if it is meant, use --map "Isue Date=issue_date", else --map "Isue Date=-"`, "Isue Date=-", "Ann Lee "},
		{"misspelt details", rows("title,name,email,file,Descriptiom", "D,Ann Lee,a@x.org,1.pdf,x"), `--map "Descriptiom=details"`, "Descriptiom=details", "Ann Lee "},
		{"an address in an unknown column", rows("title,name,Kontakt,file", "D,Ann Lee,a@x.org,1.pdf"), `no column for applicant_email: the column "Kontakt" (C) holds e-mail addresses. If it is meant, use --map "Kontakt=applicant_email"`, "Kontakt=applicant_email", "Ann Lee "},
		{"a near heading of another type", rows("title,Graduate Mame,email,file", "D,2026-06-01,a@x.org,1.pdf"), `no column for full_name: the columns are`, "", ""},
		{"unknown headings", rows("Umlai,Kasvo,Pirre,Dolmet", "D,Ann Lee,a,1"), `none of the headings is known: "Umlai", "Kasvo", "Pirre", "Dolmet". Rename them`, "", ""},
		{"forms of address", rows("Title,Name,email,file", "Ms,Ann Lee,a@x.org,1.pdf"), `no column for certificate_title: "Title" (A) holds forms of address, such as "Ms"`, "", ""},
		{"two degrees", rows("Degree,Course,name,email,file", "D,C,Ann Lee,a@x.org,1.pdf"), `the headings "Degree" (column 1) and "Course" (column 2) both mean certificate_title: rename one, or say which with --map "Degree=certificate_title"`, "Degree=certificate_title", "Ann Lee "},
	} {
		_, err := Read([]byte(tt.text), Options{Name: "m.csv"})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got\n%v\nwant\n%s", tt.name, err, tt.want)
			continue
		}
		if tt.answer == "" {
			continue
		}
		column, field, _ := strings.Cut(tt.answer, "=")
		m, err := Read([]byte(tt.text), Options{Name: "m.csv", Map: map[string]string{column: field}})
		if err != nil {
			t.Errorf("%s, answered: %v", tt.name, err)
		} else if got := m.Rows[0].Name + " " + string(m.Rows[0].IssueDate); got != tt.reads {
			t.Errorf("%s, answered: read %q, want %q", tt.name, got, tt.reads)
		}
	}
}

// What is no question is not asked.
func TestNoQuestions(t *testing.T) {
	for _, text := range []string{
		"title,name,email,file,date,Date of Birth,Student ID,Phone,Noten\nD,Ann Lee,a@x.org,1.pdf,2026-06-01,2000-01-02,20240101,0171-1234567,1.3\n",
		"title,Full Name,First Name,Last Name,email,file\nD,Ann Mary Lee,Ann,Lee,a@x.org,1.pdf\nD,Lee Ann,Ann,Lee,b@x.org,2.pdf\n",
		"title,name,email,file,Graduated,Completed\nD,Ann Lee,a@x.org,1.pdf,,\n",
		"title,姓名,email,file,姓,名\nD,王小明,a@x.org,1.pdf,王,小明\n",
		"title,name,email,template,exam day,date\nD,Ann Lee,a@x.org,degree,2026-05-01,2026-06-01\n",
	} {
		if _, err := Read([]byte(text), Options{Name: "m.csv"}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMapJoins(t *testing.T) {
	const text = "A,B,C + D,email,file,Title\nAnn,Lee,X,a@x.org,1.pdf,D\n"
	for given, want := range map[string]string{"A + B": "Ann Lee", "B+A": "Lee Ann", "C + D": "X", "A": "Ann", " a + b + c + d ": ""} {
		m, err := Read([]byte(text), Options{Name: "m.csv", Map: map[string]string{given: "full_name"}})
		if want == "" {
			if err == nil {
				t.Errorf("%s is taken", given)
			}
			continue
		}
		if err != nil || m.Rows[0].Name != want {
			t.Errorf("%s: %v, want %s", given, err, want)
		}
	}
	if _, err := Read([]byte(text), Options{Map: map[string]string{"A + A": "full_name"}}); err == nil || !strings.Contains(err.Error(), "named twice") {
		t.Error(err)
	}
	m, err := Read([]byte("title,name,email,file,Fach,Note2\nBSc,Ann Lee,a@x.org,1.pdf,Physik,x\n"), Options{Map: map[string]string{"title + Fach": "certificate_title", "Note2": "-"}})
	if err != nil || m.Rows[0].Title != "BSc Physik" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestDescribeReading(t *testing.T) {
	m := read(t, "Titel;Name;Vorname;E-Mail;Datum;Datei;Matrikel\nDiplom;Müller;Anna;a@x.org;01.06.2026;1.pdf;17\nDiplom;Łuk;Jan;j@x.org;;2.pdf;18\nDiplom;Os;Eva;e@x.org;;3.pdf;19\n", Options{})
	want := `Read 3 rows of text in utf-8, separated by semicolons:
  column A, Titel: -> certificate_title
  column B, Name: -> full_name
  column C, Vorname: -> full_name
  column D, E-Mail: -> applicant_email
  column E, Datum: -> issue_date
  column F, Datei: -> file
  column G, Matrikel: not used
  row 1: certificate_title "Diplom", full_name "Anna Müller", applicant_email "a@x.org", issue_date "2026-06-01", file "1.pdf"
  row 2: certificate_title "Diplom", full_name "Jan Łuk", applicant_email "j@x.org", file "2.pdf"
  filled in: issue_date: 2 rows have no date and the date of today is filled in (2, 3)`
	if got := strings.Join(m.DescribeReading(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	m = read(t, "title,name,email,file\nD,Ann Lee,a@x.org,1.pdf\n", Options{})
	if got := strings.Join(m.Defaults, "|"); got != "issue_date: no column gives it, so all 1 row has the date of today" {
		t.Error(got)
	}
}

// What can be understood is taken, with a note.
func TestTaken(t *testing.T) {
	m := read(t, header+`D,"""Ann Lee""",mailto:a@x.org,"""2026-06-01""",,"""a.pdf"""`+"\n"+`D,“Ben Os”,Ben Os <b@x.org>,,,b\c.pdf`+"\n"+`D,'Cay Os',<c@x.org>,,,c.pdf`+"\n"+`D,Dee Os,"""d@x.org""",,,d.pdf`+"\n", Options{})
	if s := said(m); s != "" || len(m.Warnings()) > 0 {
		t.Fatal(s, m.Warnings())
	}
	var got []string
	for _, r := range m.Rows {
		got = append(got, r.Name, r.Email, string(r.IssueDate), r.File)
	}
	if want := "Ann Lee a@x.org 2026-06-01 a.pdf Ben Os b@x.org  b/c.pdf Cay Os c@x.org  c.pdf Dee Os d@x.org  d.pdf"; strings.Join(got, " ") != want {
		t.Errorf("got %q", got)
	}
	for _, want := range []string{"full_name: 3 values are written in quotes", `applicant_email: 1 value is written with "mailto:"`, "applicant_email: 2 values are written with a name or in angle brackets",
		"applicant_email: 1 value is written in quotes", "file: 1 value is written with backslashes", "issue_date: 1 value is written in quotes"} {
		if !slices.ContainsFunc(m.Notes, func(n string) bool { return strings.HasPrefix(n, want) }) {
			t.Errorf("no note begins %q: %q", want, m.Notes)
		}
	}
}

func TestEmailFaults(t *testing.T) {
	for address, want := range map[string]string{
		"anna":                             "which has no @",
		"anna(at)x.org":                    `in which "(at)" stands for the @`,
		"a@b@x.org":                        "which has 2 @",
		"@x.org":                           "which has nothing before the @",
		"a@":                               "which has nothing after the @",
		"a b@x.org":                        "which has a space in it",
		"a@x,org":                          "which has a comma in it, perhaps for a dot",
		"a@x.org, b@x.org":                 "which is more than one address",
		"a@x.org;b@x.org":                  "which is more than one address",
		"a@x.org.":                         "which has a dot at its end",
		"a@.x.org":                         "which has a dot right after the @",
		".a@x.org":                         "which has a dot at the beginning or end of the part before the @",
		"a..b@x.org":                       "which has two dots in a row",
		"a@localhost":                      "which has no dot after the @, such as in example.org",
		"a\u200b@x.org":                    "which has the invisible character U+200B in it",
		"a(x)@x.org":                       `which has "(" before the @`,
		"a@x_y.org":                        `which has "_" after the @`,
		"a@-x.org":                         `in which "-x.org" is not a domain`,
		"a@1.2.3.4":                        `in which "1.2.3.4" is not a domain`,
		"jürgen@münchen.exam":              "",
		strings.Repeat("a", 65) + "@x.org": "which has 65 bytes before the @, of at most 64",
	} {
		if got := emailFault(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

// What is odd is remarked on, and refused where the person says so.
func TestWarnings(t *testing.T) {
	for _, tt := range []struct{ row, want string }{
		{"D,JosÃ© MÃ¼ller,a@x.org,,,a.pdf", `"JosÃ© MÃ¼ller" was read in a wrong encoding somewhere, and probably means "José Müller"`},
		{"D,ÅÃ³dÅº Ãwierk,a@x.org,,,a.pdf", ""},
		{"D,JosÃ© Weiß,a@x.org,,,a.pdf", `"JosÃ© Weiß" was read in a wrong encoding somewhere, and probably means "José Weiß"`},
		{"D,JosĂ© MĂĽller,a@x.org,,,a.pdf", `probably means "José Müller"`},
		{"D,Jos√© M√ºller,a@x.org,,,a.pdf", `probably means "José Müller"`},
		{"D,M├╝ller,a@x.org,,,a.pdf", `probably means "Müller"`},
		{"Diplôme dâ€™Ã©tat,Ann Lee,a@x.org,,,a.pdf", ""},
		{"D,M?ller,a@x.org,,,a.pdf", `"M?ller" has a question mark in a word, as where a letter was lost`},
		{"D,??? Lee,a@x.org,,,a.pdf", "has a question mark"},
		{"What now?,Ann Lee,a@x.org,,,a.pdf", ""},
		{"D,4711,a@x.org,,,a.pdf", `"4711" is a number, not a name`},
		{"D,-,a@x.org,,,a.pdf", `"-" is not a name`},
		{"D,N/A,a@x.org,,,a.pdf", `"N/A" is a placeholder, not a name`},
		{"D,a@x.org,a@x.org,,,a.pdf", `"a@x.org" is an e-mail address, not a name`},
		{"D,X,a@x.org,,,a.pdf", `"X" is a single letter`},
		{"D,\"Lee, Ann\",a@x.org,,,a.pdf", "with the last name first"},
		{"D,\"Ann Lee, B.A.\",a@x.org,,,a.pdf", ""},
		{"D,王,a@x.org,,,a.pdf", ""},
		{"D,Na Li,a@x.org,,,a.pdf", ""},
		{"D,Ann Lee,a@gmial.com,,,a.pdf", `"gmial.com" may be meant for "gmail.com"`},
		{"D,Ann Lee,a@hotmail.con,,,a.pdf", `"hotmail.con" may be meant for "hotmail.com"`},
		{"D,Ann Lee,a@uni.cmo,,,a.pdf", `"uni.cmo" may be meant for "uni.com"`},
		{"D,Ann Lee,a@ymail.com,,,a.pdf", ""},
		{"D,Ann Lee,a@x.org,2028-01-01,,a.pdf", "2028-01-01 is more than a year ahead"},
		{"D,Ann Lee,a@x.org,2027-05-31,,a.pdf", ""},
		{"D,Ann Lee,a@x.org,1888-05-31,,a.pdf", "1888-05-31 is before 1900"},
	} {
		m := read(t, header+tt.row+"\n", Options{Today: "2026-06-01"})
		if s := said(m); s != "" {
			t.Errorf("%s: %s", tt.row, s)
		}
		all := strings.Join(DescribeWarnings(m.Warnings()), "|")
		if tt.want == "" {
			continue
		}
		if !strings.Contains(all, tt.want) || !strings.Contains(all, "row 1, column ") {
			t.Errorf("%s: %q, want %q", tt.row, all, tt.want)
		}
		strict := read(t, header+tt.row+"\n", Options{Today: "2026-06-01", Strict: true})
		if len(strict.Warnings()) > 0 || !strings.Contains(said(strict), tt.want) {
			t.Errorf("%s, strict: %s", tt.row, said(strict))
		}
	}
	for _, plain := range []string{"What now?,Ann Lee,a@x.org,,,a.pdf", "D,王,a@x.org,,,a.pdf", "D,Na Li,a@ymail.com,2027-05-31,,a.pdf", "D,\"Ann Lee, B.A.\",a@x.org,,,a.pdf", "Ünïcödé,Łucja Żółć-Ñandú,a@web.de,,,a.pdf", "D,Иван Петров,a@mail.ru,,,a.pdf", "D,Ágnes Ő. Szűcs,a@gmx.de,,,a.pdf"} {
		if w := read(t, header+plain+"\n", Options{Today: "2026-06-01"}).Warnings(); len(w) > 0 {
			t.Errorf("%s: %v", plain, w)
		}
	}
}

// A file of two people is issued for both, with a remark.
func TestSharedFile(t *testing.T) {
	m := read(t, header+"D,Ann Lee,a@x.org,,,a.pdf\nD,Ben Os,b@x.org,,,./a.pdf\nD,Cay Os,c@x.org,,,A.pdf\n", Options{})
	f := MatchFiles(m, []string{"a.pdf"})
	if said(m) != "" || len(f.Problems) > 0 || len(f.ByRow) != 3 {
		t.Fatalf("%s, %v", said(m), f)
	}
	got := strings.Join(append(DescribeWarnings(m.Warnings()), DescribeWarnings(f.Warnings)...), "|")
	if got != `row 2, column file (F3): "./a.pdf" is the file of row 1 too|row 3, column file (F4): "A.pdf" is the file of row 1 too` {
		t.Error(got)
	}
}

func TestFilesUnderstood(t *testing.T) {
	for _, tt := range []struct{ file, listed, want string }{
		{"00123", "00123.pdf 00124.pdf", "00123.pdf"},
		{"124", "00123.pdf 00124.pdf", "00124.pdf"},
		{"124.pdf", "00124.pdf 00124.png", "00124.pdf"},
		{"124", "0124.pdf 00124.pdf", ""},
		{"124", "00124.pdf 00124.png", ""},
		{"docs/7", "docs/007.pdf 7/7.pdf", "docs/007.pdf"},
		{"anna", "Anna.PDF", "Anna.PDF"},
		{"anna", "anna.pdf anna.jpg", ""},
		{"anna.jpg", "anna.pdf", ""},
		{"12a", "012a.pdf", ""},
		{"C:/Users/Reg/docs/2.pdf", "docs/2.pdf 2.pdf", "docs/2.pdf"},
		{"D:/2.pdf", "2.pdf", "2.pdf"},
		{"//srv/share/docs/É.pdf", "docs/e\u0301.pdf", "docs/e\u0301.pdf"},
		{"C:/x/3.pdf", "2.pdf", ""},
		{"v1.2", "v1.2.pdf", "v1.2.pdf"},
	} {
		f := MatchFiles(rowsOf(tt.file), strings.Fields(tt.listed))
		if f.ByRow[1] != tt.want || (tt.want != "" && len(f.Notes) != 1) || (tt.want == "" && len(f.Problems) != 1) {
			t.Errorf("%s among %s: %v, %v, %v", tt.file, tt.listed, f.ByRow, f.Notes, f.Problems)
		}
	}
}

// The workbooks of real programs, read whole.
func TestRealWorkbooks(t *testing.T) {
	for name, want := range map[string]string{
		"libreoffice_plain.ods":   "Anna Müller 2026-06-01 00123|Jan Łucki 2026-06-02 00124|Ayşe Çelik 2026-06-03 c.pdf",
		"libreoffice_plain.xlsx":  "Anna Müller 2026-06-01 00123|Jan Łucki 2026-06-02 00124|Ayşe Çelik 2026-06-03 c.pdf",
		"libreoffice_merged.xlsx": "Anna Müller 2026-06-01 00123|Jan Łucki 2026-06-01 00124|Ayşe Çelik 2026-06-03 c.pdf",
		"exceljs.xlsx":            "Zoé Dupont 2026-06-01 1.pdf|Léa Martin 2026-06-02 2.pdf",
		"sheetjs.ods":             "John Smith 2026-06-01 1.pdf|Ann Lee 2026-06-02 2.pdf",
	} {
		data, err := os.ReadFile(filepath.Join("sheet", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		m, err := Read(data, Options{Name: name, Hidden: sheet.HiddenRead})
		if err != nil {
			t.Error(err)
			continue
		}
		var rows []string
		for _, r := range m.Rows {
			rows = append(rows, r.Name+" "+string(r.IssueDate)+" "+r.File)
		}
		if got := strings.Join(rows, "|"); got != want || said(m) != "" {
			t.Errorf("%s: got %s, %s\nwant %s", name, got, said(m), want)
		}
	}
}

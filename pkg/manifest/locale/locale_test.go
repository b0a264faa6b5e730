package locale

import (
	"slices"
	"testing"
)

// Every language has what a table of certificates needs.
func TestLanguagesAreComplete(t *testing.T) {
	for _, language := range []string{"en", "de", "fr", "es", "pt", "it", "pl", "tr", "nl", "bn", "hi", "ar", "zh", "ja"} {
		for _, role := range []Role{Title, Email, IssueDate, File, Details, BirthDate, FamilyName} {
			if !slices.ContainsFunc(HeadingsOf(role), func(h string) bool {
				return slices.ContainsFunc(loaded().headings[h], func(m Meaning) bool { return m.Language == language && m.Role == role })
			}) {
				t.Errorf("%s has no heading for %s", language, role)
			}
		}
	}
}

func TestHeading(t *testing.T) {
	for heading, want := range map[string]Role{
		"Conferral Date": IssueDate, "Date Awarded": IssueDate, "Surname": FamilyName, "GIVEN NAME *": GivenName, "E-Mail (privat)": Email,
		"Vorname": GivenName, "Ausstellungsdatum": IssueDate, "Prénom(s)": GivenName, "Correo electrónico": Email, "Imię i nazwisko": FullName,
		"İSİM": Name, "VERİLİŞ TARİHİ": IssueDate, "Veriliş Tarihi": IssueDate, "Achternaam": FamilyName, "তারিখ": IssueDate, "पूरा नाम": FullName,
		"البريد الالكترونى": Email, "الاسم الكامل": FullName, "出生日期": BirthDate, "メールアドレス": Email, "Ｅメール": Email, "氏名": FullName,
		"Fecha de Nacimiento": BirthDate, "Geb. am": BirthDate, "Фамилия": FamilyName, "ФИО": FullName,
	} {
		all := Heading(heading)
		if len(all) == 0 || slices.ContainsFunc(all, func(m Meaning) bool { return m.Role != want }) {
			t.Errorf("%s means %v, want %s", heading, all, want)
		}
	}
	for _, none := range []string{"", "Student ID", "Phone", "(anything)", "Grade", "Noten"} {
		if all := Heading(none); len(all) > 0 {
			t.Errorf("%q means %v", none, all)
		}
	}
}

func TestMonth(t *testing.T) {
	for word, want := range map[string]int{
		"June": 6, "JUNI": 6, "juin": 6, "junio": 6, "junho": 6, "giugno": 6, "czerwca": 6, "Haziran": 6, "জুন": 6, "जून": 6, "يونيو": 6, "حزيران": 6,
		"août": 8, "AĞUSTOS": 8, "Ağustos": 8, "März": 3, "mars": 3, "Mart": 3, "Aralık": 12, "września": 9, "ফেব্রুয়ারি": 2, "июня": 6, "6": 0, "": 0, "Jux": 0,
	} {
		if got := Month(word); got != want {
			t.Errorf("%s is month %d, want %d", word, got, want)
		}
	}
}

// A heading must not mean two things that nothing in a table can tell apart.
func TestNoContradictions(t *testing.T) {
	together := map[Role]Role{FullName: "person", Name: "person", GivenName: "person", FamilyName: "person", MiddleName: "person"}
	for heading, meanings := range loaded().headings {
		for _, m := range meanings[1:] {
			a, b := meanings[0], m
			if a.Role != b.Role && (together[a.Role] == "" || together[a.Role] != together[b.Role]) {
				t.Errorf("%q is %s in %s and %s in %s", heading, a.Role, a.Language, b.Role, b.Language)
			}
		}
	}
}

func TestBrokenFile(t *testing.T) {
	for _, bad := range []string{"en: {titel: [x]}", "en: [", "en: {months: [Jan]}\nxx: {months: [Feb, Jan]}"} {
		if _, err := load([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

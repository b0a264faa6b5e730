package storetest

import (
	"fmt"
	"math"
	"strings"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// filters asks by every combination of one filter for each field, and compares
// with what a look at every certificate finds.
func filters(f *fixture) {
	var all []vault.Certificate
	for i := range 48 {
		d := f.draft()
		d.Email = fmt.Sprintf("Émile%d@Example.com", i%3)
		d.Title = fmt.Sprintf("Diploma %d", i)
		d.Batch = []string{"", "one", "two"}[i/2%3]
		d.IssueDate = vault.Date(fmt.Sprintf("2026-05-%02d", 1+i%5))
		d.ExpiryDate = []vault.Date{"", "2027-01-31", "2027-02-28", "2028-01-31"}[i%4]
		d.Name = []string{"Łukasz", "Ada", "Grace"}[i%3] + fmt.Sprint(i)
		all = append(all, f.insertOne(f.a, d))
		f.insertOne(f.b, d)
		if i%4 == 0 {
			all[i] = f.change(all[i], approve(f.tick()))
		}
	}
	for _, status := range []vault.Status{"", vault.Approved, vault.Processing} {
		for _, email := range []string{"", " ÉMILE1@example.COM "} {
			for _, search := range []string{"", "ŁUK", "a"} {
				for _, batch := range []string{"", "two"} {
					for _, from := range []vault.Date{"", "2026-05-02"} {
						for _, to := range []vault.Date{"", "2026-05-04"} {
							filter := store.Filter{Institution: f.a, Status: status, Email: email, Search: search, Batch: batch, From: from, To: to}
							f.finds(filter, selected(all, filter)...)
							filter.EndsFrom, filter.EndsTo = from.AddDays(260), to.AddDays(300) // nothing where both are ""
							f.finds(filter, selected(all, filter)...)
						}
					}
				}
			}
		}
	}
}

// selected is a filter in its plainest form.
func selected(all []vault.Certificate, f store.Filter) []vault.Certificate {
	var found []vault.Certificate
	for _, c := range all {
		fits := c.Institution == f.Institution &&
			(f.Status == "" || c.Status == f.Status) &&
			(f.Source == "" || c.Source == f.Source) &&
			(!f.Open || c.Open()) &&
			(f.Email == "" || vault.FoldEmail(c.Email) == vault.FoldEmail(f.Email)) &&
			(f.Batch == "" || c.Batch == f.Batch) &&
			(f.Failure == "" || c.FailureCode() == f.Failure) &&
			(f.Below == 0 || c.ID < f.Below) &&
			(f.From == "" || c.IssueDate >= f.From) &&
			(f.To == "" || c.IssueDate <= f.To) &&
			(f.EndsFrom == "" && f.EndsTo == "" || c.ExpiryDate != "") &&
			(f.EndsFrom == "" || c.ExpiryDate >= f.EndsFrom) &&
			(f.EndsTo == "" || c.ExpiryDate <= f.EndsTo)
		if term := vault.Fold(vault.Clean(f.Search)); fits && term != "" {
			fits = strings.Contains(vault.Fold(c.Name), term) || strings.Contains(vault.Fold(c.Email), term) ||
				strings.Contains(vault.Fold(c.Title), term) || strings.Contains(vault.Fold(c.Reference), term)
		}
		if fits {
			found = append(found, c)
		}
	}
	return found
}

func filtersFindNothing(f *fixture) {
	d := f.draft()
	d.Batch = "b"
	f.insertOne(f.a, d)
	for _, filter := range []store.Filter{
		{Status: vault.Revoked}, {Source: vault.FromCustomer}, {Source: "unheard of"}, {Open: true}, {Failure: "damaged"}, {Failure: "damaged\x00"}, {Below: 1}, {Status: "unheard of"}, {Status: "processing\x00"}, {Email: "nobody@example.com"}, {Email: d.Email[1:]},
		{Email: d.Email + "\x00"}, {Email: d.Email + "\x00\x00\x00"}, {Batch: "B"}, {Batch: "b\x00\x00"}, {Search: "zzz"}, {Search: "diplomas"},
		{Search: "\x00\x00\x00"}, {Search: "\xff\xfe\xfd"}, {From: "2026-05-03"}, {To: "2026-05-01"}, {From: "2026-05-03", To: "2026-05-01"},
	} {
		filter.Institution = f.a
		f.finds(filter)
	}
}

func pages(f *fixture) {
	all := f.insertMany(f.a, 7, func(_ int, d *vault.Draft) { d.Batch = "b" })
	for _, filter := range []store.Filter{
		{}, {Status: vault.Processing}, {Batch: "b"}, {From: "2026-05-02"}, {Search: "person"}, {Search: "p"},
	} {
		filter.Institution = f.a
		tests := []struct {
			page, perPage, first, last int // of all, from the newest
		}{
			{1, 3, 0, 3}, {2, 3, 3, 6}, {3, 3, 6, 7}, {4, 3, 7, 7}, {1, 7, 0, 7}, {2, 7, 7, 7}, {1, 100, 0, 7}, {1000, 100, 7, 7},
			{math.MaxInt, 15, 7, 7}, {math.MaxInt/2 + 2, 2, 7, 7}, {1, math.MaxInt, 0, 7}, {math.MaxInt, math.MaxInt, 7, 7},
		}
		for _, tt := range tests {
			p := f.list(filter, tt.page, tt.perPage)
			what := fmt.Sprintf("%+v, page %d of %d each", filter, tt.page, tt.perPage)
			if p.Total != len(all) || len(p.Certificates) != tt.last-tt.first {
				f.Errorf("%s: %d of %d, want %d of %d", what, len(p.Certificates), p.Total, tt.last-tt.first, len(all))
				continue
			}
			for i, c := range p.Certificates {
				f.wantSame(c, all[len(all)-1-tt.first-i], what)
			}
		}
	}
}

// failuresByCause counts and lists failed certificates by the code of their failure.
func failuresByCause(f *fixture) {
	failFor := func(c vault.Certificate, code string) vault.Certificate {
		return f.change(c, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Fail(vault.Failure{Code: code, Reason: "because of " + c.Name}, f.tick())
		})
	}
	want := func(institution uint32, batch string, want ...store.FailureCount) {
		f.Helper()
		got, err := f.store.Failures(f.Context(), institution, batch)
		f.check(err)
		f.wantSame(append([]store.FailureCount{}, got...), append([]store.FailureCount{}, want...), "failures of batch "+batch)
	}
	want(f.a, "")
	all := f.insertMany(f.a, 6, func(i int, d *vault.Draft) { d.Batch = []string{"one", "two"}[i%2] })
	for i, code := range []string{"encrypted", "damaged", "encrypted", "", "damaged"} {
		all[i] = failFor(all[i], code)
	}
	other := failFor(f.insertOne(f.b, f.draft()), "damaged")
	check := func() {
		f.Helper()
		want(f.a, "", store.FailureCount{Code: "damaged", Count: 2, Latest: all[4]}, store.FailureCount{Code: "encrypted", Count: 2, Latest: all[2]},
			store.FailureCount{Code: vault.CodeInternal, Count: 1, Latest: all[3]})
		want(f.a, "one", store.FailureCount{Code: "damaged", Count: 1, Latest: all[4]}, store.FailureCount{Code: "encrypted", Count: 2, Latest: all[2]})
		want(f.a, "three")
		want(f.b, "", store.FailureCount{Code: "damaged", Count: 1, Latest: other})
		f.finds(store.Filter{Institution: f.a, Failure: "damaged"}, all[1], all[4])
		f.finds(store.Filter{Institution: f.a, Failure: "damaged", Batch: "two"}, all[1])
		f.finds(store.Filter{Institution: f.a, Failure: vault.CodeInternal, Status: vault.Failed}, all[3])
		f.finds(store.Filter{Institution: f.a, Failure: "damage"})
	}
	check()
	f.reopen()
	check()
	// One that leaves the state leaves its cause, and may come back for another.
	f.change(all[4], retry(f.tick()))
	all[2] = failFor(f.change(all[2], retry(f.tick())), "damaged")
	want(f.a, "", store.FailureCount{Code: "damaged", Count: 2, Latest: all[2]}, store.FailureCount{Code: "encrypted", Count: 1, Latest: all[0]},
		store.FailureCount{Code: vault.CodeInternal, Count: 1, Latest: all[3]})
	f.finds(store.Filter{Institution: f.a, Failure: "damaged"}, all[1], all[2])
}

// pagesBelow reads on from a certificate while those before it leave the list.
func pagesBelow(f *fixture) {
	all := f.insertMany(f.a, 9, func(int, *vault.Draft) {})
	for i := range all {
		all[i] = f.change(all[i], fail(f.tick()))
	}
	filter := store.Filter{Institution: f.a, Failure: "damaged"}
	var names []string
	for {
		p := f.list(filter, 1, 2)
		if want := len(all) - len(names); p.Total != want {
			f.Errorf("%d are left below %d, want %d", p.Total, filter.Below, want)
		}
		for _, c := range p.Certificates {
			names, filter.Below = append(names, c.Name), c.ID
			f.change(c, retry(f.tick()))
		}
		if len(p.Certificates) < 2 {
			break
		}
	}
	for i, name := range names {
		f.wantSame(name, all[len(all)-1-i].Name, "read on from the one before")
	}
	f.wantSame(len(names), len(all), "how many were read")
	f.finds(store.Filter{Institution: f.a, Below: all[3].ID}, all[:3]...)
	f.finds(store.Filter{Institution: f.a, Below: all[8].ID + 1<<40}, all...)
}

func search(f *fixture) {
	person := func(name, email, title string) vault.Certificate {
		d := f.draft()
		d.Name, d.Email, d.Title = name, email, title
		return f.insertOne(f.a, d)
	}
	lukasz := person("Łukasz Żółw", "lukasz@uni.edu.pl", "Magister")
	istanbul := person("Işıl İnan", "isil@uni.edu.tr", "Lisans Diploması")
	greek := person("Οδυσσεύς", "odysseus@uni.example", "Πτυχίο")
	arabic := person("مُحَمَّد", "m@uni.example", "شهادة")
	bengali := person("রহিমা খাতুন", "rahima@uni.example", "শংসাপত্র")
	chinese := person("王小明", "wang@uni.example", "学位")
	percent := person("100% _x_ *?", "glob@uni.example", "a\\b")
	repeats := person("aaaa", "abcabcabd@x.example", "banana bandana")
	tests := []struct {
		term string
		want []vault.Certificate
	}{
		{"z", []vault.Certificate{lukasz}}, {"zo", []vault.Certificate{lukasz}}, {"zol", []vault.Certificate{lukasz}},
		{"ŻÓŁW", []vault.Certificate{lukasz}}, {"lukasz z", []vault.Certificate{lukasz}}, {"Lukasz@UNI", []vault.Certificate{lukasz}},
		{"  magister ", []vault.Certificate{lukasz}}, {"isil in", []vault.Certificate{istanbul}}, {"İSİL", []vault.Certificate{istanbul}},
		{"ΟΔΥΣΣ", []vault.Certificate{greek}}, {"οδυσσευσ", []vault.Certificate{greek}}, {"ΠΤ", []vault.Certificate{greek}},
		{"محمد", []vault.Certificate{arabic}}, {"م", []vault.Certificate{arabic}}, {"রহিমা", []vault.Certificate{bengali}},
		{"খা", []vault.Certificate{bengali}}, {"小", []vault.Certificate{chinese}}, {"小明", []vault.Certificate{chinese}},
		{"0% _x_ *?", []vault.Certificate{percent}}, {"%", []vault.Certificate{percent}}, {"\\", []vault.Certificate{percent}},
		{"aaaa", []vault.Certificate{repeats}}, {"aaaaa", nil}, {"abcabd", []vault.Certificate{repeats}}, {"abcabcabcabd", nil},
		{"anana", []vault.Certificate{repeats}}, {"banbandana", nil}, {"bananana", nil},
		{lukasz.Reference, []vault.Certificate{lukasz}}, {strings.ToLower(lukasz.Reference)[8:], []vault.Certificate{lukasz}},
		{strings.Repeat("x", 5000), nil},
		// Over the borders of fields nothing matches, however it is spelled.
		{"zolw lukasz@", nil}, {"zolw\nlukasz@", nil}, {"zolwlukasz", nil}, {"w\nl", nil}, {"\nlu", []vault.Certificate{lukasz}}, {"pl\nmag", nil}, {"w\n", []vault.Certificate{lukasz, chinese}},
	}
	for _, tt := range tests {
		f.finds(store.Filter{Institution: f.a, Search: tt.term}, tt.want...)
	}
	f.finds(store.Filter{Institution: f.a, Search: "uni", Status: vault.Processing}, lukasz, istanbul, greek, arabic, bengali, chinese, percent)
	f.finds(store.Filter{Institution: f.a, Search: " \t"}, lukasz, istanbul, greek, arabic, bengali, chinese, percent, repeats)
}

// searchAmongMany holds the search to the truth where terms are common and
// where they occur in few of many texts.
func searchAmongMany(f *fixture) {
	const n = 3000
	rare := map[int]bool{3: true, 1500: true, 2999: true}
	var all []vault.Certificate
	for start := 0; start < n; start += 500 {
		all = append(all, f.insertMany(f.a, 500, func(i int, d *vault.Draft) {
			d.Title = "Bachelor of Science"
			if rare[start+i] {
				d.Title = "Bachelor of Fine Scissors"
			}
		})...)
	}
	odd := selected(all, store.Filter{Institution: f.a, Search: "fine sc"})
	if len(odd) != len(rare) {
		f.Fatalf("%d of the rare ones", len(odd))
	}
	f.finds(store.Filter{Institution: f.a, Search: "of fine sci"}, odd...)
	f.finds(store.Filter{Institution: f.a, Search: "sciss"}, odd...)
	f.finds(store.Filter{Institution: f.a, Search: "science sci"})
	for _, term := range []string{"sci", "bachelor of sci", "of science", "example.com", "person 7", "299", "p12", "12@exa", "VEC-IC-2026", "7", "e"} {
		filter := store.Filter{Institution: f.a, Search: term}
		want := selected(all, filter)
		p := f.list(filter, 2, 10)
		if p.Total != len(want) {
			f.Errorf("%q: %d, want %d", term, p.Total, len(want))
			continue
		}
		for i, c := range p.Certificates {
			f.wantSame(c.Name, want[len(want)-11-i].Name, term)
		}
	}
}

package apply

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/pages/frame"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// largestForm bounds what is read of a form. A file that is larger than 20 MB is
// read over up to here, so that its sender gets to read what is wrong with it.
const largestForm = 3*vault.MaxFile + 1<<20

// The form's fields, in the order in which they are shown and sent. Own is a title
// that the institution does not offer.
const (
	fieldTitle    = "title"
	fieldOwn      = "own"
	fieldName     = "name"
	fieldEmail    = "email"
	fieldDetails  = "details"
	fieldEvidence = "evidence"
)

// form is an application that is being filled in.
type form struct {
	take     func(r io.Reader, name string) (vault.File, error)
	at       vault.ApplicationPolicy
	account  string // address of who is signed in, "" for nobody
	texts    map[string]string
	sent     bool        // a file came
	evidence *vault.File // the one that was taken
	refused  complaint   // why it was not
}

// complaint is what is wrong with a field: a text of the table, and words of
// whoever looked into a file, which are English.
type complaint struct{ text, why string }

func newForm(ctx context.Context, desk Desk, at vault.ApplicationPolicy, who vault.Account) *form {
	take := func(r io.Reader, name string) (vault.File, error) { return desk.TakeEvidence(ctx, r, name) }
	return &form{take: take, at: at, account: who.Email, texts: map[string]string{}}
}

// Wants implements Fields.
func (f *form) Wants(name string) bool {
	return slices.Contains([]string{fieldTitle, fieldOwn, fieldName, fieldEmail, fieldDetails, fieldEvidence}, name)
}

// Text implements Fields; of two values with one name the last counts.
func (f *form) Text(name, value string) {
	// Browsers end lines with two characters and count them as one.
	f.texts[name] = strings.ReplaceAll(value, "\r\n", "\n")
}

// File implements Fields. A file is taken only when the texts before it are in
// order, so that nothing is stored that nobody could apply with.
func (f *form) File(name, fileName string, r io.Reader) error {
	switch {
	case name != fieldEvidence || fileName == "": // browsers send an empty name for no file
		return nil
	case f.sent:
		f.refuse("apply.bad.one", "")
		return nil
	}
	f.sent = true
	if len(f.wrongTexts()) > 0 {
		return nil
	}
	counted := &counter{Reader: r}
	file, err := f.take(counted, fileName)
	switch {
	case err == nil:
		f.evidence = &file
	case fault.Is(err, fault.Invalid) && counted.n > vault.MaxFile:
		f.refuse("apply.bad.large", "")
	case fault.Is(err, fault.Invalid):
		why, _ := fault.Message(err)
		f.refuse("apply.bad.file", why)
	default:
		return err
	}
	return nil
}

// refuse notes why there is no evidence.
func (f *form) refuse(text, why string) {
	f.sent, f.evidence, f.refused = true, nil, complaint{text, why}
}

// counter counts what is read.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// own is a title that the institution does not offer, where it takes one.
func (f *form) own() string {
	if !f.at.FreeTitle {
		return ""
	}
	return vault.Clean(f.texts[fieldOwn])
}

// draft is what the form says.
func (f *form) draft() vault.ApplicationDraft {
	return vault.ApplicationDraft{
		Title: cmp.Or(f.own(), f.texts[fieldTitle]), Name: f.texts[fieldName],
		Email: cmp.Or(f.account, f.texts[fieldEmail]), Details: f.texts[fieldDetails], Evidence: f.evidence,
	}.Clean()
}

// problem is what is wrong with a field; a field without a name is the whole form.
type problem struct {
	Field string
	complaint
}

// wrongTexts finds what is wrong with the texts.
func (f *form) wrongTexts() (found []problem) {
	wrong := map[string]bool{}
	for _, one := range fault.FieldsOf(f.at.Check(f.draft())) {
		wrong[one.Name] = true
	}
	title := "apply.bad.choose"
	switch {
	case f.own() != "" && vault.Clean(f.texts[fieldTitle]) != "":
		wrong["certificate_title"], title = true, "apply.bad.both"
	case f.at.FreeTitle:
		title = "apply.bad.title"
	}
	for _, one := range []struct{ name, field, text string }{
		{"certificate_title", f.titleField(), title}, {"full_name", fieldName, "apply.bad.name"},
		{"applicant_email", fieldEmail, "signin.bad"}, {"details", fieldDetails, "apply.bad.details"},
	} {
		if wrong[one.name] {
			found = append(found, problem{one.field, complaint{text: one.text}})
		}
	}
	return found
}

// titleField is the field that the title comes from.
func (f *form) titleField() string {
	if len(f.at.Titles) == 0 || f.own() != "" {
		return fieldOwn
	}
	return fieldTitle
}

// problems finds what is wrong with the form.
func (f *form) problems() []problem {
	found := f.wrongTexts()
	switch {
	case f.refused.text != "":
		return append(found, problem{fieldEvidence, f.refused})
	case f.sent && len(found) > 0:
		return append(found, f.again())
	case f.evidence == nil && !f.at.EvidenceOptional:
		text := "apply.bad.evidence"
		if f.sent {
			text = "apply.bad.again"
		}
		return append(found, problem{fieldEvidence, complaint{text: text}})
	}
	return found
}

// again asks for the file once more: browsers do not keep it.
func (f *form) again() problem { return problem{fieldEvidence, complaint{text: "apply.bad.again"}} }

// formProblem is something that no field can help.
func (f *form) formProblem(text string) []problem {
	found := []problem{{"", complaint{text: text}}}
	if f.sent {
		found = append(found, f.again())
	}
	return found
}

// sheet is the form as it is shown.
type sheet struct {
	Here, Account                            string
	Titles                                   []choice
	Free, Optional                           bool
	Own, Name, Email, Details, Why           string
	Complaints                               map[string]string // by field
	Problems                                 []stated
	MaxText, MaxDetails, MaxAddress, MaxFile int
}

// choice is a title that the institution offers.
type choice struct {
	Title  string
	Chosen bool
}

// stated is a problem in the words of the visitor's language.
type stated struct{ Field, Text string }

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, f *form, found []problem) {
	v := p.Frame.Own(r)
	s := sheet{
		Here: v.Link("/apply"), Account: f.account, Free: f.at.FreeTitle, Optional: f.at.EvidenceOptional,
		Own: f.typed(fieldOwn), Name: f.typed(fieldName), Email: f.typed(fieldEmail), Details: f.typed(fieldDetails),
		Complaints: map[string]string{}, MaxText: vault.MaxName, MaxDetails: vault.MaxDetails, MaxAddress: vault.MaxEmail, MaxFile: vault.MaxFile,
	}
	for _, title := range f.at.Titles {
		s.Titles = append(s.Titles, choice{title, title == vault.Clean(f.texts[fieldTitle]) || len(f.at.Titles) == 1 && !f.at.FreeTitle})
	}
	for _, one := range found {
		s.Problems = append(s.Problems, stated{one.Field, v.T(one.text)})
		s.Complaints[one.Field] = v.T(one.text)
		s.Why = cmp.Or(s.Why, one.why)
	}
	page := frame.Page{View: v, Title: v.T("apply")}
	if len(found) > 0 {
		page.Title = v.T("apply.wrong", page.Title)
	}
	p.Frame.Show(w, r, status, page, p.form, s)
}

// typed is a text as it can be shown again.
func (f *form) typed(field string) string { return strings.ToValidUTF8(f.texts[field], "\ufffd") }

package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

const batchesPath = "/business/batches"

// newTemplatedSite is a site with the templates that come along.
func newTemplatedSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	shelf := template.Dir{Path: home.Dir(s.home).Templates()}
	for _, name := range template.BundledNames() {
		files, err := template.BundledFiles(name)
		s.check(err)
		s.check(shelf.Add(name, files))
	}
	return s
}

func (s *site) table(name, template, table string, more ...string) answer {
	s.Helper()
	return s.post(batchesPath, newForm(append([]string{"name", name, "template_id", template}, more...)...).file("csv_file", "people.csv", []byte(table)))
}

// TestCreateBatch issues a table in the reference's format.
func TestCreateBatch(t *testing.T) {
	t.Parallel()
	s := newTemplatedSite(t)
	const table = "\ufeffRecipientsEmail,RecipientsName,IssueDate,registrar,Grade,details\nann@example.com,Ann Łoś,01-06-2026,Prof. A,very good,With honours\nbob@example.com,\"Bob, jr.\",,,,\n"
	made := s.want(s.table("Spring 2026", "degree", table), http.StatusCreated)
	var batch struct{ Data client.Batch }
	s.check(json.Unmarshal(made.body, &batch))
	b := batch.Data
	if b.Name != "Spring 2026" || b.Total != 2 || b.TemplateID != "degree" || b.ID == "" || *b.RequiresSignatures || *b.RequiresMySignature {
		t.Errorf("the batch: %s", made.body)
	}
	var page client.Page[client.Certificate]
	s.check(json.Unmarshal(s.want(s.get(vaultPath+"?batch_id="+b.ID), http.StatusOK).body, &page))
	if len(page.Data) != 2 {
		t.Fatalf("%d certificates", len(page.Data))
	}
	ann, bob := page.Data[1], page.Data[0]
	if ann.Content != (client.Content{Title: "Spring 2026", Name: "Ann Łoś", Email: "ann@example.com", IssueDate: "2026-06-01", Details: "With honours"}) {
		t.Errorf("Ann: %+v", ann.Content)
	}
	if today := s.clock.now().Format("2006-01"); !strings.HasPrefix(bob.IssueDate, today) || bob.Name != "Bob, jr." {
		t.Errorf("Bob: %+v", bob.Content)
	}
	s.want(s.settled(ann.UUID), http.StatusOK)
	s.want(s.get(vaultPath+"/"+ann.UUID+"/download"), http.StatusOK)
	if entries, err := os.ReadDir(home.Dir(s.home).Verified()); err == nil && len(entries) > 0 {
		t.Errorf("files were written: %v", entries)
	}

	// Sent again, it is the same batch; under another name with other titles it is another.
	if again := s.want(s.table("Spring 2026", "degree", table), http.StatusCreated); again.text("data.id") != b.ID {
		t.Errorf("again: %v", again)
	}
	if n := s.total(); n != 2 {
		t.Errorf("%d certificates", n)
	}
	titled := strings.NewReplacer("Grade", "certificate_title", "bob@", "rob@").Replace(table)
	if other := s.want(s.table("Spring 2026", "course", titled), http.StatusCreated); other.text("data.id") == b.ID || other.text("data.name") != "Spring 2026-2" {
		t.Errorf("another: %v", other)
	}
	if one := s.want(s.get(vaultPath+"?search=very+good"), http.StatusOK); one.text("data.0.full_name") != "Ann Łoś" {
		t.Errorf("a title of the table: %v", one)
	}
}

// TestCreateBatchRefused refuses a table as a whole, and names everything that is wrong.
func TestCreateBatchRefused(t *testing.T) {
	t.Parallel()
	s := newTemplatedSite(t)
	const good = "RecipientsEmail,RecipientsName\nann@example.com,Ann\n"
	s.check(os.WriteFile(filepath.Join(s.home, "c.pdf"), smallPDF("x"), 0o600))
	long := "RecipientsEmail,RecipientsName\n"
	for i := range 10_001 {
		long += fmt.Sprintf("p%d@example.com,P\n", i)
	}
	for name, tt := range map[string]struct {
		a     answer
		field string
		says  string
	}{
		"no name":          {s.table(" ", "degree", good), "name", "required"},
		"a name for paths": {s.table("a/b", "degree", good), "name", "must not contain"},
		"a long name":      {s.table(strings.Repeat("ż", 101), "degree", good), "name", "100 characters"},
		"no template":      {s.table("n", "", good), "template_id", "required"},
		"another template": {s.table("n", "../degree", good), "template_id", "selected template id is invalid"},
		"no table":         {s.post(batchesPath, newForm("name", "n", "template_id", "degree")), "csv_file", "required"},
		"a text":           {s.post(batchesPath, newForm("name", "n", "template_id", "degree", "csv_file", good)), "csv_file", "must be a file"},
		"an empty table":   {s.table("n", "degree", "\n"), "csv_file", "empty"},
		"no rows":          {s.table("n", "degree", "RecipientsEmail,RecipientsName\n"), "csv_file", ""},
		"too many rows":    {s.table("n", "degree", long), "csv_file", "10000 rows"},
		"other headings":   {s.table("n", "degree", "email,name\na@example.com,A\n"), "csv_file", "RecipientsEmail"},
		"no UTF-8":         {s.table("n", "degree", "RecipientsEmail,RecipientsName\na@example.com,M\xfcller\n"), "csv_file", "UTF-8"},
		"a broken quote":   {s.table("n", "degree", "RecipientsEmail,RecipientsName\na@example.com,\"A\n"), "csv_file", "table with commas"},
		"another date":     {s.table("n", "degree", "RecipientsEmail,RecipientsName,IssueDate\na@example.com,A,06/13/2026\n"), "csv_file", "DD-MM-YYYY"},
		"a bad row":        {s.table("n", "degree", "RecipientsEmail,RecipientsName\na@example.com,A\nnobody,B\n"), "csv_file", "row 2"},
		"twice":            {s.table("n", "degree", "RecipientsEmail,RecipientsName\na@example.com,A\nA@example.com,A\n"), "csv_file", "row 2"},
		"signatories":      {s.table("n", "degree", good, "signatories[0][user_uuid]", "x", "signatories[0][index]", "1"), "signatories", "no signatory fields"},
	} {
		s.want(tt.a, http.StatusUnprocessableEntity)
		if c := tt.a.complaints(); len(c) != 1 || len(c[tt.field]) != 1 || !strings.Contains(c[tt.field][0], tt.says) {
			t.Errorf("%s: %v", name, tt.a)
		}
	}
	// A column of ours that names documents reads none of the vault's machine.
	s.want(s.table("n", "degree", "RecipientsEmail,RecipientsName,file,template\nx@example.com,X,"+filepath.Join(s.home, "c.pdf")+",letter\n"), http.StatusCreated)
	if one := s.get(vaultPath + "?search=x@example.com"); one.text("data.0.file.name") == "c.pdf" {
		t.Errorf("a document of the machine was read: %v", one)
	}
	before := s.total()
	issued := s.want(s.upload("ann@example.com"), http.StatusCreated)
	a := s.want(s.table("n", "degree", "RecipientsEmail,RecipientsName,IssueDate,certificate_title\nnew@example.com,N,01-06-2026,Diploma\nann@example.com,Ann Example,01-06-2026,Diploma\n"), http.StatusUnprocessableEntity)
	if c := a.complaints()["csv_file"]; len(c) != 1 || !strings.HasPrefix(c[0], "row 2") {
		t.Errorf("one that is issued (%s): %v", issued.text("data.uuid"), a)
	}
	if n := s.total(); n != before+1 {
		t.Errorf("%d certificates, want %d", n, before+1)
	}
	s.want(s.as(s.newToken(string(apiaccess.MayList))).table("n", "degree", good), http.StatusForbidden)
	s.want(s.call(http.MethodPost, batchesPath, strings.NewReader(`{}`), header("Content-Type", "application/json")), http.StatusUnsupportedMediaType)
}

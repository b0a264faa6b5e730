package agent_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/template"
)

func addTemplate(t *testing.T, dir, name string) {
	t.Helper()
	files, err := template.BundledFiles(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := (template.Dir{Path: home.Dir(dir).Templates()}).Add(name, files); err != nil {
		t.Fatal(err)
	}
}

// A document that a template makes shows its date; so a run after midnight
// would make another one, and must still know the row again.
func TestTemplatedRowsAcrossMidnight(t *testing.T) {
	dir := t.TempDir()
	evening := time.Date(2026, 5, 31, 23, 50, 0, 0, time.UTC)
	request := adminclient.BulkRequest{Name: "m.csv", Files: t.TempDir(), Template: "degree",
		Manifest: []byte("title,name,email,president\nMaster,Ada,ada@example.org,Q\n")}
	made := ""
	during(t, dir, "UTC", evening, func(_ *agent.Agent, c *adminclient.Client) {
		addTemplate(t, dir, "degree")
		report := bulk(t, c, request)
		if report.Issued != 1 {
			t.Fatalf("%+v", report)
		}
		made = report.Rows[0].ReferenceID
	})
	during(t, dir, "UTC", evening.Add(time.Hour), func(_ *agent.Agent, c *adminclient.Client) {
		if report := bulk(t, c, request); report.Unchanged != 1 || report.Rows[0].ReferenceID != made {
			t.Errorf("%+v", report)
		}
		// What the row says differently is told apart, and not issued in silence.
		other := request
		other.Manifest = []byte("title,name,email,date,president\nMaster,Ada,ada@example.org,2026-05-31,R\n")
		if report := bulk(t, c, other); report.Issued != 0 || report.Count(client.RowRejected) != 1 {
			t.Errorf("%+v", report)
		}
	})
}

func TestTemplateList(t *testing.T) {
	dir := t.TempDir()
	during(t, dir, "UTC", time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC), func(_ *agent.Agent, c *adminclient.Client) {
		if all, err := c.Templates(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
		addTemplate(t, dir, "letter")
		all, err := c.Templates(t.Context())
		if err != nil || len(all) != 1 || all[0].ID != "letter" || all[0].Orientation != "portrait" {
			t.Errorf("%v, %v", all, err)
		}
		// One that is changed is looked at again.
		file := filepath.Join(dir, "templates", "letter", template.File)
		if err := os.WriteFile(file, []byte("name: broken"), 0o600); err != nil {
			t.Fatal(err)
		}
		if all, err := c.Templates(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("one with faults is listed: %v, %v", all, err)
		}
	})
}

package applications

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
)

// approve asks with what: the evidence, a file, or one of the templates.
func (p *Page) approve(of chosen) tea.Cmd {
	return p.desk.Ask(func(ctx context.Context) tea.Msg {
		templates, err := p.vault.Templates(ctx)
		if err != nil {
			return desk.Said{Err: err}
		}
		q := desk.Question{Text: "Approve " + of.words() + ". With what is it issued?"}
		if len(of.uuids) > 1 {
			q.Text = "Approve " + of.words() + ". With what are they issued?"
		}
		if of.one == nil || of.one.Evidence != nil {
			label := "the evidence of each"
			if of.one != nil {
				label = fmt.Sprintf("the evidence: %s, %s, %s bytes", of.one.Evidence.Name, of.one.Evidence.Format, look.Number(int(of.one.Evidence.Size)))
			}
			q.Choices = append(q.Choices, desk.Choice{Label: label, Do: func() tea.Cmd {
				return p.issue(of, staff.ApplicationApproval{Evidence: true})
			}})
		}
		if len(of.uuids) == 1 {
			q.Choices = append(q.Choices, desk.Choice{Label: "a file of this machine", Do: func() tea.Cmd { return p.askFile(of) }})
		}
		for _, t := range templates {
			q.Choices = append(q.Choices, p.template(of, t))
		}
		return q
	})
}

func (p *Page) askFile(of chosen) tea.Cmd {
	return desk.Ask(desk.Question{
		Text: "Approve " + of.words() + " with a file (PDF, JPEG or PNG).", Fields: []desk.Field{{Label: "Path of the file"}},
		Do: func(answers []string) tea.Cmd {
			file, err := readDocument(answers[0])
			if err != nil {
				return func() tea.Msg { return desk.Said{Err: err} }
			}
			return p.issue(of, staff.ApplicationApproval{File: file})
		},
	})
}

// readDocument reads a file that is to be handed over whole.
func readDocument(path string) (*staff.NewFile, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, rest)
		}
	}
	document, err := client.FileDocument(path)
	if err != nil {
		return nil, err
	}
	const most = 20 << 20
	if document.Size > most {
		return nil, fault.Newf(fault.Invalid, "the file %s has %s bytes; at most 20 MB are accepted", path, look.Number(int(document.Size)))
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the file %s cannot be read; check its rights", path))
	}
	return &staff.NewFile{Name: document.Name, Body: body}, nil
}

// template is the choice of a template. What it needs beyond what every application
// has is asked for.
func (p *Page) template(of chosen, shown map[string]any) desk.Choice {
	has := []string{"certificate_title", "full_name", "applicant_email", "details", "issue_date", "institution"}
	id := fmt.Sprint(shown["id"])
	var ask []desk.Field
	all, _ := shown["fields"].([]any)
	for _, field := range all {
		if name := fmt.Sprint(field); !slices.Contains(has, name) {
			ask = append(ask, desk.Field{Label: name})
		}
	}
	return desk.Choice{Label: "the template " + id, Do: func() tea.Cmd {
		if len(ask) == 0 {
			return p.issue(of, staff.ApplicationApproval{Template: id})
		}
		q := desk.Question{Text: "Approve " + of.words() + ". The template " + id + " needs more.", Fields: ask}
		if len(of.uuids) > 1 {
			q.Text += " It is the same for all."
		}
		q.Do = func(answers []string) tea.Cmd {
			fields := map[string]string{}
			for i, field := range ask {
				fields[field.Label] = answers[i]
			}
			return p.issue(of, staff.ApplicationApproval{Template: id, Fields: fields})
		}
		return desk.Ask(q)
	}}
}

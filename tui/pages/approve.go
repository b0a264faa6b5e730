package pages

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// approve asks for the document: the evidence, a file, or a template.
func (p *Applications) approve(of decisionTargets) tea.Cmd {
	return p.ui.Query(func(ctx context.Context) tea.Msg {
		templates, err := p.vault.Templates(ctx)
		if err != nil {
			return ui.ResultMsg{Err: err}
		}
		q := ui.DialogMsg{Text: "Approve " + of.label() + ". With which document?"}
		if len(of.uuids) > 1 {
			q.Text = "Approve " + of.label() + ". With which documents?"
		}
		if of.one == nil || of.one.Evidence != nil {
			label := "the evidence of each"
			if of.one != nil {
				label = fmt.Sprintf("the evidence: %s, %s, %s bytes", of.one.Evidence.Name, of.one.Evidence.Format, ui.FormatNumber(int(of.one.Evidence.Size)))
			}
			q.Choices = append(q.Choices, ui.Choice{Label: label, Do: func() tea.Cmd {
				return p.issue(of, adminclient.ApplicationApproval{Evidence: true})
			}})
		}
		if len(of.uuids) == 1 {
			q.Choices = append(q.Choices, ui.Choice{Label: "a file on this machine", Do: func() tea.Cmd { return p.requestFile(of) }})
		}
		for _, t := range templates {
			q.Choices = append(q.Choices, p.templateChoice(of, t))
		}
		return q
	})
}

func (p *Applications) requestFile(of decisionTargets) tea.Cmd {
	return ui.OpenDialog(ui.DialogMsg{
		Text: "Approve " + of.label() + " with a file (PDF, JPEG or PNG).", Fields: []ui.Field{{Label: "Path of the file"}},
		Do: func(answers []string) tea.Cmd {
			file, err := readDocument(answers[0])
			if err != nil {
				return func() tea.Msg { return ui.ResultMsg{Err: err} }
			}
			return p.issue(of, adminclient.ApplicationApproval{File: file})
		},
	})
}

// readDocument reads a whole file for an upload.
func readDocument(path string) (*adminclient.NewFile, error) {
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
		return nil, fault.Newf(fault.Invalid, "the file %s has %s bytes; at most 20 MB are accepted", path, ui.FormatNumber(int(document.Size)))
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the file %s cannot be read; check its permissions", path))
	}
	return &adminclient.NewFile{Name: document.Name, Body: body}, nil
}

// templateChoice returns the choice of a template. It asks for the values of columns that an
// application does not have.
func (p *Applications) templateChoice(of decisionTargets, shown client.Template) ui.Choice {
	has := append(vault.Keys(), "institution")
	id := shown.ID
	var ask []ui.Field
	for _, name := range shown.Fields {
		if !slices.Contains(has, name) {
			ask = append(ask, ui.Field{Label: name})
		}
	}
	return ui.Choice{Label: "the template " + id, Do: func() tea.Cmd {
		if len(ask) == 0 {
			return p.issue(of, adminclient.ApplicationApproval{Template: id})
		}
		q := ui.DialogMsg{Text: "Approve " + of.label() + ". The template " + id + " needs more values.", Fields: ask}
		if len(of.uuids) > 1 {
			q.Text += " All certificates get the same values."
		}
		q.Do = func(answers []string) tea.Cmd {
			fields := map[string]string{}
			for i, field := range ask {
				fields[field.Label] = answers[i]
			}
			return p.issue(of, adminclient.ApplicationApproval{Template: id, Fields: fields})
		}
		return ui.OpenDialog(q)
	}}
}

package roster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
)

func (r *Roster) press(msg tea.KeyPressMsg) (cmd tea.Cmd, handled bool) {
	k := r.desk.Keys
	if r.table.Update(msg, k, r) {
		r.note()
		return r.need(), true
	}
	if key.Matches(msg, k.Back) {
		return nil, r.table.Clear()
	}
	if key.Matches(msg, k.Retry) {
		return r.retry(), true
	}
	if key.Matches(msg, k.Export) {
		return r.export(), true
	}
	c, ok := r.Current()
	if !ok {
		return nil, false
	}
	switch {
	case key.Matches(msg, k.Enter):
		return func() tea.Msg { return Chosen{c.UUID} }, true
	case key.Matches(msg, k.Open):
		return OpenDocument(r.desk, r.vault, c), true
	case key.Matches(msg, k.OpenPage):
		return OpenAddress(r.desk, c), true
	case key.Matches(msg, k.Copy):
		return r.copy(c, func(c client.Certificate) string { return c.ReferenceID }), true
	case key.Matches(msg, k.CopyLink):
		return r.copy(c, func(c client.Certificate) string { return c.VerifyURL }), true
	}
	return nil, false
}

// retried is what became of a retry.
type retried struct {
	of   *Roster
	said desk.Said
	done bool
}

func (r *Roster) afterRetry(m retried) tea.Cmd {
	if m.done {
		r.table.Clear()
	}
	r.stale, r.asked = true, time.Time{} // whoever acted wants to see it
	return tea.Batch(r.refresh(), func() tea.Msg { return m.said })
}

func (r *Roster) retry() tea.Cmd {
	uuids := r.table.Marked()
	if len(uuids) > 1 {
		return desk.Ask(desk.Question{
			Text: fmt.Sprintf("Retry the %s that are marked?", look.Count(len(uuids), "certificate", "certificates")),
			Do:   func([]string) tea.Cmd { return r.retryAll(uuids) },
		})
	}
	if len(uuids) == 0 {
		c, ok := r.Current()
		if !ok {
			return nil
		}
		uuids = []string{c.UUID}
	}
	return r.desk.Act(func(ctx context.Context) tea.Msg {
		c, err := r.vault.Retry(ctx, uuids[0])
		return retried{r, desk.Said{Text: c.ReferenceID + " is processed again.", Err: err}, err == nil}
	})
}

func (r *Roster) retryAll(uuids []string) tea.Cmd {
	return r.desk.Act(func(ctx context.Context) tea.Msg {
		report, err := r.retryMany(ctx, uuids)
		return retried{r, RetrySaid(report, err), err == nil}
	})
}

func (r *Roster) retryMany(ctx context.Context, uuids []string) (client.RetryReport, error) {
	if !r.desk.Remote {
		return r.vault.RetrySelected(ctx, client.Selection{UUIDs: uuids})
	}
	var report client.RetryReport
	for _, uuid := range uuids {
		if _, err := r.vault.Retry(ctx, uuid); err != nil {
			report.Refused = append(report.Refused, client.Refusal{UUID: uuid, Message: desk.Words(err)})
			continue
		}
		report.Retried++
	}
	return report, ctx.Err()
}

// RetrySaid is what became of a retry of many, in words.
func RetrySaid(report client.RetryReport, err error) desk.Said {
	n := len(report.Refused) + report.Others
	if err == nil && n > 0 && report.Retried == 0 {
		return desk.Said{Err: fault.New(fault.Illegal, report.Refused[0].Message)}
	}
	said := desk.Said{Text: look.Count(report.Retried, "certificate is", "certificates are") + " processed again.", Err: err}
	if n > 0 {
		said.Text += fmt.Sprintf(" %s not: %s", look.Count(n, "was", "were"), report.Refused[0].Message)
	}
	return said
}

func (r *Roster) copy(c client.Certificate, text func(client.Certificate) string) tea.Cmd {
	marked := r.table.Marked()
	if len(marked) == 0 {
		return Copy(text(c))
	}
	wanted := map[string]bool{}
	for _, uuid := range marked {
		wanted[uuid] = true
	}
	var lines []string
	for i := range r.total {
		if c, ok := r.at(i); ok && wanted[c.UUID] {
			lines = append(lines, text(c))
		}
		if len(lines) == len(marked) {
			break
		}
	}
	if len(lines) < len(marked) {
		return desk.Say(fmt.Sprintf("Only %d of %d marked rows are at hand; nothing was copied. Export them instead.", len(lines), len(marked)))
	}
	return Copy(strings.Join(lines, "\n"))
}

// Copy puts a text on the clipboard of whoever sits at the terminal (OSC 52).
func Copy(text string) tea.Cmd {
	said := "Copied: " + text
	if n := strings.Count(text, "\n"); n > 0 {
		said = look.Count(n+1, "line", "lines") + " copied."
	}
	return tea.Batch(tea.SetClipboard(text), desk.Say(said))
}

// OpenAddress shows a certificate's page.
func OpenAddress(d *desk.Desk, c client.Certificate) tea.Cmd {
	return d.Act(func(ctx context.Context) tea.Msg {
		return desk.Said{Text: "Opened " + c.VerifyURL, Err: d.Show(ctx, c.VerifyURL)}
	})
}

// OpenDocument shows a certificate's verified PDF.
func OpenDocument(d *desk.Desk, v Vault, c client.Certificate) tea.Cmd {
	if c.Verified == nil {
		return desk.Say(c.ReferenceID + " has no verified PDF: it is " + c.Status.Value + ".")
	}
	return d.Act(func(ctx context.Context) tea.Msg {
		path := filepath.Join(d.Temp, c.ReferenceID+".pdf")
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return desk.Said{Err: err}
		}
		if _, err = v.Download(ctx, c.UUID, f); err != nil {
			_ = f.Close()
			return desk.Said{Err: err}
		}
		if err = f.Close(); err == nil {
			err = d.Show(ctx, path)
		}
		return desk.Said{Text: "Opened the PDF of " + c.ReferenceID + ".", Err: err}
	})
}

// exportAsk is the number of rows from which an export is asked about.
const exportAsk = 1000

func (r *Roster) export() tea.Cmd {
	if !r.known || r.total == 0 {
		return desk.Say("There is nothing to export.")
	}
	if r.total < exportAsk {
		return r.exportAll()
	}
	return desk.Ask(desk.Question{
		Text: fmt.Sprintf("Export %s certificates as CSV into %s?", look.Number(r.total), r.desk.Folder),
		Do:   func([]string) tea.Cmd { return r.exportAll() },
	})
}

func (r *Roster) exportAll() tea.Cmd {
	fetch := r.fetch
	heading := []string{"uuid", "reference_id", "status", "certificate_title", "full_name", "applicant_email",
		"issue_date", "batch_id", "file", "failure_reason", "verify_url"}
	return r.desk.Save(r.Name, heading, "certificate was", "certificates were", func(ctx context.Context, row func([]string) error) error {
		return eachCertificate(ctx, fetch, func(c client.Certificate) error {
			return row([]string{c.UUID, c.ReferenceID, c.Status.Value, c.Title, c.Name, c.Email,
				c.IssueDate, text(c.BatchID), c.File.Name, text(c.FailureReason), c.VerifyURL})
		})
	})
}

// eachCertificate reads a list to its end. What comes before it meanwhile moves the
// rest on, so that some are read twice; those are passed over.
func eachCertificate(ctx context.Context, fetch Source, each func(client.Certificate) error) error {
	const most, remembered = 100, 4
	var recent []map[string]bool // UUIDs of the pages read last
	for n := 1; ; n++ {
		found, err := fetch(ctx, n, most)
		if err != nil {
			return err
		}
		these := map[string]bool{}
		for _, c := range found.Data {
			these[c.UUID] = true
			if slices.ContainsFunc(recent, func(page map[string]bool) bool { return page[c.UUID] }) {
				continue
			}
			if err := each(c); err != nil {
				return err
			}
		}
		recent = append(recent, these)
		recent = recent[max(0, len(recent)-remembered):]
		if len(found.Data) < most {
			return nil
		}
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

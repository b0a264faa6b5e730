package roster

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/tui/desk"
	"github.com/vecctl/vecctl/tui/look"
)

func (r *Roster) press(msg tea.KeyPressMsg) (cmd tea.Cmd, handled bool) {
	k := r.desk.Keys
	if cmd, handled = r.List.Update(msg); handled {
		return cmd, true
	}
	if key.Matches(msg, k.Retry) {
		return r.retry(), true
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

func (r *Roster) retryMany(ctx context.Context, uuids []string) (staff.RetryReport, error) {
	if !r.desk.Remote {
		return r.vault.RetrySelected(ctx, staff.Selection{UUIDs: uuids})
	}
	var report staff.RetryReport
	for _, uuid := range uuids {
		if _, err := r.vault.Retry(ctx, uuid); err != nil {
			report.Refused = append(report.Refused, staff.Refusal{UUID: uuid, Message: desk.Words(err)})
			continue
		}
		report.Retried++
	}
	return report, ctx.Err()
}

// RetrySaid is what became of a retry of many, in words.
func RetrySaid(report staff.RetryReport, err error) desk.Said {
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
	return OpenFile(d, c.ReferenceID+".pdf", "Opened the PDF of "+c.ReferenceID+".", func(ctx context.Context, w io.Writer) error {
		_, err := v.Download(ctx, c.UUID, w)
		return err
	})
}

// OpenFile writes a file of that name beside the screen, and shows it.
func OpenFile(d *desk.Desk, name, said string, write func(context.Context, io.Writer) error) tea.Cmd {
	return d.Act(func(ctx context.Context) tea.Msg {
		path := filepath.Join(d.Temp, name)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return desk.Said{Err: err}
		}
		if err = write(ctx, f); err != nil {
			_ = f.Close()
			return desk.Said{Err: err}
		}
		if err = f.Close(); err == nil {
			err = d.Show(ctx, path)
		}
		return desk.Said{Text: said, Err: err}
	})
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

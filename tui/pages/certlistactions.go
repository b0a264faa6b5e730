package pages

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
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/tui/ui"
)

func (r *CertificateList) press(msg tea.KeyPressMsg) (cmd tea.Cmd, handled bool) {
	k := r.ui.Keys
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
		return func() tea.Msg { return OpenCertificateMsg{c.UUID} }, true
	case key.Matches(msg, k.Open):
		return OpenCertificatePDF(r.ui, r.vault, c), true
	case key.Matches(msg, k.OpenPage):
		return OpenCertificatePage(r.ui, c), true
	case key.Matches(msg, k.CopyLink):
		return r.copy(c, func(c client.Certificate) string { return c.VerifyURL }), true
	}
	return nil, false
}

// retriedMsg is the result of a retry.
type retriedMsg struct {
	of     *CertificateList
	result ui.ResultMsg
	done   bool
}

func (r *CertificateList) retry() tea.Cmd {
	uuids := r.table.Marked()
	if len(uuids) > 1 {
		return ui.OpenDialog(ui.DialogMsg{
			Text: fmt.Sprintf("Retry the %s?", ui.Plural(len(uuids), "marked certificate", "marked certificates")),
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
	return r.ui.Do(func(ctx context.Context) tea.Msg {
		c, err := r.vault.Retry(ctx, uuids[0])
		return retriedMsg{r, ui.ResultMsg{Text: c.ReferenceID + " is processed again.", Err: err}, err == nil}
	})
}

func (r *CertificateList) retryAll(uuids []string) tea.Cmd {
	return r.ui.Do(func(ctx context.Context) tea.Msg {
		report, err := r.retryMany(ctx, uuids)
		return retriedMsg{r, RetryResult(report, err), err == nil}
	})
}

func (r *CertificateList) retryMany(ctx context.Context, uuids []string) (adminclient.RetryReport, error) {
	if !r.ui.Remote {
		return r.vault.RetrySelected(ctx, adminclient.Selection{UUIDs: uuids})
	}
	var report adminclient.RetryReport
	for _, uuid := range uuids {
		if _, err := r.vault.Retry(ctx, uuid); err != nil {
			report.Refused = append(report.Refused, adminclient.Refusal{UUID: uuid, Message: ui.ErrorText(err)})
			continue
		}
		report.Retried++
	}
	return report, ctx.Err()
}

// RetryResult describes the result of a retry of several certificates.
func RetryResult(report adminclient.RetryReport, err error) ui.ResultMsg {
	n := len(report.Refused) + report.Others
	if err == nil && n > 0 && report.Retried == 0 {
		return ui.ResultMsg{Err: fault.New(fault.Illegal, report.Refused[0].Message)}
	}
	said := ui.ResultMsg{Text: ui.Plural(report.Retried, "certificate is", "certificates are") + " processed again.", Err: err}
	if n > 0 {
		said.Text += fmt.Sprintf(" %s not: %s", ui.Plural(n, "was", "were"), report.Refused[0].Message)
	}
	return said
}

// CopyToClipboard puts a text on the clipboard of the terminal's user (OSC 52).
func CopyToClipboard(text string) tea.Cmd {
	said := "Copied: " + text
	if n := strings.Count(text, "\n"); n > 0 {
		said = ui.Plural(n+1, "line", "lines") + " copied."
	}
	return tea.Batch(tea.SetClipboard(text), ui.ShowResult(said))
}

// OpenCertificatePage opens the page of a certificate.
func OpenCertificatePage(d *ui.Context, c client.Certificate) tea.Cmd {
	return d.Do(func(ctx context.Context) tea.Msg {
		return ui.ResultMsg{Text: "Opened " + c.VerifyURL, Err: d.Open(ctx, c.VerifyURL)}
	})
}

// OpenCertificatePDF opens the verified PDF of a certificate.
func OpenCertificatePDF(d *ui.Context, v Vault, c client.Certificate) tea.Cmd {
	if c.Verified == nil {
		return ui.ShowResult(c.ReferenceID + " has no verified PDF: it is " + c.Status.Value + ".")
	}
	return OpenTempFile(d, c.ReferenceID+".pdf", "Opened the PDF of "+c.ReferenceID+".", func(ctx context.Context, w io.Writer) error {
		_, err := v.Download(ctx, c.UUID, w)
		return err
	})
}

// OpenTempFile writes a temporary file with that name, and opens it.
func OpenTempFile(d *ui.Context, name, said string, write func(context.Context, io.Writer) error) tea.Cmd {
	return d.Do(func(ctx context.Context) tea.Msg {
		path := filepath.Join(d.Temp, name)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return ui.ResultMsg{Err: err}
		}
		if err = write(ctx, f); err != nil {
			_ = f.Close()
			return ui.ResultMsg{Err: err}
		}
		if err = f.Close(); err == nil {
			err = d.Open(ctx, path)
		}
		return ui.ResultMsg{Text: said, Err: err}
	})
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

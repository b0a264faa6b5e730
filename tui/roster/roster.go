// Package roster is lists of certificates, read from the vault page by page and
// kept true by what happens, with what can be done to them.
package roster

import (
	"context"
	"io"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/tui/desk"
)

// Vault is what a roster asks of the vault.
type Vault interface {
	Retry(ctx context.Context, name string) (client.Certificate, error)
	RetrySelected(ctx context.Context, s staff.Selection) (staff.RetryReport, error)
	Download(ctx context.Context, name string, w io.Writer) (int64, error)
}

// Roster is a list of certificates that were issued, and what can be done to them.
type Roster struct {
	*List[client.Certificate]
	vault Vault
}

// New makes a roster. It reads nothing before it is shown.
func New(d *desk.Desk, v Vault, k Kind[client.Certificate], fetch Source[client.Certificate]) *Roster {
	k.Noun = Noun{"certificate", "certificates"}
	k.Of = func(c *client.Certificate) *client.Certificate { return c }
	k.Heading = []string{"uuid", "reference_id", "status", "certificate_title", "full_name", "applicant_email",
		"issue_date", "batch_id", "file", "failure_reason", "verify_url"}
	k.Record = func(c client.Certificate) []string {
		return []string{c.UUID, c.ReferenceID, c.Status.Value, c.Title, c.Name, c.Email,
			c.IssueDate, text(c.BatchID), c.File.Name, text(c.FailureReason), c.VerifyURL}
	}
	return &Roster{NewList(d, k, fetch), v}
}

// Chosen asks for one certificate's story.
type Chosen struct{ UUID string }

// To implements desk.Addressed.
func (Chosen) To() string { return "Certificate" }

// Update takes messages and keys; handled is false for keys that mean nothing here.
func (r *Roster) Update(msg tea.Msg) (cmd tea.Cmd, handled bool) {
	switch msg := msg.(type) {
	case retried:
		if msg.of == r {
			return tea.Batch(r.Again(msg.done), func() tea.Msg { return msg.said }), true
		}
		return nil, true
	case tea.KeyPressMsg:
		return r.press(msg)
	}
	return r.List.Update(msg)
}

// Keys are the roster's own.
func (r *Roster) Keys() []key.Binding {
	k := r.desk.Keys
	return append([]key.Binding{k.Enter, k.Retry, k.Mark, k.Range, k.Open, k.OpenPage, k.Copy, k.CopyLink, k.Export, k.Back}, k.Moves()...)
}

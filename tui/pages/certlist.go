package pages

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// CertificateList is a list of issued certificates, with its actions.
type CertificateList struct {
	*List[client.Certificate]
	vault Vault
}

// NewCertificateList returns a list. It reads nothing before it is shown.
func NewCertificateList(d *ui.Context, v Vault, k ListSpec[client.Certificate], fetch ListSource[client.Certificate]) *CertificateList {
	k.Label = Label{"certificate", "certificates"}
	k.CertificateOf = func(c *client.Certificate) *client.Certificate { return c }
	k.Heading = append([]string{"uuid", "reference_id", "status", "certificate_title", "full_name", "applicant_email",
		"issue_date", "batch_id", "file", "failure_reason", "verify_url"}, vault.LaterKeys()...)
	k.Record = func(c client.Certificate) []string {
		return append([]string{c.UUID, c.ReferenceID, c.Status.Value, c.Title, c.Name, c.Email,
			c.IssueDate, orEmpty(c.BatchID), c.File.Name, orEmpty(c.FailureReason), c.VerifyURL}, c.Vault().LaterTexts()...)
	}
	return &CertificateList{NewList(d, k, fetch), v}
}

// OpenCertificateMsg opens the page of a certificate.
type OpenCertificateMsg struct{ UUID string }

// To implements ui.NavigateMsg.
func (OpenCertificateMsg) To() string { return "Certificate" }

// Update handles messages and keys; handled is false for other keys.
func (r *CertificateList) Update(msg tea.Msg) (cmd tea.Cmd, handled bool) {
	switch msg := msg.(type) {
	case retriedMsg:
		if msg.of == r {
			return tea.Batch(r.Reload(msg.done), func() tea.Msg { return msg.result }), true
		}
		return nil, true
	case tea.KeyPressMsg:
		return r.press(msg)
	}
	return r.List.Update(msg)
}

// Keys returns the keys of the list.
func (r *CertificateList) Keys() []key.Binding {
	k := r.ui.Keys
	return append([]key.Binding{k.Enter, k.Retry, k.Mark, k.Range, k.Open, k.OpenPage, k.Copy, k.CopyLink, k.Export, k.Back}, k.Navigation()...)
}

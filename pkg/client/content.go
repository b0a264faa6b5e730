package client

import "github.com/vecctl/vecctl/pkg/vault"

// Content is what a certificate says, under the guide's names (step 4).
type Content struct {
	Title     string `json:"certificate_title"`
	Name      string `json:"full_name"`
	Email     string `json:"applicant_email"`
	IssueDate string `json:"issue_date"` // YYYY-MM-DD; in an upload "" is today, where the institution is
	Details   string `json:"details"`
}

// NewContent is a certificate's content as the API writes it.
func NewContent(c vault.Content) Content {
	return Content{Title: c.Title, Name: c.Name, Email: c.Email, IssueDate: string(c.IssueDate), Details: c.Details}
}

// Vault is the content as a vault keeps it.
func (c Content) Vault() vault.Content {
	return vault.Content{Title: c.Title, Name: c.Name, Email: c.Email, IssueDate: vault.Date(c.IssueDate), Details: c.Details}
}

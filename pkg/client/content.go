package client

import "github.com/vecctl/vecctl/pkg/vault"

// Content is what a certificate says, under the guide's names (step 4).
type Content struct {
	Title     string `json:"certificate_title"`
	Name      string `json:"full_name"`
	Email     string `json:"applicant_email"`
	IssueDate string `json:"issue_date"` // YYYY-MM-DD; in an upload "" is today, where the institution is
	Details   string `json:"details"`
	// ExternalID is who the recipient is in a system of the institution's own.
	ExternalID string `json:"external_id"`
	// ExpiryDate is the last day of validity, YYYY-MM-DD; "" where there is none.
	ExpiryDate string `json:"expiry_date"`
}

// NewContent is a certificate's content as the API writes it.
func NewContent(c vault.Content) Content {
	return Content{Title: c.Title, Name: c.Name, Email: c.Email, IssueDate: string(c.IssueDate), Details: c.Details, ExternalID: c.ExternalID,
		ExpiryDate: string(c.ExpiryDate)}
}

// formFields returns the fields of a form that says the content: those that are
// required, and others that are given.
func (c Content) formFields() (fields [][2]string) {
	given := c.Vault()
	for _, f := range vault.Fields() {
		if text := f.Get(given); text != "" || f.Required {
			fields = append(fields, [2]string{f.Key, text})
		}
	}
	return fields
}

// Vault is the content as a vault keeps it.
func (c Content) Vault() vault.Content {
	return vault.Content{Title: c.Title, Name: c.Name, Email: c.Email, IssueDate: vault.Date(c.IssueDate), Details: c.Details, ExternalID: c.ExternalID,
		ExpiryDate: vault.Date(c.ExpiryDate)}
}

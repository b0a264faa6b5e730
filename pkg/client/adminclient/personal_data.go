package adminclient

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// PersonalDataFile is the name of the PersonalData among the files of an export.
const PersonalDataFile = "data.json"

// recipientExportPath ends the path of a call that exports a person's data.
const recipientExportPath = "/export"

// PersonalData is what a home knows of one person.
type PersonalData struct {
	Address      string            `json:"address"`
	Person       string            `json:"person,omitempty"` // who is meant of several at the address
	MadeAt       time.Time         `json:"made_at"`
	Account      *vault.Account    `json:"account"`
	Institutions []InstitutionData `json:"institutions"`
	Received     []ReceivedEvent   `json:"received_events"` // that other vaults sent and that name the address
	Audit        []AuditRecord     `json:"audit,omitempty"` // entries that are about no single institution
	Missing      []string          `json:"missing_files"`   // files that could not be read, each with why
	NotIncluded  []string          `json:"not_included"`    // what there may be besides, in words
}

// InstitutionData is what one institution knows of a person.
type InstitutionData struct {
	Institution  string                         `json:"institution"` // its slug
	Name         string                         `json:"name"`
	Certificates []CertificateData              `json:"certificates"` // applications too
	Unconfirmed  []vault.UnconfirmedApplication `json:"unconfirmed_applications"`
	Mails        []vault.Mail                   `json:"mails"`
	Rejected     []vault.RejectedRow            `json:"rejected_rows"`
	Refused      []RefusedFile                  `json:"refused_files"`
	Audit        []AuditRecord                  `json:"audit"`
	ErasedAt     *time.Time                     `json:"erased_at,omitempty"`
}

// CertificateData is a certificate with all that is kept about it.
type CertificateData struct {
	Record      vault.Certificate         `json:"record"`
	ShareURL    string                    `json:"share_url,omitempty"`
	VerifyURL   string                    `json:"verify_url,omitempty"`
	Files       []string                  `json:"files"` // names within the export
	Events      []vault.Event             `json:"events"`
	Corrections []vault.CorrectionRequest `json:"corrections"`
	Deliveries  []WebhookDelivery         `json:"deliveries"` // to other programs
}

// RefusedFile is a file that was dropped and refused.
type RefusedFile struct {
	File  string   `json:"file"`           // within the home
	Lines []string `json:"lines"`          // that name the person
	Copy  string   `json:"copy,omitempty"` // the file's name within the export, where it is the person's alone
}

// AuditRecord is an entry of the audit trail as far as it is about a person.
type AuditRecord struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Actor   string    `json:"who"`
	Request string    `json:"what"`
	Object  string    `json:"object,omitempty"`
}

// ExportRecipient has an agent write what it knows of an address to w, as a zip; where several
// people share the address, of one of them, by name or external ID.
func (c *Client) ExportRecipient(ctx context.Context, email, person string, w io.Writer) error {
	path := recipientsPath + url.PathEscape(email) + recipientExportPath + "?" + url.Values{"person": {person}}.Encode()
	resp, err := c.Send(ctx, http.MethodPost, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	out := &trackingWriter{Writer: w}
	if _, err := io.Copy(out, resp.Body); err != nil {
		if out.err != nil {
			return fmt.Errorf("writing a person's data: %w", out.err)
		}
		return fault.Wrap(fault.Unavailable, err, "the agent ended the export early; run the same command again")
	}
	return nil
}

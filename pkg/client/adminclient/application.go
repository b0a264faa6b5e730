package adminclient

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

// Application is an application for a certificate, as staff see it.
type Application struct {
	client.Certificate
	// Proof is how it is known that the application is the address's: mail, account or
	// staff.
	Proof       string    `json:"proof"`
	SubmittedBy string    `json:"submitted_by"` // who of the staff; "" for the applicant
	Evidence    *Evidence `json:"evidence"`     // the submitted file; null for none
	// EvidenceRemovedAt is when it was removed after a rejection; absent else.
	EvidenceRemovedAt *time.Time `json:"evidence_removed_at,omitempty"`
	Review            *Review    `json:"review"`
	Decision          *Decision  `json:"decision"`
}

// Evidence is the file that an applicant submitted.
type Evidence struct {
	client.File
	Format string `json:"format"` // pdf, jpeg or png
	// Note says that the file is a certificate which was issued, or that a vault signed it.
	// Lists do not have it.
	Note string `json:"note,omitempty"`
}

// Review is who looks into an application, and since when.
type Review struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Decision is who decided about an application; the reason is that of a rejection.
type Decision struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// NewApplication is an application that staff submit for a person.
type NewApplication struct {
	Title    string   `json:"certificate_title"`
	Name     string   `json:"full_name"`
	Email    string   `json:"applicant_email"`
	Details  string   `json:"details,omitempty"`
	Evidence *NewFile `json:"evidence,omitempty"`
}

// ApplicationApproval says what an application is issued with: exactly one of a
// file, a template, and its own evidence.
type ApplicationApproval struct {
	File     *NewFile          `json:"file,omitempty"`
	Template string            `json:"template,omitempty"`
	Fields   map[string]string `json:"fields,omitempty"` // the template's own columns
	Evidence bool              `json:"evidence,omitempty"`

	IssueDate string  `json:"issue_date,omitempty"` // YYYY-MM-DD; "" is today
	Details   *string `json:"details,omitempty"`    // in place of the applicant's

	QRPage   int     `json:"qr_page,omitempty"`   // where the code goes, as in BulkRequest
	QRAt     string  `json:"qr_at,omitempty"`     //
	QRSize   float64 `json:"qr_size,omitempty"`   // millimetres
	QRMargin float64 `json:"qr_margin,omitempty"` // millimetres
}

// ApplicationFilter selects applications; empty fields do not restrict.
type ApplicationFilter struct {
	// Status is a status, or "open" for those that wait for a decision: pending and
	// in_review.
	Status        string
	Email, Search string
	Page, PerPage int // 0: the first page, 15 entries
}

// ApplicationPolicy is what people may apply for at an institution, and who.
type ApplicationPolicy struct {
	Who              string   `json:"who"` // nobody, accounts or anyone
	Titles           []string `json:"titles"`
	FreeTitle        bool     `json:"free_title"`        // applicants may write their own
	EvidenceOptional bool     `json:"evidence_optional"` // they need not hand a file in
}

const applicationsPath = "/panel/applications"

func applicationPath(name string) string { return applicationsPath + "/" + url.PathEscape(name) }

// Applications returns a page of applications, newest first.
func (c *Client) Applications(ctx context.Context, f ApplicationFilter) (client.Page[Application], error) {
	q := url.Values{}
	for name, value := range map[string]string{"status": f.Status, "applicant_email": f.Email, "search": f.Search} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, n := range map[string]int{"page": f.Page, "per_page": f.PerPage} {
		if n > 0 {
			q.Set(name, strconv.Itoa(n))
		}
	}
	var page client.Page[Application]
	err := c.Call(ctx, http.MethodGet, applicationsPath+"?"+q.Encode(), nil, &page)
	return page, err
}

// Application returns one by UUID or reference ID.
func (c *Client) Application(ctx context.Context, name string) (Application, error) {
	var found Application
	err := c.Call(ctx, http.MethodGet, applicationPath(name), nil, &found)
	return found, err
}

// SubmitApplication submits an application for a person whom staff know.
func (c *Client) SubmitApplication(ctx context.Context, n NewApplication) (Application, error) {
	var made Application
	err := c.Post(ctx, applicationsPath, n, &made)
	return made, err
}

// ApplicationEvidence writes the file that an applicant submitted to w.
func (c *Client) ApplicationEvidence(ctx context.Context, name string, w io.Writer) (int64, error) {
	resp, err := c.Send(ctx, http.MethodGet, applicationPath(name)+"/evidence", nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(w, resp.Body)
	if err != nil {
		return n, fault.Wrap(fault.Unavailable, err, "reading the evidence failed; try again")
	}
	return n, nil
}

// ReviewApplication takes an application in review. One that is in review or decided
// already is an error that names who did that.
func (c *Client) ReviewApplication(ctx context.Context, name string) (Application, error) {
	var changed Application
	err := c.Post(ctx, applicationPath(name)+"/review", struct{}{}, &changed)
	return changed, err
}

// ApproveApplication accepts an application; it is processed then. One that is
// decided already is an error that names who decided.
func (c *Client) ApproveApplication(ctx context.Context, name string, a ApplicationApproval) (Application, error) {
	var changed Application
	err := c.Post(ctx, applicationPath(name)+"/approve", a, &changed)
	return changed, err
}

// RejectApplication refuses an application; its applicant is told the reason.
func (c *Client) RejectApplication(ctx context.Context, name, reason string) (Application, error) {
	var changed Application
	err := c.Post(ctx, applicationPath(name)+"/reject", map[string]string{"reason": reason}, &changed)
	return changed, err
}

package adminclient

import "context"

// AdoptRequest names verified PDFs that the home issued and has no record of, since it was
// restored from an older backup. The agent reads them itself, so that paths are absolute.
type AdoptRequest struct {
	Files []string `json:"files"`
	// Reports are the tables of batches (report.csv) that say whose the documents are. Those
	// beside the files are read besides.
	Reports []string `json:"reports,omitempty"`
	DryRun  bool     `json:"dry_run,omitempty"`
	// TrustReport takes back documents whose text does not name the person exactly or cannot be
	// read: the report alone says whose they are.
	TrustReport bool `json:"trust_report,omitempty"`
}

// What became of a file.
const (
	Adopted       = "adopted"
	Adoptable     = "ready" // a dry run would adopt it
	AdoptedBefore = "unchanged"
	NotAdopted    = "refused"
)

// AdoptedFile is what became of one file.
type AdoptedFile struct {
	File        string `json:"file"`
	Status      string `json:"status"`
	UUID        string `json:"uuid,omitempty"`
	ReferenceID string `json:"reference_id,omitempty"`
	Error       string `json:"error,omitempty"` // why it was refused, and what to do
}

// Adoption is what became of the files of a request.
type Adoption struct {
	Total     int           `json:"total"`
	Adopted   int           `json:"adopted"`
	Ready     int           `json:"ready"`
	Unchanged int           `json:"unchanged"`
	Refused   int           `json:"refused"`
	Files     []AdoptedFile `json:"files"`
}

// Add counts a file.
func (a *Adoption) Add(f AdoptedFile) {
	a.Total++
	switch f.Status {
	case Adopted:
		a.Adopted++
	case Adoptable:
		a.Ready++
	case AdoptedBefore:
		a.Unchanged++
	default:
		a.Refused++
	}
	a.Files = append(a.Files, f)
}

// Adopt takes back documents that the home issued and has no record of.
func (c *Client) Adopt(ctx context.Context, q AdoptRequest) (Adoption, error) {
	var done Adoption
	err := c.Post(ctx, "/panel/adopt", q, &done)
	return done, err
}

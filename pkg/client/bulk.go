package client

import "github.com/vecctl/vecctl/pkg/vault"

// RowStatus says what became of a row of a manifest.
type RowStatus string

// What can become of a row.
const (
	RowIssued     RowStatus = "issued"
	RowUnchanged  RowStatus = "unchanged"  // issued by an earlier run, with the same content
	RowRevoked    RowStatus = "revoked"    // issued by an earlier run, and taken back since
	RowProcessing RowStatus = "processing" // accepted, and not finished when the run ended
	RowFailed     RowStatus = "failed"     // accepted, and the document could not be signed, or its file not be written
	RowRejected   RowStatus = "rejected"   // not sound; nothing was done for it
	RowNotIssued  RowStatus = "not_issued" // sound, but other rows stopped the batch, or the vault did not answer
	RowReady      RowStatus = "ready"      // sound, in a dry run
)

// BulkRow is the report's line about one row.
type BulkRow struct {
	Row         int       `json:"row"` // from 1 at the first data row
	Status      RowStatus `json:"status"`
	UUID        string    `json:"uuid,omitempty"`
	ReferenceID string    `json:"reference_id,omitempty"`
	File        string    `json:"file"` // the verified PDF in the out folder; before there is one, the row's file
	Error       string    `json:"error,omitempty"`
	// TimestampOwed says that the verified PDF lacks its time stamp, which is added later.
	TimestampOwed bool `json:"timestamp_owed,omitempty"`
	// Level is what the verified PDF reached ("B-B", "B-T", "B-LT" or "B-LTA"), and LevelOwed the
	// level that it gets later.
	Level     string `json:"level,omitempty"`
	LevelOwed string `json:"level_owed,omitempty"`
}

// WasIssued reports whether the row's certificate is issued. A row that failed for all
// that has no verified PDF in the folder.
func (r BulkRow) WasIssued() bool {
	return r.ReferenceID != "" && vault.ReferenceInFileName(r.File) == r.ReferenceID
}

// BulkReport says what became of a manifest.
type BulkReport struct {
	BatchID string `json:"batch_id"`
	// Institution is the slug of the one that issued, where the home has several.
	Institution string `json:"institution,omitempty"`
	Total       int    `json:"total"`
	Issued      int    `json:"issued"`
	Unchanged   int    `json:"unchanged"`
	Revoked     int    `json:"revoked,omitempty"` // issued by an earlier run, and taken back since
	Failed      int    `json:"failed"`            // rows failed and rejected
	// TimestampsOwed are certificates whose files lack their time stamp, which is added later.
	TimestampsOwed int `json:"timestamps_owed,omitempty"`
	// LevelsOwed are certificates whose files do not have the level of signing.level yet.
	LevelsOwed int       `json:"levels_owed,omitempty"`
	Out        string    `json:"out,omitempty"`
	ReportOnly bool      `json:"report_only,omitempty"` // Out has no verified PDFs: results.keep is none
	Notes      []string  `json:"notes,omitempty"`       // what a person should know and nothing hinges on
	Rows       []BulkRow `json:"rows"`

	// How the manifest was read.
	Columns   []ManifestColumn    `json:"columns"`
	Sheet     string              `json:"sheet,omitempty"`      // of a workbook
	FirstRows []map[string]string `json:"first_rows,omitempty"` // two, as they are filled in, by field
	Defaults  []string            `json:"defaults,omitempty"`   // what is filled in that no cell says
	Reading   []string            `json:"reading,omitempty"`    // all of this as lines for a person
	Warnings  []string            `json:"warnings,omitempty"`   // what is odd and no error
	Covered   []CoveredDocument   `json:"covered,omitempty"`    // documents whose code covers something, or would
}

// CoveredDocument is one on which the code covers something, or would.
type CoveredDocument struct {
	Row    int      `json:"row"`
	File   string   `json:"file"`
	Page   int      `json:"page"`
	At     string   `json:"at"`     // where the code goes
	Covers string   `json:"covers"` // "text and an image"
	Free   []string `json:"free"`   // places that are free instead
}

// ManifestColumn is a column of a manifest and the field that it feeds.
type ManifestColumn struct {
	Heading string  `json:"heading"`
	Letter  string  `json:"column"` // as a spreadsheet names it
	Field   *string `json:"field"`  // nil: it is not used
	Hidden  bool    `json:"hidden,omitempty"`
}

// Add appends a row and counts it.
func (r *BulkReport) Add(row BulkRow) {
	r.Rows = append(r.Rows, row)
	r.Total++
	r.countTimestamp(row, 1)
	r.count(row.Status, 1)
}

// Replace replaces the row at a position and counts it anew.
func (r *BulkReport) Replace(i int, row BulkRow) {
	r.count(r.Rows[i].Status, -1)
	r.countTimestamp(r.Rows[i], -1)
	r.countTimestamp(row, 1)
	r.Rows[i] = row
	r.count(row.Status, 1)
}

func (r *BulkReport) countTimestamp(row BulkRow, n int) {
	if row.TimestampOwed {
		r.TimestampsOwed += n
	}
	if row.LevelOwed != "" && !row.TimestampOwed {
		r.LevelsOwed += n
	}
}

func (r *BulkReport) count(s RowStatus, n int) {
	switch s {
	case RowIssued:
		r.Issued += n
	case RowUnchanged:
		r.Unchanged += n
	case RowRevoked:
		r.Revoked += n
	case RowFailed, RowRejected:
		r.Failed += n
	case RowProcessing, RowNotIssued, RowReady:
	}
}

// Count returns how many rows have a status.
func (r BulkReport) Count(s RowStatus) int {
	n := 0
	for _, row := range r.Rows {
		if row.Status == s {
			n++
		}
	}
	return n
}

// Progress is how far a batch is.
type Progress struct {
	Stage string `json:"stage"` // "checking", "issuing"
	Done  int    `json:"done"`
	Total int    `json:"total"`
}

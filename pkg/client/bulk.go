package client

// BulkRequest asks an agent on this machine to issue a manifest. The agent reads
// the documents itself, from the folder Files.
type BulkRequest struct {
	Name     string `json:"name"`           // the manifest's file name, "-" for standard input
	Manifest []byte `json:"manifest"`       // its bytes
	Files    string `json:"files"`          // folder of the documents, absolute
	Out      string `json:"out"`            // folder for the verified PDFs, absolute; "" is the home's own
	DryRun   bool   `json:"dry_run"`        // check all, change nothing
	Skip     bool   `json:"skip"`           // issue the sound rows although others are not
	NoWait   bool   `json:"no_wait"`        // return when all are accepted
	Scan     string `json:"scan,omitempty"` // whose code is read back from its page: "first" (default), "all", "none"

	DateFormat string            `json:"date_format,omitempty"`
	Delimiter  string            `json:"delimiter,omitempty"`
	Encoding   string            `json:"encoding,omitempty"`
	Sheet      string            `json:"sheet,omitempty"`
	Map        map[string]string `json:"map,omitempty"` // column heading to field

	Template string  `json:"template,omitempty"`  // of rows without a file
	Preview  string  `json:"preview,omitempty"`   // in a dry run, folder for the first pages that would be made, absolute
	QRPage   int     `json:"qr_page,omitempty"`   // where codes go: the page, from 1
	QRAt     string  `json:"qr_at,omitempty"`     // a corner, "auto", or "X,Y" in millimetres
	QRSize   float64 `json:"qr_size,omitempty"`   // millimetres
	QRMargin float64 `json:"qr_margin,omitempty"` // millimetres
}

// RowStatus says what became of a row of a manifest.
type RowStatus string

// What can become of a row.
const (
	RowIssued     RowStatus = "issued"
	RowUnchanged  RowStatus = "unchanged"  // issued by an earlier run, with the same content
	RowProcessing RowStatus = "processing" // accepted, and not waited for
	RowFailed     RowStatus = "failed"     // accepted, and the document could not be verified
	RowRejected   RowStatus = "rejected"   // not sound; nothing was done for it
	RowNotIssued  RowStatus = "not_issued" // sound, but other rows stopped the batch
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
}

// BulkReport says what became of a manifest.
type BulkReport struct {
	BatchID   string    `json:"batch_id"`
	Total     int       `json:"total"`
	Issued    int       `json:"issued"`
	Unchanged int       `json:"unchanged"`
	Failed    int       `json:"failed"` // rows failed and rejected
	Out       string    `json:"out,omitempty"`
	Notes     []string  `json:"notes,omitempty"` // what a person should know and nothing hinges on
	Rows      []BulkRow `json:"rows"`
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

// BulkEvent is one line of the answer to a bulk request: progress, then once
// the report or the error.
type BulkEvent struct {
	Progress *Progress   `json:"progress,omitempty"`
	Report   *BulkReport `json:"report,omitempty"`
	Error    *Problem    `json:"error,omitempty"`
}

// Problem is an error of the panel on the wire.
type Problem struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

package adminclient

import "github.com/vecctl/vecctl/pkg/client"

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
	Hidden     string            `json:"hidden,omitempty"` // rows that a workbook hides: "read", "skip", "" to ask
	Names      string            `json:"names,omitempty"`  // names in the documents' text: "check" (default), "warn", "off"
	Strict     bool              `json:"strict,omitempty"` // what is odd refuses its row
	Map        map[string]string `json:"map,omitempty"`    // column heading to field

	ValidFor string `json:"valid_for,omitempty"` // term of rows without an expiry date, such as "2y"

	Template string  `json:"template,omitempty"`  // of rows without a file
	Preview  string  `json:"preview,omitempty"`   // in a dry run, folder for the first pages that would be made, absolute
	QRPage   int     `json:"qr_page,omitempty"`   // where codes go: the page, from 1
	QRAt     string  `json:"qr_at,omitempty"`     // a corner, "auto", or "X,Y" in millimetres
	QRSize   float64 `json:"qr_size,omitempty"`   // millimetres
	QRMargin float64 `json:"qr_margin,omitempty"` // millimetres
	Cover    bool    `json:"cover,omitempty"`     // codes may cover what documents show
}

// StreamEvent is one line of the answer to a call that takes long: progress, then once
// the report or the error.
type StreamEvent[T any] struct {
	Progress *client.Progress `json:"progress,omitempty"`
	Report   *T               `json:"report,omitempty"`
	Error    *Problem         `json:"error,omitempty"`
}

// BulkEvent is one line of the answer to a bulk request.
type BulkEvent = StreamEvent[client.BulkReport]

// Problem is an error of the panel on the wire.
type Problem struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	// Blocking says, of an agent's problem, that nothing new is taken as long as it lasts.
	Blocking bool `json:"blocking,omitempty"`
}

package vault

// RejectedRows are the rows of a batch's manifest that were refused, as they were given, so
// that they stay visible and can be corrected.
type RejectedRows struct {
	Batch     string        `json:"batch_id"`
	Header    []string      `json:"header"`              // headings as given
	Delimiter string        `json:"delimiter,omitempty"` // between cells, as manifests have it
	Rows      []RejectedRow `json:"rows"`
	// Omitted is how many more were refused than are kept.
	Omitted int `json:"omitted,omitempty"`

	size int // of the texts, in bytes
}

// RejectedRow is a row that was refused, with the reason.
type RejectedRow struct {
	Row int `json:"row"` // from 1 at the first data row
	Content
	File   string   `json:"file,omitempty"`
	Cells  []string `json:"cells"` // under the headings
	Reason string   `json:"reason"`
}

// Bounds of what is kept of a batch's refused rows.
const (
	MaxRejectedRows  = 5000
	maxRejectedBytes = 4 << 20
)

// Add keeps a refused row, as long as there is room.
func (r *RejectedRows) Add(row RejectedRow) {
	if r.Omitted > 0 || len(r.Rows) >= MaxRejectedRows || r.size+row.size() > maxRejectedBytes {
		r.Omitted++
		return
	}
	r.Rows, r.size = append(r.Rows, row), r.size+row.size()
}

func (r RejectedRow) size() int {
	n := len(r.Reason)
	for _, cell := range r.Cells {
		n += len(cell)
	}
	return n
}

// Count is how many rows were refused.
func (r RejectedRows) Count() int { return len(r.Rows) + r.Omitted }

package form

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
)

// MaxTable is how large the table of a batch may be, in bytes: 10,000 rows with every field at
// its longest.
const MaxTable = 32 << 20

// Batch is the form of a new batch: its name, a template and a table.
type Batch struct {
	Fields      map[string]string
	Table       []byte // nil where there is none
	Signatories bool   // some were named

	tooLarge bool
	asText   bool // the table's field held a text
	notText  []string
}

// The fields of a new batch.
const (
	batchName     = "name"
	batchTemplate = "template_id"
	batchTable    = "csv_file"
)

// Wants reports whether a field is one of the form's.
func (b *Batch) Wants(name string) bool {
	return name == batchName || name == batchTemplate || name == batchTable || isSignatory(name)
}

func isSignatory(name string) bool {
	return name == "signatories" || strings.HasPrefix(name, "signatories[")
}

// Text keeps a value; of two with one name the last counts, as in PHP.
func (b *Batch) Text(name, value string) {
	switch {
	case isSignatory(name):
		b.Signatories = true
	case name == batchTable:
		b.asText = value != ""
	default:
		b.Fields[name] = value
	}
}

// File keeps the table.
func (b *Batch) File(name, fileName string, r io.Reader) error {
	if name != batchTable {
		b.notText = append(b.notText, name)
		return nil
	}
	if fileName == "" {
		return nil // what browsers send for no file
	}
	table, err := io.ReadAll(io.LimitReader(r, MaxTable+1))
	b.tooLarge, b.asText, b.Table = len(table) > MaxTable, false, slices.Concat([]byte{}, table)
	return err
}

// Errors are what is wrong with the form before anything is looked at.
func (b *Batch) Errors() (bad []fault.Field) {
	complain := func(name, format string) {
		bad = append(bad, fault.Field{Name: name, Message: fmt.Sprintf(format, strings.ReplaceAll(name, "_", " "))})
	}
	for _, name := range []string{batchName, batchTemplate} {
		b.Fields[name] = strings.TrimSpace(b.Fields[name])
		switch {
		case slices.Contains(b.notText, name):
			complain(name, "The %s field must be a string.")
		case b.Fields[name] == "":
			complain(name, "The %s field is required.")
		}
	}
	switch {
	case b.asText:
		complain(batchTable, "The %s field must be a file.")
	case b.Table == nil:
		complain(batchTable, "The %s field is required.")
	case b.tooLarge:
		complain(batchTable, fmt.Sprintf("The %%s field must not be greater than %d kilobytes.", MaxTable>>10))
	case len(bytes.TrimSpace(b.Table)) == 0:
		complain(batchTable, "The %s field must not be empty.")
	}
	if b.Signatories {
		complain("signatories", "The %s field is prohibited: the templates of this vault have no signatory fields, and nobody would be asked to sign.")
	}
	return bad
}

// ReadBatch reads the form of a new batch.
func ReadBatch(w http.ResponseWriter, r *http.Request) (*Batch, error) {
	b := &Batch{Fields: map[string]string{}}
	const most = MaxTable + 1<<20
	if r.ContentLength > most {
		return b, ErrBodyTooLarge
	}
	defer LimitBody(w, r, most, DefaultReadRate())()
	handled, err := ReadForm(r, b)
	if err == nil && !handled {
		return b, ErrContentType // a table is a file
	}
	return b, err
}

package client

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Placement is where a document's code goes: an extension of the guide's fields
// (qr[page], qr[at], qr[size], qr[margin]). What is zero is left to the vault. A
// vault that does not know it puts the code where it always does.
type Placement struct {
	Page     int     `json:"page,omitempty"`   // from 1; LastPage is the last one
	At       string  `json:"at,omitempty"`     // bottom-right, bottom-left, top-right, top-left, auto, or "X,Y" in millimetres from the top left
	SizeMM   float64 `json:"size,omitempty"`   // the code's side, 8 to 200
	MarginMM float64 `json:"margin,omitempty"` // from the page's edges, above 0 to 200
}

// LastPage stands for the number of a document's last page.
const LastPage = vault.LastPage

// parts are the fields of the object that says it: name and value, where there is
// one.
func (p Placement) parts() [][2]string {
	var all [][2]string
	number := func(name string, n float64) {
		if n != 0 {
			all = append(all, [2]string{name, strconv.FormatFloat(n, 'f', -1, 64)})
		}
	}
	if p.Page == LastPage {
		all = append(all, [2]string{"page", "last"})
	} else {
		number("page", float64(p.Page))
	}
	if p.At != "" {
		all = append(all, [2]string{"at", p.At})
	}
	number("size", p.SizeMM)
	number("margin", p.MarginMM)
	return all
}

// PlacementIgnoredMessage is the note about a certificate for which IgnoresPlacement
// is true.
const PlacementIgnoredMessage = "the vault does not confirm that it placed the QR code as requested; check a downloaded PDF"

// IgnoresPlacement reports whether the vault accepted a certificate without
// confirming the placement that was requested for its code.
func (c Certificate) IgnoresPlacement(requested Placement) bool {
	return c.QR == nil && requested != Placement{}
}

// String is the placement for a person: "top-left, page 2, 30 mm".
func (p Placement) String() string {
	var all []string
	if p.At != "" {
		all = append(all, p.At)
	}
	if p.Page == LastPage {
		all = append(all, "last page")
	} else if p.Page != 0 {
		all = append(all, fmt.Sprintf("page %d", p.Page))
	}
	if p.SizeMM != 0 {
		all = append(all, fmt.Sprintf("%g mm", p.SizeMM))
	}
	if p.MarginMM != 0 {
		all = append(all, fmt.Sprintf("margin %g mm", p.MarginMM))
	}
	return strings.Join(all, ", ")
}

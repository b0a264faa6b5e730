package intake

import (
	"fmt"
	"io"
	"strings"

	"github.com/vecctl/vecctl/pkg/manifest/names"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// What the check of names in the documents' text does. A document that names another
// row's person is an error, or a warning, or nothing is looked at.
const (
	NamesCheck = "check"
	NamesWarn  = "warn"
	NamesOff   = "off"
)

// namePages is how many pages of a document are looked at.
const namePages = 5

// nameCheck looks for the recipients' names in their documents.
type nameCheck struct {
	index  *names.Index
	asked  string // NamesCheck or NamesWarn
	strict bool
}

// namedIn is what a document's text says of people.
type namedIn struct {
	read  bool // the document has text that can be read
	found names.Found
}

// newNameCheck prepares the check; nil where none is asked for.
func newNameCheck(o CheckRequest, all []*RowResult) *nameCheck {
	if o.Names == NamesOff {
		return nil
	}
	people := make([]string, len(all))
	for i, c := range all {
		people[i] = c.Draft.Name
	}
	return &nameCheck{index: names.NewIndex(people), asked: o.Names, strict: o.Strict}
}

// look reads a document's text and finds whom it names.
func (n *nameCheck) look(c *RowResult, f io.ReaderAt, size int64) {
	if n == nil || c.Certificate != nil || c.Draft.File.Format != string(pdf.FormatPDF) {
		return
	}
	text := pdf.ReadText(f, size, namePages)
	const little = 8 // letters; less is a page's number
	found := n.index.Find(text.Words, c.place)
	c.named = namedIn{found: found, read: found.Own != names.Absent || text.Unreadable == 0 && len(strings.TrimSpace(text.Words)) >= little}
}

// judge refuses the rows whose document names somebody else, and returns warnings about
// those whose names were not found, and what was found as a line.
func (n *nameCheck) judge(all []*RowResult) (warnings []string, summary string) {
	if n == nil {
		return nil, ""
	}
	looked, unread, holders := n.count(all)
	if looked+unread > 0 {
		summary = fmt.Sprintf("names: looked for in the text of %s", sheet.Plural(looked, "document", "documents"))
		if unread > 0 {
			summary += fmt.Sprintf("; %s no text that can be read, as scanned pages have none", sheet.Plural(unread, "has", "have"))
		}
	}
	var absent []string
	for _, c := range all {
		if !n.wasLooked(c) || !c.named.read || c.named.found.Own == names.Exact {
			continue
		}
		other := n.otherNamed(c, holders, looked)
		switch {
		case other >= 0:
			text := fmt.Sprintf("row %d, file %s: it is for %s, but its text names %s, who is row %d", c.Row.Number, c.file,
				c.Draft.Name, all[other].Draft.Name, all[other].Row.Number)
			if n.asked == NamesWarn && !n.strict {
				warnings = append(warnings, text)
				continue
			}
			c.refuse("%s; correct the file's name or the person's, or let it pass with --names warn", text)
		case c.named.found.Own == names.Loose:
		case n.strict:
			c.refuse("row %d, file %s: its text does not hold the name %s", c.Row.Number, c.file, sheet.Quote(c.Draft.Name))
		default:
			absent = append(absent, fmt.Sprintf("row %d (%s, file %s)", c.Row.Number, sheet.Quote(c.Draft.Name), c.file))
		}
	}
	if len(absent) > 0 {
		warnings = append(warnings, fmt.Sprintf("the text of %s does not hold the recipient's name: %s", sheet.Plural(len(absent), "document", "documents"), someOf(absent)))
	}
	return warnings, summary
}

// wasLooked reports whether a row's document was looked at.
func (n *nameCheck) wasLooked(c *RowResult) bool {
	return len(c.Problems) == 0 && c.Certificate == nil && c.Renderer == nil && c.file != ""
}

// count finds how many documents were read and could not be read, and how many name
// each person.
func (n *nameCheck) count(all []*RowResult) (looked, unread int, holders map[int]int) {
	holders = map[int]int{}
	for _, c := range all {
		switch {
		case !n.wasLooked(c):
			continue
		case !c.named.read:
			unread++
			continue
		}
		looked++
		if c.named.found.Own != names.Absent {
			holders[c.place]++
		}
		for _, other := range c.named.found.Others {
			holders[other]++
		}
	}
	return looked, unread, holders
}

// otherNamed is the row whose person a document names instead of its own; -1 where
// there is none. Those whom many documents name, such as a dean who is on the list
// too, do not count.
func (n *nameCheck) otherNamed(c *RowResult, holders map[int]int, looked int) int {
	const few = 3
	if c.named.found.Own != names.Absent {
		return -1
	}
	for _, other := range c.named.found.Others {
		if holders[other] <= max(few, looked/3) {
			return other
		}
	}
	return -1
}

// someOf lists the first of many.
func someOf(all []string) string {
	const most = 10
	if len(all) <= most {
		return strings.Join(all, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(all[:most], "; "), len(all)-most)
}

// sharedContent warns about documents of the same content under different names that
// are for different people.
func sharedContent(all []*RowResult) []string {
	first := map[string]*RowResult{}
	var shared []string
	for _, c := range all {
		if len(c.Problems) > 0 || c.file == "" || c.Draft.File.SHA256 == "" {
			continue
		}
		earlier, ok := first[c.Draft.File.SHA256]
		if !ok {
			first[c.Draft.File.SHA256] = c
			continue
		}
		if earlier.file != c.file && vault.Fold(earlier.Draft.Name) != vault.Fold(c.Draft.Name) {
			shared = append(shared, fmt.Sprintf("row %d (%s) and row %d (%s)", earlier.Row.Number, earlier.file, c.Row.Number, c.file))
		}
	}
	if len(shared) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s the same content as another person's: %s", sheet.Plural(len(shared), "document has", "documents have"), someOf(shared))}
}

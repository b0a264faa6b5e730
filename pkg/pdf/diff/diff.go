// Package diff compares two revisions of a document: what a signature covers,
// and what the document became by later updates (ISO 32000-2, 12.8.2.2). It
// compares objects and not bytes. Every change of a kind that it does not know
// counts as one that no signature allows.
package diff

import (
	"fmt"
	"slices"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// The levels of permission that a change needs, as DocMDP counts them (ISO
// 32000-2, table 257). Validation is allowed at level 1 too.
const (
	Validation = 1 // validation data and document time stamps
	Filling    = 2 // values of form fields and signatures
	Annotating = 3 // annotations
	Never      = 4 // anything else
)

// Change is a difference between two revisions.
type Change struct {
	Level int    // the lowest level that allows it
	What  string // a clause such as "page 2 has other content"
	Field string // the form field whose value changed, for FieldMDP; empty where none did

	// Uncertified says that the change goes beyond what is set up in the document: it is
	// allowed after a signature that approves it. After one that certifies it, only
	// the same signer may make it, with the signature in the field Signer.
	Uncertified bool
	Signer      string

	// Unsound says that what was added to the file is no update that all readers read
	// alike, so that what it changes cannot be told.
	Unsound bool
}

const (
	maxChanges = 200     // listed at most
	maxSteps   = 3 << 20 // objects, entries and elements gone through for one comparison
)

// Compare returns what changed from the signed revision to the later one, whose
// first bytes are those of the signed one. The error says why it cannot be told.
func Compare(signed, later *xref.File) ([]Change, error) {
	if err := later.CheckUpdate(signed); err != nil {
		if limit := firstError(signed.LimitErr, later.LimitErr); limit != nil {
			return nil, limit
		}
		return []Change{{Level: Never, What: err.Error(), Unsound: true}}, nil
	}
	c := comparer{a: signed, b: later, moved: map[[2]uint32]bool{}, roles: map[uint32]role{}, listed: map[uint32]bool{}, detached: map[uint32]string{}}
	c.formA, c.formB = readForm(signed), readForm(later)
	c.claimAll()
	c.trailer()
	c.catalog()
	c.drain()
	for num, name := range c.detached {
		if c.listed[num] {
			c.add(Never, "the look of form field %q, which was replaced, is used for something else besides", name)
		}
	}
	if err := firstError(signed.LimitErr, later.LimitErr); err != nil {
		return nil, err
	}
	if c.steps > maxSteps {
		return nil, fmt.Errorf("the document has more than %d parts to compare", maxSteps)
	}
	// What matters most comes first.
	slices.SortStableFunc(c.changes, func(x, y Change) int { return y.Level - x.Level })
	return c.changes, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// role is what a document uses an object for, where that decides which changes of
// it are allowed.
type role uint8

const (
	noRole role = iota
	catalogRole
	pageRole
	fieldRole // form fields and their widgets
	annotationRole
	structureRole
)

// pending is an object that must be the same in both revisions.
type pending struct {
	ref   object.Ref
	where string
}

type comparer struct {
	a, b    *xref.File // as signed, and later
	changes []Change
	steps   int

	moved  map[[2]uint32]bool // objects that are the same under another number, or are assumed to be
	roles  map[uint32]role
	listed map[uint32]bool // objects that are compared, or wait for it
	queue  []pending

	formA, formB *form
	pages        []pageUse
	added        map[uint32]annotation // annotations that were added, by object number
	removed      map[uint32]bool       // annotations that were taken away
	modified     map[uint32]bool       // annotations that were modified
	detached     map[uint32]string     // appearance dictionaries that were replaced, with the name of their field
}

func (c *comparer) add(level int, format string, args ...any) {
	c.addField(level, "", format, args...)
}

// addField notes a change of the value of a form field.
func (c *comparer) addField(level int, field, format string, args ...any) {
	ch := Change{Level: level, What: fmt.Sprintf(format, args...), Field: field}
	if len(c.changes) >= maxChanges {
		// What no signature allows must not get lost.
		if last := &c.changes[maxChanges-1]; level == Never && last.Level != Never {
			*last = ch
		}
		return
	}
	if !slices.Contains(c.changes, ch) {
		c.changes = append(c.changes, ch)
	}
}

// addUncertified notes a change that a certification does not allow.
func (c *comparer) addUncertified(field, signer, format string, args ...any) {
	n := len(c.changes)
	c.addField(Filling, field, format, args...)
	for i := n; i < len(c.changes); i++ {
		c.changes[i].Uncertified, c.changes[i].Signer = true, signer
	}
}

// step counts work; it is false when there was too much of it.
func (c *comparer) step() bool {
	c.steps++
	return c.steps <= maxSteps
}

// claim notes what an object is used for. An object with two uses could be changed as
// the one and change the other.
func (c *comparer) claim(num uint32, r role) {
	if num == 0 {
		return
	}
	if has := c.roles[num]; has != noRole && has != r {
		c.add(Never, "object %d serves as two different things", num)
	}
	c.roles[num] = r
	ref := object.Ref{Num: num}
	if (c.a.Object(ref).IsStream() || c.b.Object(ref).IsStream()) && !c.untouched(num) {
		c.add(Never, "object %d serves as two different things", num) // what has a role is compared without the data of a stream
	}
}

// claimAll finds the objects of the signed revision that have a role of their own.
func (c *comparer) claimAll() {
	c.claim(c.a.RootRef.Num, catalogRole)
	c.claimPages(c.a.Root.Key("Pages"), map[uint32]bool{}, 0)
	for num := range c.formA.fields {
		c.claim(num, fieldRole)
	}
	for _, p := range c.pages {
		for e := range c.a.Get(p.dict, "Annots").Parts() {
			if ref, ok := e.Ref(); ok && c.roles[ref.Num] != fieldRole {
				c.claim(ref.Num, annotationRole)
			}
		}
	}
	c.claimStructure()
	c.checkDrawing()
}

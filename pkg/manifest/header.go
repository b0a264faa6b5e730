package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/locale"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/vault"
)

// field is one of the columns that mean something: one of what a certificate says, or
// the file.
type field int

const (
	noField      = field(-1)
	fieldTitle   = field(vault.FieldTitle)
	fieldName    = field(vault.FieldName)
	fieldEmail   = field(vault.FieldEmail)
	fieldDate    = field(vault.FieldIssueDate)
	fieldDetails = field(vault.FieldDetails)
	fieldExpiry  = field(vault.FieldExpiryDate)
	fieldFile    = field(vault.FieldCount)
	fieldCount   = fieldFile + 1
)

const (
	fileColumn  = "file"
	maxFileName = 255
)

// described returns what the field holds; ok is false for the file.
func (f field) described() (d vault.Field, ok bool) {
	if f == fieldFile {
		return d, false
	}
	return vault.FieldID(f).Field(), true
}

// name is the field's heading as messages spell it.
func (f field) name() string {
	if d, ok := f.described(); ok {
		return d.Key
	}
	return fileColumn
}

// fieldNames lists the headings of all fields.
func fieldNames() []string {
	names := make([]string, fieldCount)
	for f := range fieldCount {
		names[f] = f.name()
	}
	return names
}

// required reports whether every manifest must have the column, and every row a
// value in it.
func (f field) required() bool {
	d, ok := f.described()
	return !ok || d.Required
}

// isDate reports whether the field holds a date.
func (f field) isDate() bool {
	d, ok := f.described()
	return ok && d.Kind == vault.DateField
}

// limit is the greatest length in characters; 0 is none.
func (f field) limit() int {
	if d, ok := f.described(); ok {
		return d.Limit
	}
	return maxFileName
}

// role is what a heading of the field says.
func (f field) role() locale.Role { return locale.Role(f.name()) }

// fieldOfRole is the field that a role feeds; noField for a part of a name and the like.
func fieldOfRole(r locale.Role) field { return field(slices.Index(fieldNames(), string(r))) }

// meanings returns what a heading says, by languages.yaml and by the table of fields.
func meanings(heading string) []locale.Meaning {
	found := locale.Heading(heading)
	if len(found) > 0 {
		return found
	}
	folded := locale.FoldHeading(heading)
	for f := range fieldCount {
		if d, ok := f.described(); ok && slices.Contains(d.Headings, folded) {
			return []locale.Meaning{{Language: "en", Role: f.role()}}
		}
	}
	return nil
}

// headings are the folded headings that mean the field.
func (f field) headings() []string {
	d, _ := f.described()
	return slices.Concat(d.Headings, locale.HeadingsOf(f.role()))
}

// roleNamed is what a person calls the content of a column: the name of a field, or
// any of its headings, or a part of a name.
func roleNamed(text string) (locale.Role, bool) {
	name := strings.ToLower(sheet.Trim(text))
	if slices.Contains(fieldNames(), name) {
		return locale.Role(name), true
	}
	for _, m := range meanings(text) {
		if m.Role == locale.Name {
			return locale.FullName, true
		}
		if m.Role != locale.BirthDate {
			return m.Role, true
		}
	}
	return "", false
}

// leftOut recognises what a person says of a column that is not to be used.
func leftOut(text string) bool {
	switch strings.ToLower(sheet.Trim(text)) {
	case "-", "ignore", "none", "unused", "not used":
		return true
	}
	return false
}

// isMapped reports whether the person gave the heading a field.
func isMapped(heading string, given map[string]string) bool {
	for h := range given {
		if sameHeading(h, heading) {
			return true
		}
	}
	return false
}

func sameHeading(a, b string) bool {
	return sheet.Clean(a) == sheet.Clean(b) || locale.FoldHeading(a) == locale.FoldHeading(b) && locale.FoldHeading(a) != ""
}

// columns say where each field stands.
type columns struct {
	// position are the columns that make a field, in the order in which they are
	// joined; none where the manifest does not have it.
	position [fieldCount][]int
	given    [fieldCount]bool // the person said which
	left     []int            // columns that the person says are not used
	extra    []int            // columns that are only carried along, the left ones among them
	name     nameOrder
	// template is the column that names templates, -1 for none; with it, or
	// where the person names one, rows may do without a file.
	template  int
	templated bool
}

// TemplateColumn is the heading of the column that names templates.
const TemplateColumn = "template"

// requires reports whether every manifest must have the column.
func (c *columns) requires(f field) bool {
	return f.required() && (f != fieldFile || !c.templated && c.template < 0)
}

// fieldAt is the field in a column.
func (c *columns) fieldAt(column int) field {
	return field(slices.IndexFunc(c.position[:], func(at []int) bool { return slices.Contains(at, column) }))
}

// first is a field's first column, -1 where it has none.
func (c *columns) first(f field) int {
	if len(c.position[f]) == 0 {
		return -1
	}
	return c.position[f][0]
}

// dates are the columns of dates, that of the issue date first.
func (c *columns) dates() []int {
	return slices.Concat(c.position[fieldDate], c.position[fieldExpiry])
}

// texts are the columns of text, in which zeros before a number count.
func (c *columns) texts() (all []int) {
	for f, at := range c.position {
		if !field(f).isDate() {
			all = append(all, at...)
		}
	}
	return all
}

// matcher finds the fields' columns in the headings of a table.
type matcher struct {
	t      *sheet.Sheet
	opts   Options
	header []string
	columns

	said  [][]locale.Meaning // of each column
	roles []locale.Role      // of each column that no field has yet, as far as it is known
	weak  []bool
	votes map[string]int // headings that a language knows
}

// matchHeader finds the fields' columns: those that the person maps, then by the
// headings. Where the table leaves a choice, it is an error that asks.
func matchHeader(t *sheet.Sheet, opts Options) (columns, error) {
	m := &matcher{t: t, opts: opts, header: t.Header.Cells, votes: map[string]int{}, columns: columns{template: -1, templated: opts.Templated}}
	m.readRoles()
	if err := m.mapGiven(); err != nil {
		return m.columns, err
	}
	for f := range fieldCount {
		if f == fieldName {
			continue
		}
		if err := m.pick(f); err != nil {
			return m.columns, err
		}
	}
	if err := m.pickName(); err != nil {
		return m.columns, err
	}
	for i, h := range m.header {
		if m.fieldAt(i) != noField || isReasonColumn(h) || sheet.Trim(h) == "" && !m.hasCells(i) {
			continue
		}
		if m.template < 0 && locale.FoldHeading(h) == TemplateColumn && !slices.Contains(m.left, i) {
			m.template = i
		}
		m.extra = append(m.extra, i)
	}
	if err := m.checkComplete(); err != nil {
		return m.columns, err
	}
	return m.columns, m.askUnused()
}

// readRoles finds what each heading says. A word that means different things in
// different languages means what it does in the language of most headings.
func (m *matcher) readRoles() {
	m.said, m.roles, m.weak = make([][]locale.Meaning, len(m.header)), make([]locale.Role, len(m.header)), make([]bool, len(m.header))
	for i, h := range m.header {
		m.said[i] = meanings(h)
		for j, one := range m.said[i] {
			if j == 0 || one.Language != m.said[i][j-1].Language {
				m.votes[one.Language]++
			}
		}
	}
	for i, said := range m.said {
		best := -1
		for _, one := range said {
			switch votes := m.votes[one.Language]; {
			case votes > best:
				best, m.roles[i], m.weak[i] = votes, one.Role, one.Weak
			case votes == best && one.Role == m.roles[i]:
				m.weak[i] = m.weak[i] && one.Weak
			}
		}
	}
}

// mapGiven takes over what the person says with --map.
func (m *matcher) mapGiven() error {
	for _, h := range slices.Sorted(maps.Keys(m.opts.Map)) {
		what := m.opts.Map[h]
		option := sheet.ShellQuote(h + "=" + what)
		at, err := m.findColumns(h, option)
		if err != nil {
			return err
		}
		if leftOut(what) {
			m.left = append(m.left, at...)
			for _, i := range at {
				m.roles[i] = ""
			}
			continue
		}
		role, ok := roleNamed(what)
		f := fieldOfRole(role)
		switch {
		case !ok:
			return invalidError("--map %s: %s is not a field: use one of %s, or - for a column that is not used", option, sheet.Quote(what), strings.Join(fieldNames(), ", "))
		case f == noField:
			for _, i := range at {
				m.roles[i], m.weak[i] = role, false
			}
			continue
		case len(m.position[f]) > 0 && !slices.Equal(m.position[f], at):
			return invalidError("--map gives %s two columns, %s and %s: name one, or join them with --map %s", f.name(), sheet.Quote(m.header[m.first(f)]), sheet.Quote(m.header[at[0]]),
				sheet.ShellQuote(m.header[m.first(f)]+" + "+m.header[at[0]]+"="+f.name()))
		}
		for _, i := range at {
			if other := m.fieldAt(i); other != noField && other != f {
				return invalidError("--map makes the column %s both %s and %s: name one", sheet.Quote(m.header[i]), other.name(), f.name())
			}
		}
		m.position[f], m.given[f] = at, true
	}
	return nil
}

// findColumns finds the column that a heading names, or several with " + " between
// them. A column can also be named by its letter.
func (m *matcher) findColumns(heading, option string) ([]int, error) {
	if i := m.findColumn(heading); i >= 0 {
		return []int{i}, nil
	}
	parts := strings.Split(heading, "+")
	var at []int
	for _, part := range parts {
		i := m.findColumn(part)
		switch {
		case i < 0:
			return nil, invalidError("--map %s: there is no column %s. The columns are %s", option, sheet.Quote(part), quoteHeadings(m.header))
		case slices.Contains(at, i):
			return nil, invalidError("--map %s: the column %s is named twice", option, sheet.Quote(part))
		}
		at = append(at, i)
	}
	return at, nil
}

func (m *matcher) findColumn(heading string) int {
	i := slices.IndexFunc(m.header, func(x string) bool { return sheet.Clean(x) == sheet.Clean(heading) })
	if i < 0 {
		i = slices.IndexFunc(m.header, func(x string) bool { return sameHeading(x, heading) })
	}
	if i < 0 {
		i = slices.IndexFunc(m.header, func(x string) bool { return sheet.Trim(x) == "" && sheet.Trim(heading) != "" })
		if i >= 0 && sheet.ColumnLetters(i) != strings.ToUpper(sheet.Trim(heading)) {
			i = -1
		}
	}
	return i
}

// pick finds the column of a field that is no name. Headings that name it always go
// before those that name it for want of others.
func (m *matcher) pick(f field) error {
	if len(m.position[f]) > 0 {
		return nil
	}
	var strong, weak []int
	for i, r := range m.roles {
		switch {
		case r != f.role() || m.fieldAt(i) != noField:
		case m.weak[i]:
			weak = append(weak, i)
		case f == fieldTitle && m.holdsFormsOfAddress(i):
			m.roles[i] = ""
		default:
			strong = append(strong, i)
		}
	}
	if len(strong) == 0 {
		strong = weak
	}
	if len(strong) > 1 {
		// One that is empty is no choice.
		if filled := slices.DeleteFunc(slices.Clone(strong), func(i int) bool { return !m.hasCells(i) }); len(filled) > 0 {
			strong = filled
		} else {
			strong = strong[:1]
		}
	}
	switch len(strong) {
	case 0:
	case 1:
		m.position[f] = strong
	default:
		return m.doubleError(f, strong)
	}
	return nil
}

func (m *matcher) doubleError(f field, at []int) error {
	return invalidError("the headings %s (column %d) and %s (column %d) both mean %s: rename one, or say which with --map %s",
		sheet.Quote(m.header[at[0]]), at[0]+1, sheet.Quote(m.header[at[1]]), at[1]+1, f.name(), sheet.ShellQuote(m.header[at[0]]+"="+f.name()))
}

// holdsFormsOfAddress reports whether a column called "title" holds Mr and Mrs.
func (m *matcher) holdsFormsOfAddress(column int) bool {
	sure := false
	for _, r := range m.t.Records {
		text := cellAt(r, column)
		if text == "" {
			continue
		}
		if !locale.IsFormOfAddress(text) {
			return false
		}
		sure = sure || len(locale.Fold(text)) > 1
	}
	return sure
}

// cellAt is a record's cell, clean; "" beyond its end.
func cellAt(r sheet.Record, column int) string {
	if column < 0 || column >= len(r.Cells) {
		return ""
	}
	return sheet.Clean(r.Cells[column])
}

// hasCells reports whether any record has something in a column.
func (m *matcher) hasCells(column int) bool {
	return slices.ContainsFunc(m.t.Records, func(r sheet.Record) bool { return cellAt(r, column) != "" })
}

// label is a column for a message: its heading, or its letter where it has none.
func (m *matcher) label(column int) string {
	if h := m.header[column]; sheet.Trim(h) != "" {
		return sheet.Quote(h) + " (" + sheet.ColumnLetters(column) + ")"
	}
	return sheet.ColumnLetters(column) + " (no heading)"
}

// mapOption is what a person adds to say what columns are.
func (m *matcher) mapOption(what string, at ...int) string {
	var names []string
	for _, i := range at {
		name := m.header[i]
		if sheet.Trim(name) == "" {
			name = sheet.ColumnLetters(i)
		}
		names = append(names, name)
	}
	return "--map " + sheet.ShellQuote(strings.Join(names, " + ")+"="+what)
}

// suggestHeaderRow adds to an error about the headings which line looks more like them
// than the first one: many tables begin with a title.
func suggestHeaderRow(err error, t *sheet.Sheet, opts Options) error {
	const far, like = 20, 3
	known := func(cells []string) (n int) {
		for _, h := range cells {
			if len(meanings(h)) > 0 || isMapped(h, opts.Map) {
				n++
			}
		}
		return n
	}
	message, ok := fault.Message(err)
	for _, l := range t.Records[:min(len(t.Records), far)] {
		if n := known(l.Cells); ok && n >= like && n > known(t.Header.Cells) {
			return invalidError("%s. Line %d looks like the headings: remove the lines above it", message, l.Line)
		}
	}
	return err
}

// isReasonColumn recognises the column that WriteRejected adds.
func isReasonColumn(heading string) bool { return locale.FoldHeading(heading) == reasonColumn }

// quoteHeadings quotes headings for a message.
func quoteHeadings(header []string) string {
	var names []string
	for _, h := range header {
		if sheet.Trim(h) != "" {
			names = append(names, sheet.Quote(h))
		}
	}
	if len(names) > 20 {
		names = append(names[:20], "...")
	}
	return strings.Join(names, ", ")
}

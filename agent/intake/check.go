package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// RowResult is a row of a manifest on its way to a certificate.
type RowResult struct {
	Row   manifest.Row
	Draft vault.Draft
	// Problems say why the row cannot be issued; none: it can, or it has been.
	Problems []string
	// Certificate is the one that holds the row's key: from an earlier run, with the
	// same content, or from this one when New is true.
	Certificate *vault.Certificate
	New         bool

	// Renderer makes the row's document; nil: the row brings one.
	Renderer *Renderer

	values map[string]string // for the template
	term   vault.Date        // in place of an expiry date: how long the certificate is valid
	file   string            // as listed in the folder
	place  int               // among the rows
	named  namedIn           // whom the document's text names

	coverage *pdf.Coverage       // what its code would cover; nil: nobody looked
	foreign  *pdf.VaultSignature // another vault's, in the document

	staged *blob.Staged
}

// Issuable reports whether the row is sound and no certificate exists for it.
func (c *RowResult) Issuable() bool { return len(c.Problems) == 0 && c.Certificate == nil }

// Path is the row's document in the folder of the files, with slashes; "" when
// it was not found.
func (c *RowResult) Path() string { return c.file }

// Discard drops what was read of a row that will not be issued.
func (c *RowResult) Discard() {
	if c.staged != nil {
		c.staged.Discard()
	}
}

func (c *RowResult) refuse(format string, args ...any) {
	c.Problems = append(c.Problems, fmt.Sprintf(format, args...))
}

// CheckRequest is a manifest with the folder of its files.
type CheckRequest struct {
	Institution vault.Institution
	Manifest    *manifest.Manifest
	Files       *os.Root
	Listed      []string // the folder's files, relative, with slashes
	Trigger     vault.Trigger
	// Templates finds a template by its name; Template is that of rows without a file
	// that name none.
	Templates *TemplateLoader
	Template  string
	// Placement is where codes go; what it leaves open is the template's to say, or
	// Standard's where there is none.
	Placement, DefaultPlacement vault.Placement
	// Names is what is done about names in the documents' text; "" is NamesCheck.
	Names string
	// Strict refuses rows with warnings too.
	Strict bool
	// Cover lets codes cover what documents show. Link is as long as what the codes say;
	// "" is one of the usual length.
	Cover bool
	Link  string
	// ValidFor is the term of rows without an expiry date; "" is none.
	ValidFor vault.Date
	// DryRun makes it a look only: documents are read but not stored.
	DryRun bool
	// Progress is told how many rows have been looked at, from any goroutine.
	Progress func(done int)

	names  *nameCheck
	claims *Claims
}

// CheckResult is what the check of a manifest found.
type CheckResult struct {
	Rows         []*RowResult                // one for each row of the manifest
	Unreferenced []manifest.UnreferencedFile // files that no row names
	Notes        []string                    // what was understood though it is written otherwise
	Warnings     []string                    // what is odd and no error
	Names        string                      // in how many documents the recipients' names were looked for
	Covered      []Covered                   // documents whose code covers something, or would
	Place        string                      // on how many documents the code's place is free
}

// Check looks at every row and its document, and reads the documents of those
// that are to be issued. The error is about the run as a whole; what is wrong
// with a row is in its candidate.
func (in *Intake) Check(ctx context.Context, o CheckRequest) (CheckResult, error) {
	matched := manifest.MatchFiles(o.Manifest, o.Listed)
	candidates := in.candidates(o, matched)
	if err := in.refuseErased(o, candidates); err != nil {
		return CheckResult{}, err
	}
	if err := checkInstitutionNamed(o, candidates); err != nil {
		return CheckResult{}, err
	}
	o.claims = in.Claims(o.Institution)
	if err := in.findIssued(ctx, o, candidates); err != nil {
		return CheckResult{}, err
	}
	err := in.findTemplatedDates(ctx, o, candidates)
	o.names = newNameCheck(o, candidates)
	if err == nil {
		err = in.readAll(ctx, o, candidates)
	}
	if err == nil {
		err = in.findUndated(ctx, o, candidates)
	}
	if err != nil {
		for _, c := range candidates {
			c.Discard()
		}
		return CheckResult{}, err
	}
	warnings := manifest.DescribeWarnings(append(o.Manifest.Warnings(), matched.Warnings...))
	named, summary := o.names.judge(candidates)
	places := coverageCheck{allowed: o.Cover, named: o.Placement.At != "", dropped: o.Trigger == vault.DropFolder}
	covered, covers, place := places.judge(candidates)
	warnings = slices.Concat(warnings, named, covers, sharedContent(candidates), foreignSignatures(candidates))
	refuseDuplicates(candidates)
	for _, c := range candidates {
		compareWithIssued(c)
		if !c.Issuable() {
			c.Discard()
		}
	}
	return CheckResult{Rows: candidates, Unreferenced: matched.Unreferenced, Notes: matched.Notes, Warnings: warnings, Names: summary,
		Covered: covered, Place: place}, nil
}

// candidates makes drafts of the rows; documents are not looked at yet.
func (in *Intake) candidates(o CheckRequest, matched manifest.Files) []*RowResult {
	today := o.Institution.Today(in.Now())
	lost := map[int][]manifest.Problem{}
	for _, p := range matched.Problems {
		lost[p.Row] = append(lost[p.Row], p)
	}
	all := make([]*RowResult, len(o.Manifest.Rows))
	for i, row := range o.Manifest.Rows {
		c := &RowResult{Row: row, place: i, file: matched.ByRow[row.Number], Draft: vault.Draft{Content: row.Content, Trigger: o.Trigger}.Clean()}
		if c.Draft.IssueDate == "" {
			c.Draft.IssueDate, c.Draft.Undated = today, true
		}
		c.setTerm(o.ValidFor)
		for _, p := range append(row.Problems, lost[row.Number]...) {
			c.Problems = append(c.Problems, p.String())
		}
		c.setRenderer(o)
		all[i] = c
	}
	return all
}

// setTerm notes for how long the certificate is valid, where its row does not say until when,
// and finds the last day.
func (c *RowResult) setTerm(byDefault vault.Date) {
	given := cmp.Or(c.Draft.ExpiryDate, byDefault)
	if _, err := vault.ParseTerm(string(given)); err == nil {
		c.term = given
		c.resolveTerm()
	}
	if c.Draft.ExpiryDate != "" && c.Draft.ExpiryDate < c.Draft.IssueDate && len(c.Row.Problems) == 0 {
		c.refuse("row %d, %s: the certificate would end on %s, before its issue date %s",
			c.Row.Number, vault.FieldExpiryDate.Field().Key, c.Draft.ExpiryDate, c.Draft.IssueDate)
	}
}

// resolveTerm finds the last day anew, once the issue date is another.
func (c *RowResult) resolveTerm() {
	if c.term != "" {
		c.Draft.ExpiryDate = c.term
		c.Draft.ResolveTerm()
	}
}

// refuseErased rejects rows of people who were erased: nobody brings them back unasked.
func (in *Intake) refuseErased(o CheckRequest, all []*RowResult) error {
	if in.Erasures == nil {
		return nil
	}
	for _, c := range all {
		refusal, err := in.ErasedRefusal(o.Institution, c.Draft.Email)
		if err != nil {
			return err
		}
		if refusal != "" {
			c.Problems = append(c.Problems, fmt.Sprintf("row %d: %s", c.Row.Number, refusal))
		}
	}
	return nil
}

// ErasedRefusal says why nothing is issued to an address whose person was erased; "" for all
// others.
func (in *Intake) ErasedRefusal(at vault.Institution, email string) (string, error) {
	if in.Erasures == nil {
		return "", nil
	}
	on, erased, err := in.Erasures.Find(at.ID, email)
	if err != nil || !erased {
		return "", err
	}
	return fmt.Sprintf("the person at this address was erased on %s; issue nothing, or, if the person asks for it again: vecctl recipient readmit ADDRESS",
		on.In(at.Zone()).Format(time.DateOnly)), nil
}

// findIssued notes the certificates of dated rows that have one.
func (in *Intake) findIssued(ctx context.Context, o CheckRequest, all []*RowResult) error {
	var dated []*RowResult
	for _, c := range all {
		if len(c.Problems) == 0 && !c.Draft.Undated {
			dated = append(dated, c)
		}
	}
	return o.claims.note(ctx, dated)
}

// note notes the certificates that rows have.
func (s *Claims) note(ctx context.Context, all []*RowResult) error {
	drafts := make([]*vault.Draft, len(all))
	for i, c := range all {
		drafts[i] = &c.Draft
	}
	holders, err := s.Find(ctx, drafts)
	if err != nil {
		return err
	}
	for i, c := range all {
		c.Certificate = holders[i]
	}
	return nil
}

// findUndated gives rows without a date the one that an earlier run put in for
// them, and notes the certificates of those that have one.
func (in *Intake) findUndated(ctx context.Context, o CheckRequest, all []*RowResult) error {
	var undated []*RowResult
	var keys []vault.Key
	for _, c := range all {
		if len(c.Problems) == 0 && c.Draft.Undated {
			undated, keys = append(undated, c), append(keys, c.Draft.FreezeKey())
		}
	}
	dates, err := in.Store.FrozenDates(ctx, o.Institution.ID, keys)
	if err != nil {
		return fmt.Errorf("looking for the dates of undated rows: %w", err)
	}
	for i, c := range undated {
		if dates[i] != "" {
			c.Draft.IssueDate = dates[i]
			c.resolveTerm()
		}
	}
	return o.claims.note(ctx, undated)
}

// compareWithIssued refuses a row that says something else than what was issued for it.
func compareWithIssued(c *RowResult) {
	if c.Certificate == nil || len(c.Problems) > 0 || c.Certificate.SupersededBy != "" {
		return
	}
	for _, d := range c.Certificate.Differs(c.Draft) {
		c.refuse("row %d, %s: this differs from what was issued as %s (%q); a correction goes through: vecctl reissue %s",
			c.Row.Number, d.Field, c.Certificate.Reference, d.Issued, c.Certificate.Reference)
	}
}

// refuseDuplicates refuses the later of two rows that would be one certificate. The
// manifest finds those whose cells say so; what is left are rows whose date was
// put in.
func refuseDuplicates(all []*RowResult) {
	first := make(map[vault.Key]*RowResult, len(all))
	for _, c := range all {
		if len(c.Problems) > 0 {
			continue
		}
		key := c.Draft.Key()
		if earlier, ok := first[key]; ok {
			c.refuse("row %d: the same person, title and issue date as row %d; give one of them another title or date, or remove it",
				c.Row.Number, earlier.Row.Number)
			continue
		}
		first[key] = c
	}
}

// readAll looks at the documents, as many at once as there are processors.
func (in *Intake) readAll(ctx context.Context, o CheckRequest, all []*RowResult) error {
	var next, done atomic.Int64
	var telling sync.Mutex // one at a time
	work, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := in.readDocument(ctx, o, all[i]); err != nil {
					return err
				}
				if n := done.Add(1); o.Progress != nil {
					telling.Lock()
					o.Progress(int(n))
					telling.Unlock()
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// ListFiles names the plain files of a folder and below it, relative, with slashes.
func ListFiles(root *os.Root) ([]string, error) {
	const most = 500_000
	var names []string
	err := fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == "." || fsutil.TooManyOpenFiles(err) {
				return err
			}
			return nil // a subfolder that cannot be read holds no file that a row can name
		}
		if !d.IsDir() {
			names = append(names, path)
		}
		if len(names) > most {
			return errTooMany
		}
		return nil
	})
	if errors.Is(err, errTooMany) {
		return nil, fault.Newf(fault.Invalid,
			"the folder %s holds more than %d files; name the documents' own folder with --files", root.Name(), most)
	}
	return names, fsutil.DiskError(err, "listing the folder of the files")
}

var errTooMany = errors.New("too many files")

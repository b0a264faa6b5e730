package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/batch"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// check looks at the manifest and its documents, as a local vault would. Documents
// of templates are made here: the other vault need not have them.
func (b *remoteBatch) check(c *cli.Context, w environment, s *session, tell func(client.Progress)) error {
	q := b.request
	m, err := batch.ReadManifest(q)
	if err != nil {
		return err
	}
	b.manifest = m
	order, err := b.checkRequest(c, w, s)
	if err != nil {
		return err
	}
	files, err := batch.OpenFiles(q)
	if err != nil {
		return err
	}
	defer files.Close()
	if order.Files = files; b.hasDocuments() {
		if order.Listed, err = intake.ListFiles(files); err != nil {
			return err
		}
	}
	order.Progress = func(done int) { tell(client.Progress{Stage: "checking", Done: done, Total: len(m.Rows)}) }
	return b.checkRows(c.Context, order)
}

// hasDocuments reports whether any row brings a document.
func (b *remoteBatch) hasDocuments() bool {
	return slices.ContainsFunc(b.manifest.Rows, func(row manifest.Row) bool { return row.File != "" })
}

func (b *remoteBatch) checkRows(ctx context.Context, order intake.CheckRequest) error {
	scratch, err := os.MkdirTemp("", "vecctl-*")
	if err != nil {
		return blob.DiskError(err, "making a temporary folder")
	}
	defer os.RemoveAll(scratch)
	blobs, err := blob.Open(scratch)
	if err != nil {
		return err
	}
	look := intake.Intake{Store: uncheckedStore{b.dates, vault.Date(b.firstDate)}, Blobs: blobs, Now: time.Now}
	b.candidates, b.unreferenced, err = look.Check(ctx, order)
	return err
}

// checkRequest says what is to be checked, and finds out what was done of it before.
func (b *remoteBatch) checkRequest(c *cli.Context, w environment, s *session) (intake.CheckRequest, error) {
	q := b.request
	o := intake.CheckRequest{Institution: vault.Institution{TimeZone: localZone(w)}, Manifest: b.manifest, Trigger: vault.BulkUpload,
		DryRun: true, Template: q.Template,
		Placement: vault.Placement{Page: q.QRPage, At: q.QRAt, SizeMM: q.QRSize, MarginMM: q.QRMargin}}
	dir, err := homeDir(c, w)
	if err != nil {
		return o, err
	}
	sum := sha256.Sum256([]byte(s.Base() + "\x00" + hex.EncodeToString(b.manifest.Digest[:])))
	b.name = hex.EncodeToString(sum[:16])
	b.journal = filepath.Join(dir.Remote(), b.name+".jsonl")
	there := sha256.Sum256([]byte(s.Base()))
	if b.dates, err = remotebulk.OpenFrozenDates(filepath.Join(dir.Remote(), "dates-"+hex.EncodeToString(there[:8])+".log")); err != nil {
		return o, err
	}
	if b.firstDate, err = remotebulk.FirstDate(b.journal); err != nil {
		return o, err
	}
	b.today = cmp.Or(b.firstDate, string(o.Institution.Today(time.Now())))
	o.LoadTemplate = intake.TemplateLoader(template.Dir{Path: dir.Templates()})
	if q.Template != "" {
		if _, err := o.LoadTemplate(q.Template); err != nil {
			return o, fault.At("template "+q.Template, err)
		}
	}
	if b.templateUses(o.LoadTemplate, template.InstitutionColumn) {
		o.Institution.Name, err = homeInstitution(c, w)
	}
	return o, err
}

// templateUses reports whether a column stands on any document that is made of a template.
func (b *remoteBatch) templateUses(presses func(string) (intake.Renderer, error), column string) bool {
	return slices.ContainsFunc(b.manifest.Rows, func(row manifest.Row) bool {
		name := cmp.Or(row.Template, b.request.Template)
		if row.File != "" || name == "" {
			return false
		}
		p, err := presses(name) // an error is told with the row
		return err == nil && p.HasColumn(column)
	})
}

// homeInstitution is who {institution} stands for in this home's templates.
func homeInstitution(c *cli.Context, w environment) (string, error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return "", err
	}
	if there, err := dir.Exists(); err != nil || !there {
		return "", err
	}
	s, err := connectHome(c, w, vault.Institution{})
	if err != nil {
		return "", err
	}
	status, err := s.AgentStatus(c.Context)
	return status.Institution, errors.Join(err, s.close())
}

// uncheckedStore is the ledger of a vault that is asked later. Rows without a date
// have the one that they were sent with first, or that of the manifest's first run.
type uncheckedStore struct {
	days  *remotebulk.FrozenDates
	first vault.Date
}

func (uncheckedStore) Insert(context.Context, []store.NewCertificate) ([]store.InsertResult, error) {
	return nil, errors.New("nothing is accepted here")
}

func (uncheckedStore) KeyHolders(_ context.Context, _ uint32, keys []vault.Key) ([]*vault.Certificate, error) {
	return make([]*vault.Certificate, len(keys)), nil
}

func (n uncheckedStore) FrozenDates(_ context.Context, _ uint32, keys []vault.Key) ([]vault.Date, error) {
	dates := make([]vault.Date, len(keys))
	for i, key := range keys {
		dates[i] = cmp.Or(n.days.Date(key), n.first)
	}
	return dates, nil
}

// saveDates keeps the dates of rows that have none of their own.
func (b *remoteBatch) saveDates() error {
	given := map[vault.Key]vault.Date{}
	for _, c := range b.sound() {
		if c.Draft.Undated {
			given[c.Draft.FreezeKey()] = c.Draft.IssueDate
		}
	}
	return b.dates.Add(given)
}

// placementIgnored reports whether the vault took certificates and does not say that it put
// their codes where they were to go.
func (b *remoteBatch) placementIgnored() bool {
	for n, i := range b.places {
		o := b.outcomes[i]
		if o.Status == client.RowIssued && o.Certificate != nil && o.Certificate.QR == nil && b.items[n].Certificate.QR != (client.Placement{}) {
			return true
		}
	}
	return false
}

package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/manifest/names"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// adoption takes back verified PDFs that the home issued and has no record of, since it was
// restored from a backup that is older.
type adoption struct {
	*Service

	request adminclient.AdoptRequest
	who     vault.Institution
	rows    map[string][]reportedRow // by reference ID
	read    map[string]bool          // reports
}

// reportedRow is what a report says of a document.
type reportedRow struct {
	uuid string
	vault.Content
}

// Adopt takes back documents of the acting institution. A document proves itself: it has its
// reference ID, and the signature of a key of this home. Whose it is stands in the report of its
// batch, and must agree with the text of the document.
func (s *Service) Adopt(ctx context.Context, q adminclient.AdoptRequest) (adminclient.Adoption, error) {
	done := adminclient.Adoption{Files: []adminclient.AdoptedFile{}}
	who, err := s.institutions.ActingNow(ctx)
	if err != nil {
		return done, err
	}
	a := adoption{Service: s, request: q, who: who, rows: map[string][]reportedRow{}, read: map[string]bool{}}
	for _, path := range q.Reports {
		if err := a.readReport(path); err != nil {
			return done, err
		}
	}
	for _, path := range q.Files {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		one := adminclient.AdoptedFile{File: path, Status: adminclient.NotAdopted}
		err := a.adoptFile(ctx, path, &one)
		if fault.Is(err, fault.Full) {
			return done, err
		}
		if err != nil {
			one.Status, one.Error = adminclient.NotAdopted, adoptionErrorText(err)
		}
		done.Add(one)
	}
	if done.Adopted > 0 {
		s.events.PublishChange()
	}
	return done, nil
}

func adoptionErrorText(err error) string {
	if message, ok := fault.Message(err); ok {
		return message
	}
	return err.Error()
}

// readReport reads a batch's report once.
func (a *adoption) readReport(path string) error {
	if a.read[path] {
		return nil
	}
	a.read[path] = true
	f, err := os.Open(path)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the report %s cannot be read; check its name and permissions", path))
	}
	defer f.Close()
	table, err := manifest.ReadTable(f)
	if err != nil || len(table) == 0 {
		return fault.Newf(fault.Invalid, "%s is no report of a batch", path)
	}
	column := map[string]int{}
	for i, heading := range table[0] {
		column[heading] = i
	}
	if _, ok := column["reference_id"]; !ok {
		return fault.Newf(fault.Invalid, "%s is no report of a batch: it has no column reference_id", path)
	}
	for _, cells := range table[1:] {
		cell := func(heading string) string {
			if i, ok := column[heading]; ok && i < len(cells) {
				return sheet.UnescapeFormula(cells[i])
			}
			return ""
		}
		row := reportedRow{uuid: cell("uuid")}
		for id := range vault.FieldID(vault.FieldCount) {
			id.Set(&row.Content, cell(id.Field().Key))
		}
		reference := cell("reference_id")
		a.rows[reference] = append(a.rows[reference], row)
	}
	return nil
}

// adoptFile takes back one document.
func (a *adoption) adoptFile(ctx context.Context, path string, one *adminclient.AdoptedFile) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the file cannot be read; check its name and permissions")
	}
	p, err := a.prove(body)
	if err != nil {
		return err
	}
	one.ReferenceID = p.signature.ReferenceID
	switch known, err := a.store.ByReference(ctx, p.signature.ReferenceID); {
	case err == nil:
		return a.compareKnown(known, p, one)
	case !fault.Is(err, fault.NotFound):
		return err
	}
	d, uuid, err := a.draftOf(path, p)
	if err != nil {
		return err
	}
	if a.request.DryRun {
		one.Status = adminclient.Adoptable
		return nil
	}
	return a.keep(ctx, p, d, uuid, one)
}

// proven is a document that a key of the home signed.
type proven struct {
	body      []byte
	sum       string // SHA-256 of body
	signature pdf.Signature
	original  int // length of the document that was signed
}

// prove checks that a file is a verified PDF of the institution, as it was issued.
func (a *adoption) prove(body []byte) (proven, error) {
	p := proven{body: body}
	v, err := pdf.Verify(bytes.NewReader(body), int64(len(body)), pdf.WithTime(a.now()), pdf.WithDigest())
	if err != nil {
		return p, err
	}
	if !v.Valid {
		return p, fault.Newf(fault.Invalid, "its signature does not hold: %s", v.Sentence)
	}
	for _, s := range v.Signatures {
		if s.ReferenceID != "" {
			p.signature = s
		}
	}
	switch s := p.signature; {
	case s.ReferenceID == "":
		return p, fault.New(fault.Invalid, "no vault has signed it")
	case !vault.IsReference(s.ReferenceID) || len(s.SignedBytes) != sha256.Size:
		return p, fault.New(fault.Invalid, "its signature is not of the kind that this vault makes")
	case !s.CoversWholeFile:
		return p, fault.New(fault.Invalid, "something was added to it after it was signed; adopt the file as it was issued")
	}
	switch owner, found, err := a.institutions.KeyOwner(p.signature.Fingerprint); {
	case err != nil:
		return p, err
	case !found:
		return p, fault.Newf(fault.Invalid, "it was signed with a key that this home does not have (%s); put the file of that key into the folder keys of the home, as signing-until-DATE.pem, if it was this home's",
			p.signature.SignedBy)
	case owner.ID != a.who.ID:
		return p, fault.Newf(fault.Invalid, "it was issued by %s; use --institution %s", owner.Name, owner.Slug)
	}
	if p.original = lengthBefore(body); p.original == 0 {
		return p, fault.New(fault.Invalid, "the document that was signed cannot be told from the signature's update")
	}
	sum := sha256.Sum256(body)
	p.sum = hex.EncodeToString(sum[:])
	return p, nil
}

// firstObject is how an update begins: a line break and its first object.
var firstObject = regexp.MustCompile(`\n[0-9]+ [0-9]+ obj\b`)

// lengthBefore is the length of a verified PDF before the update that signed it; 0 where it cannot
// be told.
func lengthBefore(body []byte) int {
	const mark = "%%EOF"
	end := bytes.LastIndex(body[:max(0, bytes.LastIndex(body, []byte(pdf.VaultMark)))], []byte(mark))
	if end < 0 {
		return 0
	}
	end += len(mark)
	begin := firstObject.FindIndex(body[end:])
	if begin == nil {
		return 0
	}
	return end + begin[0]
}

// compareKnown says what is known of a document whose certificate the home has.
func (a *adoption) compareKnown(known vault.Certificate, p proven, one *adminclient.AdoptedFile) error {
	switch {
	case known.ErasedAt != nil:
		return fault.New(fault.Invalid, "the person was erased, and is not brought back")
	case known.Verified != nil && known.Verified.Has(p.sum):
		one.Status, one.UUID = adminclient.AdoptedBefore, known.UUID
		return nil
	}
	return fault.Newf(fault.Conflict, "the home has a certificate %s with another document", known.Reference)
}

// draftOf is what a document certifies: what the report says, if the document agrees.
func (a *adoption) draftOf(path string, p proven) (vault.Draft, string, error) {
	beside := filepath.Join(filepath.Dir(path), staging.ReportName)
	if _, err := os.Stat(beside); err == nil {
		if err := a.readReport(beside); err != nil {
			return vault.Draft{}, "", err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return vault.Draft{}, "", fsutil.DiskError(err, "looking for the report beside the file")
	}
	rows := a.rows[p.signature.ReferenceID]
	if len(rows) == 0 {
		return vault.Draft{}, "", fault.Newf(fault.Invalid, "no report says whose %s is; name the report.csv of its batch with --report", p.signature.ReferenceID)
	}
	for _, other := range rows[1:] {
		if other != rows[0] {
			return vault.Draft{}, "", fault.Newf(fault.Invalid, "the reports contradict each other about %s", p.signature.ReferenceID)
		}
	}
	d := vault.Draft{Content: rows[0].Content, Trigger: vault.ByAdmin}.Clean()
	original := p.body[:p.original]
	sum := sha256.Sum256(original)
	d.File = vault.File{Name: filepath.Base(path), Format: string(pdf.FormatPDF), Size: int64(len(original)), SHA256: hex.EncodeToString(sum[:])}
	if err := d.Validate(); err != nil {
		return d, "", err
	}
	switch at, erased, err := a.erasures.Find(a.who.ID, d.Email); {
	case err != nil:
		return d, "", err
	case erased:
		return d, "", fault.Newf(fault.Invalid, "the person was erased on %s, and is not brought back; \"vecctl recipient readmit\" permits it", at.Format("2006-01-02"))
	}
	return d, rows[0].uuid, a.checkName(p, d.Name)
}

// textPages is how many pages of a document are read for its name.
const textPages = 5

// checkName checks that the text of a document names the person of the report.
func (a *adoption) checkName(p proven, name string) error {
	if a.request.TrustReport {
		return nil
	}
	text := pdf.ReadText(bytes.NewReader(p.body[:p.original]), int64(p.original), textPages)
	const little = 8 // letters; less is a page's number
	switch names.NewIndex([]string{name}).Find(text.Words, 0).Own {
	case names.Exact:
		return nil
	case names.Loose:
		return fault.Newf(fault.Invalid, "its text may name %s, as the report does, or somebody else; look at it, and adopt it with --trust-report", name)
	case names.Absent:
	}
	if text.Unreadable > 0 || len(strings.TrimSpace(text.Words)) < little {
		return fault.New(fault.Invalid, "its text cannot be read, so that the report alone says whose it is; look at it, and adopt it with --trust-report")
	}
	return fault.Newf(fault.Invalid, "its text does not name %s, as the report does", name)
}

// keep keeps the certificate, with its entry in the log.
func (a *adoption) keep(ctx context.Context, p proven, d vault.Draft, uuid string, one *adminclient.AdoptedFile) error {
	staged, err := a.blobs.Stage(ctx, bytes.NewReader(p.body[:p.original]), vault.MaxFile+vault.MaxFile)
	if err != nil {
		return err
	}
	defer staged.Discard()
	if err := a.blobs.Commit(ctx, staged); err != nil {
		return err
	}
	key, err := a.institutions.LogKey(a.who.ID)
	if err != nil {
		return err
	}
	tail := p.body[p.original:]
	entry, err := signing.NewAdoptedEntry(key, [sha256.Size]byte(p.signature.SignedBytes), tail, a.now())
	if err != nil {
		return err
	}
	id, err := vault.NewIdentity(a.random, p.signature.SignedAt, p.signature.SignedAt.Year())
	if err != nil {
		return err
	}
	id.Reference = p.signature.ReferenceID
	if vault.IsUUID(uuid) {
		id.UUID = uuid
	}
	v := vault.Verified{Document: vault.Document{SHA256: staged.SHA256, Size: staged.Size}, TailSize: int64(len(tail)), SHA256: p.sum}
	c, fx := vault.Adopt(d, a.who.ID, id, v, tail, p.signature.SignedAt.UTC(), a.now())
	fx.Log = entry
	kept, err := a.store.Insert(ctx, []store.NewCertificate{{Certificate: c, Effects: fx}})
	switch {
	case fault.Is(err, fault.Conflict):
		return fault.Newf(fault.Conflict, "the home has another certificate of the UUID %s that the report names", id.UUID)
	case err != nil:
		return err
	case kept[0].Duplicate:
		return fault.Newf(fault.Conflict, "%s was issued to the same person with the same title and date; both cannot be in the home", kept[0].Certificate.Reference)
	}
	one.Status, one.UUID = adminclient.Adopted, kept[0].Certificate.UUID
	return nil
}

package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/vault"
)

// SaveReport says what became of a download of many documents.
type SaveReport struct {
	Out        string `json:"out"`
	Total      int    `json:"total"`      // documents that are there, and those that were skipped
	Downloaded int    `json:"downloaded"` // by this run
	Unchanged  int    `json:"unchanged"`  // there already
	// Skipped are approved certificates whose documents the vault could not deliver.
	Skipped []SkippedDocument `json:"skipped"`
	// The selected certificates that have no verified PDF: not finished, failed, taken back.
	Processing int `json:"processing"`
	Failed     int `json:"failed"`
	Revoked    int `json:"revoked"`
}

// SkippedDocument is one that the vault could not deliver.
type SkippedDocument struct {
	ReferenceID string `json:"reference_id"`
	Reason      string `json:"reason"`
}

// Complete reports whether nothing that was asked for is missing. What was taken back is not.
func (r SaveReport) Complete() bool { return len(r.Skipped)+r.Processing+r.Failed == 0 }

// add counts a document.
func (r *SaveReport) add(existed bool) {
	r.Total++
	if existed {
		r.Unchanged++
	} else {
		r.Downloaded++
	}
}

// skip counts one that the vault could not deliver.
func (r *SaveReport) skip(reference, reason string) {
	r.Total++
	r.Skipped = append(r.Skipped, SkippedDocument{ReferenceID: reference, Reason: strings.TrimSpace(reason)})
}

// destination is where documents are saved.
type destination interface {
	// has reports whether a document is there already.
	has(f savedFile) (bool, error)
	// put stores a file. Stored is only what was put before a checkpoint or finish.
	put(f savedFile, content io.Reader) error
	// checkpoint makes what was put durable, so that a later run continues behind it.
	checkpoint() error
	// finish ends the download, which is whole then.
	finish() error
	close() error
}

// savedFile is a file to be saved. Of a document in an archive the CRC-32 is known, of one in a
// list perhaps the SHA-256.
type savedFile struct {
	ArchivedFile

	sha256 string // "" where it is not known
}

// saver downloads many documents.
type saver struct {
	client *Client
	filter Filter
	into   destination
	report SaveReport
	after  string // the last document's reference ID
	total  int
	fresh  int // files since the last checkpoint
}

// Save downloads the verified PDFs of all approved certificates that a filter selects, into a
// ZIP where out ends in .zip, else into a folder. A run that was interrupted is continued by
// the next with the same arguments. Memory does not grow with the number of documents. Where the
// vault has a call for many documents they come as one stream, else one by one. Progress is
// told of each.
func (c *Client) Save(ctx context.Context, f Filter, out string, progress func(Progress)) (SaveReport, error) {
	if f.Status != "" && normalStatus(f.Status) != vault.Approved {
		return SaveReport{}, fault.Newf(fault.Invalid, "certificates that are %s have no verified PDF to download; leave the status out", f.Status)
	}
	f.Status, f.Page, f.PerPage = string(vault.Approved), 0, 0
	s := &saver{client: c, filter: f, report: SaveReport{Out: out, Skipped: []SkippedDocument{}}}
	var err error
	if strings.EqualFold(filepath.Ext(out), ".zip") {
		s.into, err = openZip(s, out)
	} else {
		s.into, err = openFolder(s, out)
	}
	if err != nil {
		return s.report, err
	}
	err = s.archives(ctx, progress)
	if lacksArchives(err) {
		err = s.singles(ctx, progress)
	}
	if err == nil && s.report.Total == 0 {
		if err = s.countUnfinished(ctx); err == nil {
			err = fault.Newf(fault.NotFound, "no verified PDF matches; of the certificates that match, %d are still processing, %d failed and %d are revoked",
				s.report.Processing, s.report.Failed, s.report.Revoked)
		}
		return s.report, errors.Join(err, s.into.close())
	}
	if err != nil {
		return s.report, errors.Join(err, s.checkpoint(), s.into.close())
	}
	if err := s.into.finish(); err != nil {
		return s.report, errors.Join(err, s.into.close())
	}
	return s.report, s.countUnfinished(ctx)
}

// maxBroken is how many archives in a row may break off without a document.
const maxBroken = 3

// archives reads archives until one comes to its end; each continues the one before.
func (s *saver) archives(ctx context.Context, progress func(Progress)) error {
	for broken := 0; ; {
		before := s.after
		err := s.archive(ctx, progress)
		if err == nil || !fault.Is(err, fault.Unavailable) || IsUntrusted(err) {
			return err
		}
		if broken++; s.after != before {
			broken = 0
		}
		if broken == maxBroken || s.after == "" && s.client.retries.Attempts <= 1 {
			return err
		}
		if err := s.client.retries.sleep(ctx, time.Second<<broken); err != nil {
			return err
		}
	}
}

// archive reads one archive.
func (s *saver) archive(ctx context.Context, progress func(Progress)) error {
	a, err := s.client.Archive(ctx, s.filter, s.after)
	if err != nil {
		return err
	}
	defer a.Close()
	s.total = s.report.Total + a.Total
	for {
		if err := ctx.Err(); err != nil {
			return err // much may be buffered
		}
		f, err := a.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = s.save(savedFile{ArchivedFile: f}, a)
		}
		if err != nil {
			return err
		}
		if s.after = f.ReferenceID; s.fresh >= checkpointFiles {
			if err := s.checkpoint(); err != nil {
				return err
			}
		}
		progress(Progress{Stage: "downloading", Done: s.report.Total, Total: max(s.total, s.report.Total)})
	}
}

// checkpointFiles is how many files are made durable together. So many are downloaded again
// after a crash.
const checkpointFiles = 128

func (s *saver) checkpoint() error {
	s.fresh = 0
	return s.into.checkpoint()
}

// save stores one file, unless it is there already.
func (s *saver) save(f savedFile, content io.Reader) error {
	if f.Skipped {
		const most = 4 << 10
		reason, err := io.ReadAll(io.LimitReader(content, most))
		if err != nil {
			return err
		}
		f.Size, f.CRC32 = int64(len(reason)), crc32.ChecksumIEEE(reason)
		if err := s.into.put(f, strings.NewReader(string(reason))); err != nil {
			return err
		}
		s.fresh++
		s.report.skip(f.ReferenceID, string(reason))
		return nil
	}
	existed, err := s.into.has(f)
	if err == nil && !existed {
		s.fresh++
		err = s.into.put(f, content)
	}
	if err == nil {
		s.report.add(existed)
	}
	return err
}

// singles downloads the documents one by one, for vaults that have no call for many.
func (s *saver) singles(ctx context.Context, progress func(Progress)) error {
	temp, err := os.CreateTemp("", "vecctl-download-*")
	if err != nil {
		return fsutil.DiskError(err, "keeping a document")
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	s.after, s.report = "", SaveReport{Out: s.report.Out, Skipped: []SkippedDocument{}} // all are looked at again
	for c, err := range s.client.All(ctx, s.filter) {
		if err != nil {
			return err
		}
		if s.filter.Batch != "" && (c.BatchID == nil || *c.BatchID != s.filter.Batch) {
			if c.BatchID == nil {
				return fault.Newf(fault.Illegal, "the vault at %s does not say which batch a certificate belongs to; select with --search, --email, --from or --to instead", s.client.base)
			}
			continue // the vault does not know the filter
		}
		if !c.Status.Is(vault.Approved) {
			continue
		}
		if err := s.single(ctx, c, temp); err != nil {
			return err
		}
		if s.fresh >= checkpointFiles {
			if err := s.checkpoint(); err != nil {
				return err
			}
		}
		s.total++
		progress(Progress{Stage: "downloading", Done: s.report.Total, Total: max(s.total, s.report.Total)})
	}
	return nil
}

// single downloads one document by way of a temporary file.
func (s *saver) single(ctx context.Context, c Certificate, temp *os.File) error {
	f := savedFile{ArchivedFile: ArchivedFile{Name: c.ReferenceID + ".pdf", ReferenceID: c.ReferenceID}}
	if v := c.Verified; v != nil {
		f.Size, f.sha256 = v.Size, v.SHA256
		if vault.ReferenceInFileName(v.Name) == c.ReferenceID && safeFileName(v.Name) {
			f.Name = v.Name
		}
	}
	if !safeFileName(f.Name) {
		return fault.Newf(fault.Unavailable, "the vault at %s has a certificate with the reference ID %.100q, which can name no file", s.client.base, c.ReferenceID)
	}
	if existed, err := s.into.has(f); err != nil || existed {
		if err == nil {
			s.report.add(true)
		}
		return err
	}
	if err := temp.Truncate(0); err != nil {
		return fsutil.DiskError(err, "keeping a document")
	}
	sum, whole := crc32.NewIEEE(), sha256.New()
	size, err := s.client.Download(ctx, c.UUID, io.MultiWriter(io.NewOffsetWriter(temp, 0), sum, whole))
	if err == nil && f.sha256 != "" && !c.Verified.Is(hex.EncodeToString(whole.Sum(nil))) {
		err = fault.New(fault.NotFound, "what the vault sent is not the verified PDF that it lists: the SHA-256 is another")
	}
	if fault.Is(err, fault.NotFound) {
		reason, _ := fault.Message(err)
		f.Name, f.Skipped = c.ReferenceID+SkippedSuffix, true
		return s.save(f, strings.NewReader(reason+"\n"))
	}
	if err != nil {
		return err
	}
	f.Size, f.CRC32 = size, sum.Sum32()
	return s.save(f, io.NewSectionReader(temp, 0, size))
}

// countUnfinished counts the selected certificates that have no verified PDF, as far as the
// vault filters by state.
func (s *saver) countUnfinished(ctx context.Context) error {
	for status, count := range map[vault.Status]*int{vault.Processing: &s.report.Processing, vault.Failed: &s.report.Failed, vault.Revoked: &s.report.Revoked} {
		f := s.filter
		f.Status, f.PerPage = string(status), 1
		page, err := s.client.List(ctx, f)
		if err != nil {
			return err
		}
		if len(page.Data) > 0 && page.Data[0].Status.Is(status) {
			*count = page.Meta.Total
		}
	}
	return nil
}

// unfinished is what a run notes for the one that continues it.
type unfinished struct {
	Vault  string     `json:"vault"`
	Filter string     `json:"filter"`
	After  string     `json:"after,omitempty"`
	Report SaveReport `json:"report,omitzero"`
}

// readUnfinished reads the note of an earlier run; false where there is none. That of another
// download is an error.
func (s *saver) readUnfinished(path, of string) (u unfinished, found bool, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return u, false, nil
	}
	if err != nil {
		return u, false, fsutil.DiskError(err, "reading the note of an unfinished download")
	}
	own := s.newUnfinished()
	if json.Unmarshal(raw, &u) != nil || u.Vault != own.Vault || u.Filter != own.Filter {
		return u, false, fault.Newf(fault.Invalid, "%s has an unfinished download of something else (%s says of what); finish that one, remove it, or name another place", of, path)
	}
	return u, true, nil
}

func (s *saver) newUnfinished() unfinished {
	return unfinished{Vault: s.client.base, Filter: s.filter.values().Encode()}
}

func (s *saver) writeUnfinished(path string, u unfinished) error {
	raw, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return fsutil.WriteFile(path, 0o600, func(w io.Writer) error {
		_, err := w.Write(append(raw, '\n'))
		return err
	})
}

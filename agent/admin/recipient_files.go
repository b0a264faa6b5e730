package admin

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// exportedFile is a file of an export: a verified PDF, a stored document, or a file of the home.
type exportedFile struct {
	name     string // within the zip
	verified *vault.Certificate
	sum      string
	path     string
	optional bool // a file that may be gone, as mails that a server took
}

func extension(f vault.File) string { return "." + f.Format }

// addDocuments adds the files of a certificate, and returns their names.
func (e *recipientExport) addDocuments(c vault.Certificate) []string {
	names := []string{}
	at, _ := e.institutions.ByID(c.Institution)
	folder := at.Slug + "/certificates/" + c.Reference
	add := func(f exportedFile) {
		e.files, names = append(e.files, f), append(names, f.name)
	}
	if c.Verified != nil {
		add(exportedFile{name: folder + ".pdf", verified: &c})
	}
	if c.File.SHA256 != "" {
		add(exportedFile{name: folder + "-submitted" + extension(c.File), sum: c.File.SHA256})
	}
	if a := c.Application; a != nil && a.Evidence != nil {
		add(exportedFile{name: folder + "-evidence" + extension(*a.Evidence), sum: a.Evidence.SHA256})
	}
	return names
}

func (e *recipientExport) addBlob(name, sum string) {
	e.files = append(e.files, exportedFile{name: name, sum: sum})
}

// addSpooled adds the file of a mail, where the home writes mails as files.
func (e *recipientExport) addSpooled(at vault.Institution, m vault.Mail) {
	e.files = append(e.files, exportedFile{name: fmt.Sprintf("%s/mails/%d.eml", at.Slug, m.ID), path: filepath.Join(e.home.Mail(), mailer.SpoolFile(m.ID)), optional: true})
}

// addRefused adds what lies of the person among refused files: rows of tables, lines of other
// texts, and documents that are the person's alone.
func (e *recipientExport) addRefused(at vault.Institution, issued []vault.Certificate, about *adminclient.InstitutionData) error {
	found, err := e.eraseRefused(at.ID, e.email, e.person, issued, true)
	if err != nil {
		return err
	}
	names := []string{e.folded}
	if e.person != "" {
		names = []string{e.person} // others may share the address
	}
	for _, c := range issued {
		if len(c.Name) >= shortestNamed {
			names = append(names, c.Name)
		}
	}
	for _, path := range found {
		name, err := filepath.Rel(string(e.home), path)
		if err != nil {
			name = filepath.Base(path)
		}
		one := adminclient.RefusedFile{File: filepath.ToSlash(name), Lines: []string{}}
		if isText(path) {
			if one.Lines, err = linesAbout(path, names); err != nil {
				return err
			}
		} else {
			copied := fmt.Sprintf("%s/refused/%d%s", at.Slug, len(e.files)+1, filepath.Ext(path))
			one.Copy = copied
			e.files = append(e.files, exportedFile{name: copied, path: path})
		}
		about.Refused = append(about.Refused, one)
	}
	return nil
}

// isText reports whether a refused file may be about several people: a table, or why it was
// refused.
func isText(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".ods", ".html", ".json", ".yaml":
		return true
	}
	return false
}

// linesAbout returns the rows or lines of a file that have one of the names.
func linesAbout(path string, names []string) ([]string, error) {
	lines := []string{}
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return lines, nil
	}
	if err != nil {
		return nil, err
	}
	texts := strings.Split(string(bytes.ToValidUTF8(body, nil)), "\n")
	if m, err := manifest.Read(body, manifest.Options{Name: filepath.Base(path), MaxRows: manifest.LargestMaxRows}); err == nil {
		texts = nil
		for _, row := range m.Rows {
			texts = append(texts, strings.Join(row.Cells, "; "))
		}
	}
	for _, line := range texts {
		folded := vault.Fold(line)
		for _, name := range names {
			if strings.Contains(folded, vault.Fold(name)) {
				lines = append(lines, line)
				break
			}
		}
	}
	return lines, nil
}

// open opens a file for the export; size is for the zip alone.
func (e *recipientExport) open(ctx context.Context, f exportedFile) (io.WriterTo, io.Closer, error) {
	switch {
	case f.verified != nil:
		v, err := e.documents.Open(ctx, *f.verified)
		return v, v, err
	case f.sum != "":
		b, err := e.blobs.Open(ctx, f.sum)
		return copier{b}, b, err
	}
	file, err := os.Open(f.path)
	return copier{file}, file, err
}

// copier writes what it reads.
type copier struct{ io.Reader }

// WriteTo implements io.WriterTo.
func (c copier) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, c.Reader) }

// writeFile adds a file to the zip. One that is damaged or gone is counted as missing.
func (e *recipientExport) writeFile(ctx context.Context, out *zip.Writer, f exportedFile) error {
	from, closer, err := e.open(ctx, f)
	switch {
	case f.optional && errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		reason, ok := fault.Message(err)
		if !ok {
			reason = "it cannot be read"
		}
		e.data.Missing = append(e.data.Missing, f.name+": "+reason)
		return nil
	}
	defer closer.Close()
	entry, err := out.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: e.data.MadeAt.Truncate(time.Second)})
	if err == nil {
		_, err = from.WriteTo(entry)
	}
	if err != nil {
		return fmt.Errorf("writing %s of a person's data: %w", f.name, err)
	}
	return nil
}

// Package staging keeps the batches that were taken from the drop folder until
// their results are written, and moves files between folders so that none is lost.
package staging

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
)

const (
	recordName  = "record.json"
	resultName  = "result.json"
	manifestDir = "manifest"
	filesDir    = "files"
	notesDir    = "notes"
	resultsDir  = "outcome"
)

// Record says where the files of a batch came from.
type Record struct {
	Manifest    string         `json:"manifest"` // its file name
	Folder      string         `json:"folder"`   // in which the manifest lay
	Digest      string         `json:"digest"`   // of the manifest
	Taken       time.Time      `json:"taken"`
	Institution uint32         `json:"institution"`
	Begun       time.Time      `json:"begun,omitzero"` // first tried to issue
	Files       []File         `json:"files"`
	Lost        map[int]string `json:"lost,omitempty"` // rows without a document, and why
}

// File is one file of a batch.
type File struct {
	From string `json:"from"` // relative to the drop folder, or absolute; with slashes
	To   string `json:"to"`   // relative to the batch's folder, with slashes
	ID   FileID `json:"stamp"`
	Keep bool   `json:"keep,omitempty"` // the original stays: another manifest names it too
}

// ReasonSuffix ends the name of the note beside what was refused.
const ReasonSuffix = ".reason.txt"

// Batch is a manifest with its documents, on its way.
type Batch struct {
	Dir string // its folder
	Record
}

func (b *Batch) path(parts ...string) string {
	return filepath.Join(append([]string{b.Dir}, parts...)...)
}

// ManifestPath is where the manifest lies.
func (b *Batch) ManifestPath() string { return b.path(manifestDir, b.Manifest) }

// FilesPath is the folder of the documents.
func (b *Batch) FilesPath() string { return b.path(filesDir) }

// ResultsPath is the folder of the outcome while it grows.
func (b *Batch) ResultsPath() string { return b.path(resultsDir) }

// Documents names the documents, relative to their folder, with slashes.
func (b *Batch) Documents() []string {
	var names []string
	for _, f := range b.Files {
		if name, ok := f.document(); ok {
			names = append(names, name)
		}
	}
	return names
}

func (t File) document() (name string, ok bool) { return strings.CutPrefix(t.To, filesDir+"/") }

// DocumentTarget is where a document lies within a batch's folder.
func DocumentTarget(name string) string { return filesDir + "/" + name }

// ManifestTarget is where the manifest lies.
func ManifestTarget(name string) string { return manifestDir + "/" + name }

// NoteTarget is where a note lies.
func NoteTarget(number int) string { return fmt.Sprintf("%s/%d.txt", notesDir, number) }

// Begin readies the folder for the issuing, and notes when it was first tried.
func (b *Batch) Begin(now time.Time) error {
	for _, dir := range []string{b.FilesPath(), b.ResultsPath()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return blob.DiskError(err, "making a folder for a batch")
		}
	}
	if !b.Begun.IsZero() {
		return nil
	}
	r := b.Record
	r.Begun = now
	if err := writeJSON(b.path(recordName), r); err != nil {
		return err
	}
	b.Begun = now
	return nil
}

func writeJSON(path string, value any) error {
	return blob.WriteFile(path, 0o600, func(w io.Writer) error { return json.NewEncoder(w).Encode(value) })
}

func readJSON(path string, into any) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// NewBatch makes the folder of a batch and writes the record down, before any
// file is moved.
func NewBatch(incoming string, r Record) (*Batch, error) {
	stem := strings.TrimSuffix(r.Manifest, path.Ext(r.Manifest))
	if runes := []rune(stem); len(runes) > 40 {
		stem = string(runes[:40])
	}
	dir := FreePath(incoming, r.Taken.UTC().Format("20060102T150405.000-")+stem)
	temp := filepath.Join(incoming, "."+filepath.Base(dir))
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, blob.DiskError(err, "making a folder for a batch")
	}
	err := writeJSON(filepath.Join(temp, recordName), r)
	if err == nil {
		err = blob.Publish([]blob.Pending{{Temp: temp, Name: dir}})
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(temp))
	}
	return &Batch{Dir: dir, Record: r}, nil
}

// ResultFolders are the folders of outcomes that grow among incoming batches.
func ResultFolders(incoming string) ([]string, error) {
	entries, err := os.ReadDir(incoming)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, blob.DiskError(err, "looking for incoming batches")
	}
	var folders []string
	for _, e := range entries {
		folders = append(folders, filepath.Join(incoming, e.Name(), resultsDir))
	}
	return folders, nil
}

// InProgress reports whether a manifest, by its digest, is among incoming batches.
func InProgress(incoming, digest string) (bool, error) {
	entries, err := os.ReadDir(incoming)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, blob.DiskError(err, "looking for incoming batches")
	}
	for _, e := range entries {
		var r Record
		// What has no record that can be read is not issued either.
		if err := readJSON(filepath.Join(incoming, e.Name(), recordName), &r); err == nil && r.Digest == digest {
			return true, nil
		}
	}
	return false, nil
}

// source is where a file of the batch lay.
func (t File) source(folder string) string {
	if path.IsAbs(t.From) || filepath.IsAbs(t.From) {
		return filepath.FromSlash(t.From)
	}
	return filepath.Join(folder, filepath.FromSlash(t.From))
}

// MoveFiles moves the files that are not here yet. An error of staging.ErrChanged means
// that the drop folder does not hold any more what was meant.
func (b *Batch) MoveFiles(folder string) error {
	var legs []Move
	for _, f := range b.Files {
		l := Move{From: f.source(folder), To: b.path(filepath.FromSlash(f.To)), ID: &f.ID, Keep: f.Keep}
		if !PathExists(l.To) {
			legs = append(legs, l)
			continue
		}
		// Copied, and interrupted before the original was removed.
		if !f.Keep && l.Present() {
			if err := os.Remove(l.From); err != nil {
				return blob.DiskError(err, "removing a file that was taken")
			}
		}
	}
	return MoveFiles(legs)
}

// Unchanged reports whether the files are what they were when they were taken. Of a
// copy nobody else can hold, and so nobody changes, the size is enough.
func (b *Batch) Unchanged() bool {
	for _, f := range b.Files {
		info, err := os.Lstat(b.path(filepath.FromSlash(f.To)))
		if err != nil || !f.unchanged(FileIDOf(info)) {
			return false
		}
	}
	return true
}

func (t File) unchanged(now FileID) bool {
	if now.Inode != t.ID.Inode {
		return now.Size == t.ID.Size
	}
	return now == t.ID
}

// PutBack returns everything to where it lay. What lies there by now stays;
// the older file goes to the failed folder then.
func (b *Batch) PutBack(folder, failed string) error {
	for _, f := range b.Files {
		here := b.path(filepath.FromSlash(f.To))
		if f.Keep || !PathExists(here) {
			continue
		}
		back := f.source(folder)
		if PathExists(back) {
			back = FreePath(failed, path.Base(f.To))
			reason := "A newer file of this name was put into the drop folder before this one was issued.\n"
			if err := WriteText(back+ReasonSuffix, reason); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(filepath.Dir(back), 0o777); err != nil {
			return blob.DiskError(err, "putting a file back")
		}
		if err := MoveFiles([]Move{{From: here, To: back}}); err != nil {
			return err
		}
	}
	return b.Remove()
}

// Remove removes the batch's folder, at once as far as others can see.
func (b *Batch) Remove() error {
	gone := filepath.Join(filepath.Dir(b.Dir), "."+filepath.Base(b.Dir))
	if err := os.Rename(b.Dir, gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return blob.DiskError(err, "removing a finished batch")
	}
	return blob.DiskError(os.RemoveAll(gone), "removing a finished batch")
}

// Resume finds the batches that an earlier run left, oldest first. The error is
// about those that cannot be taken up; they stay where they are.
func Resume(incoming string) ([]*Batch, error) {
	if err := os.MkdirAll(incoming, 0o700); err != nil {
		return nil, blob.DiskError(err, "making the folder of incoming batches")
	}
	entries, err := os.ReadDir(incoming)
	if err != nil {
		return nil, blob.DiskError(err, "looking for batches of an earlier run")
	}
	var all []*Batch
	var failed error
	for _, e := range entries {
		dir := filepath.Join(incoming, e.Name())
		if strings.HasPrefix(e.Name(), ".") {
			failed = errors.Join(failed, blob.DiskError(os.RemoveAll(dir), "removing what an earlier run left"))
			continue
		}
		b := &Batch{Dir: dir}
		switch err := readJSON(b.path(recordName), &b.Record); {
		case err == nil:
			all = append(all, b)
		case !errors.Is(err, fs.ErrNotExist): // what has no record is not ours
			failed = errors.Join(failed, blob.DiskError(err, "taking up a batch of an earlier run"))
		}
	}
	return all, failed
}

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
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fsutil"
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
	Archive     string         `json:"archive,omitempty"` // zip that the batch is unpacked from; "" for none
	Lost        map[int]string `json:"lost,omitempty"`    // rows without a document, and why
}

// File is one file of a batch.
type File struct {
	From string `json:"from"` // relative to the drop folder, or absolute; with slashes
	To   string `json:"to"`   // relative to the batch's folder, with slashes
	ID   FileID `json:"stamp"`
	Keep bool   `json:"keep,omitempty"` // the original stays: another manifest names it too
	// Folder is the folder that it was seen in; records of earlier versions lack it.
	Folder *InodeID `json:"folder,omitempty"`
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
	for _, f := range b.documentFiles() {
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

// AnswersTarget is where the answers that lay beside the manifest lie.
const AnswersTarget = "answers/manifest.yaml"

// Answers returns the file of answers that lay beside the manifest; nil for none.
func (b *Batch) Answers() ([]byte, error) {
	body, err := os.ReadFile(b.path(filepath.FromSlash(AnswersTarget)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return body, fsutil.DiskError(err, "reading the answers beside a manifest")
}

// NoteTarget is where a note lies.
func NoteTarget(number int) string { return fmt.Sprintf("%s/%d.txt", notesDir, number) }

// Begin readies the folder for the issuing, and notes when it was first tried.
func (b *Batch) Begin(now time.Time) error {
	for _, dir := range []string{b.FilesPath(), b.ResultsPath()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fsutil.DiskError(err, "making a folder for a batch")
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
	return fsutil.WriteFile(path, 0o600, func(w io.Writer) error { return json.NewEncoder(w).Encode(value) })
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
	root, err := os.OpenRoot(incoming)
	if err != nil {
		return nil, fsutil.DiskError(err, "making a folder for a batch")
	}
	defer root.Close()
	free, err := FreePlace(root, r.Taken.UTC().Format("20060102T150405.000-")+stem)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(incoming, free.Name)
	temp := filepath.Join(incoming, "."+filepath.Base(dir))
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, fsutil.DiskError(err, "making a folder for a batch")
	}
	err = writeJSON(filepath.Join(temp, recordName), r)
	if err == nil {
		err = fsutil.Publish([]fsutil.Pending{{Temp: temp, Name: dir}})
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
		return nil, fsutil.DiskError(err, "looking for incoming batches")
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
		return false, fsutil.DiskError(err, "looking for incoming batches")
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

// origins finds where the files of a batch came from: the drop folder, or the folder
// of documents that were set aside.
type origins struct {
	drop   *os.Root
	opened map[string]*os.Root // other folders, by path
}

func (o *origins) close() {
	for _, root := range o.opened {
		_ = root.Close()
	}
}

// of returns where a file of the batch lay. The folder of a document that was set aside is made
// where it is wanted; else its place has no folder when it is gone.
func (o *origins) of(f File, wanted bool) (Place, error) {
	if !path.IsAbs(f.From) && !filepath.IsAbs(f.From) {
		return Place{o.drop, f.From}, nil
	}
	// One of the failed folder, which is our own.
	name := filepath.FromSlash(f.From)
	dir := filepath.Dir(name)
	root, ok := o.opened[dir]
	if !ok {
		if wanted {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return Place{}, fsutil.DiskError(err, "making a folder")
			}
		}
		var err error
		root, err = os.OpenRoot(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return Place{Name: filepath.Base(name)}, nil
		}
		if err != nil {
			return Place{}, fsutil.DiskError(err, "opening a folder")
		}
		if o.opened == nil {
			o.opened = map[string]*os.Root{}
		}
		o.opened[dir] = root
	}
	return Place{root, filepath.Base(name)}, nil
}

// MoveFiles moves the files that are not here yet from the drop folder, which is held open.
// An error of staging.ErrChanged means that the drop folder does not hold any more what was meant.
func (b *Batch) MoveFiles(drop *os.Root) error {
	own, err := os.OpenRoot(b.Dir)
	if err != nil {
		return fsutil.DiskError(err, "opening the folder of a batch")
	}
	defer own.Close()
	from := origins{drop: drop}
	defer from.close()
	var moves []Move
	for _, f := range b.Files {
		origin, err := from.of(f, false)
		if err != nil {
			return err
		}
		l := Move{From: origin, To: Place{own, f.To}, ID: &f.ID, Keep: f.Keep}
		taken, err := l.To.Exists()
		switch {
		case err != nil:
			return err
		case !taken && origin.Folder == nil:
			return ErrChanged
		case !taken:
			moves = append(moves, l)
			continue
		case origin.Folder == nil:
			continue
		}
		// Copied, and interrupted before the original was removed.
		if !f.Keep && l.Present() {
			if err := l.From.Folder.Remove(filepath.FromSlash(l.From.Name)); err != nil {
				return fsutil.DiskError(err, "removing a file that was taken")
			}
		}
	}
	return MoveFiles(moves)
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

// Reasons beside files that could not go back to where they lay.
const (
	reasonNewer  = "A newer file of this name was put into the drop folder before this one was issued.\n"
	reasonFolder = "The folder that this file was taken from is another one now, so it was not put back there. Nothing was issued. Put the file into the drop folder again.\n"
)

// PutBack returns everything to where it lay, and only into the folder in which it was seen. What lies
// there by now stays; the older file goes to the failed folder then, as one does whose folder
// has been replaced. Folders that are missing are made, and noted in made.
func (b *Batch) PutBack(drop *os.Root, failed string, made *MadeFolders) error {
	own, err := os.OpenRoot(b.Dir)
	if err != nil {
		return fsutil.DiskError(err, "opening the folder of a batch")
	}
	defer own.Close()
	refused, err := os.OpenRoot(failed)
	if err != nil {
		return fsutil.DiskError(err, "opening the failed folder")
	}
	defer refused.Close()
	from := origins{drop: drop}
	defer from.close()
	for _, f := range b.Files {
		if f.Keep {
			continue
		}
		here := Place{own, f.To}
		there, err := here.Exists()
		if err != nil {
			return err
		}
		if !there {
			continue
		}
		back, err := from.of(f, true)
		if err != nil {
			return err
		}
		if err := putBackOrAside(here, back, refused, f, made); err != nil {
			return err
		}
	}
	return b.Remove()
}

// putBackOrAside puts a file back to where it lay, else with the reason into the failed folder.
func putBackOrAside(here, back Place, refused *os.Root, f File, made *MadeFolders) error {
	reason := reasonNewer
	taken, err := back.Exists()
	if err != nil && !folderChanged(err) {
		return err
	}
	if !taken {
		err := putBack(here, back, f.Folder, made)
		if !errors.Is(err, ErrChanged) {
			return err
		}
		reason = reasonFolder
	}
	if back, err = FreePlace(refused, path.Base(f.To)); err != nil {
		return err
	}
	if err := (Place{refused, back.Name + ReasonSuffix}).WriteText(reason); err != nil {
		return err
	}
	return MoveFiles([]Move{{From: here, To: back}})
}

// putBack moves a file back into the folder that it was seen in. Where there is none by
// now it is made; a folder that has taken its place is ErrChanged, unless we made it.
func putBack(here, back Place, seenIn *InodeID, made *MadeFolders) error {
	now, err := made.folder(back.Folder, path.Dir(back.Name))
	if err != nil {
		return folderError(err, "putting a file back")
	}
	if now != nil {
		seenIn = now
	}
	return MoveFiles([]Move{{From: here, To: back, Into: seenIn}})
}

// MadeFolders are the folders of the drop folder that were made for files that were put back.
type MadeFolders struct {
	mu  sync.Mutex
	ids map[InodeID]bool
}

// folder makes a folder and those above it, where they are missing. It returns the folder's identity
// when it is one that was made here, now or earlier, and nil for all others.
func (m *MadeFolders) folder(root *os.Root, folder string) (*InodeID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ensure(root, folder)
}

func (m *MadeFolders) ensure(root *os.Root, folder string) (*InodeID, error) {
	name := filepath.FromSlash(folder)
	info, err := root.Lstat(name)
	isNew := errors.Is(err, fs.ErrNotExist)
	if isNew {
		if _, err := m.ensure(root, path.Dir(folder)); err != nil {
			return nil, err
		}
		if err := root.Mkdir(name, 0o777); err != nil {
			return nil, err
		}
		info, err = root.Lstat(name)
	}
	if err != nil {
		return nil, err
	}
	id := FileIDOf(info).Inode
	if isNew {
		if m.ids == nil {
			m.ids = map[InodeID]bool{}
		}
		m.ids[id] = true
	}
	if !m.ids[id] || id == (InodeID{}) {
		return nil, nil
	}
	return &id, nil
}

// Remove removes the batch's folder, at once as far as others can see.
func (b *Batch) Remove() error {
	gone := filepath.Join(filepath.Dir(b.Dir), "."+filepath.Base(b.Dir))
	if err := os.Rename(b.Dir, gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fsutil.DiskError(err, "removing a finished batch")
	}
	return fsutil.DiskError(os.RemoveAll(gone), "removing a finished batch")
}

// Resume finds the batches that an earlier run left, oldest first. The error is
// about those that cannot be taken up; they stay where they are.
func Resume(incoming string) ([]*Batch, error) {
	if err := os.MkdirAll(incoming, 0o700); err != nil {
		return nil, fsutil.DiskError(err, "making the folder of incoming batches")
	}
	entries, err := os.ReadDir(incoming)
	if err != nil {
		return nil, fsutil.DiskError(err, "looking for batches of an earlier run")
	}
	var all []*Batch
	var failed error
	for _, e := range entries {
		dir := filepath.Join(incoming, e.Name())
		if strings.HasPrefix(e.Name(), ".") {
			failed = errors.Join(failed, fsutil.DiskError(os.RemoveAll(dir), "removing what an earlier run left"))
			continue
		}
		b := &Batch{Dir: dir}
		switch err := readJSON(b.path(recordName), &b.Record); {
		case err == nil:
			all = append(all, b)
		case !errors.Is(err, fs.ErrNotExist): // what has no record is not ours
			failed = errors.Join(failed, fsutil.DiskError(err, "taking up a batch of an earlier run"))
		}
	}
	return all, failed
}

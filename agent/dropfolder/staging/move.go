package staging

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/vecctl/vecctl/pkg/fsutil"
)

// ErrChanged is about a file that is not what it was when it was seen.
var ErrChanged = errors.New("a file changed while it was being taken")

// Place is a file below a folder that is held open. The folder's path may come to
// lead elsewhere at any moment, where others can write; the handle does not.
type Place struct {
	Folder *os.Root
	Name   string // relative to the folder, with slashes
}

// Exists reports whether anything lies there. An error means that nobody can say: what cannot be
// looked at is not missing.
func (p Place) Exists() (bool, error) {
	_, err := p.Folder.Lstat(filepath.FromSlash(p.Name))
	return exists(err)
}

// exists tells a missing file from one that cannot be looked at, by the error of an Lstat.
func exists(err error) (bool, error) {
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return false, nil
	}
	return false, fsutil.DiskError(err, "looking for a file")
}

// Move is the way of one file from one place to another.
type Move struct {
	From, To Place    // what lies at To is replaced
	ID       *FileID  // what must lie at From; nil takes what is there
	Into     *InodeID // the folder that To must lie in; nil takes the one that is there
	Keep     bool     // leave the original too
}

// MoveFiles moves files: by renaming where the file system allows, else by
// copying, flushing the copy, and removing the original. A file that is not
// as it should be is not moved, and the error is ErrChanged. After an error,
// some files may have been moved.
//
// Each file is seen, moved and, where it was exchanged at the last moment, moved back through
// the same handles of its two folders. A folder that becomes a link meanwhile leads nothing astray.
func MoveFiles(moves []Move) error {
	var m mover
	defer m.close()
	return m.move(moves)
}

// mover holds the folders that files are moved between.
type mover struct {
	folders map[Place]*folder // by root and name of the folder
	// onStep, where set, is called before each step, for tests.
	onStep func(step string)
}

// folder is a folder that is held open.
type folder struct {
	root   *os.Root
	handle *os.File
}

// maxHeldFolders bounds how many folders are held open at once.
const maxHeldFolders = 64

func (m *mover) step(name string) {
	if m.onStep != nil {
		m.onStep(name)
	}
}

func (m *mover) close() {
	for place, f := range m.folders {
		_ = f.handle.Close()
		_ = f.root.Close()
		delete(m.folders, place)
	}
}

// open opens the folder in which a place lies.
func (m *mover) open(p Place) (*folder, error) {
	key := Place{p.Folder, path.Dir(p.Name)}
	if f, ok := m.folders[key]; ok {
		return f, nil
	}
	root, err := p.Folder.OpenRoot(filepath.FromSlash(key.Name))
	if err != nil {
		return nil, err
	}
	handle, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	if m.folders == nil {
		m.folders = map[Place]*folder{}
	}
	f := &folder{root, handle}
	m.folders[key] = f
	return f, nil
}

// openBoth opens the folders that a file is moved between, and makes the second where it is
// missing.
func (m *mover) openBoth(l Move) (from, to *folder, err error) {
	if len(m.folders) > maxHeldFolders {
		m.close()
	}
	m.step("open the folder of the original")
	if from, err = m.open(l.From); err != nil {
		return nil, nil, folderError(err, "looking for a file")
	}
	m.step("make the target's folder")
	if err := l.To.Folder.MkdirAll(filepath.FromSlash(path.Dir(l.To.Name)), 0o700); err != nil {
		return nil, nil, folderError(err, "making a folder")
	}
	m.step("open the target's folder")
	if to, err = m.open(l.To); err != nil {
		return nil, nil, folderError(err, "opening a folder")
	}
	if l.Into == nil {
		return from, to, nil
	}
	info, err := to.handle.Stat()
	if err != nil {
		return nil, nil, fsutil.DiskError(err, "opening a folder")
	}
	if FileIDOf(info).Inode != *l.Into {
		return nil, nil, ErrChanged
	}
	return from, to, nil
}

// folderError is the error of a folder that cannot be opened: what is missing, is a link that leads out
// of the folder that is held, or is no folder, has changed since it was seen.
func folderError(err error, doing string) error {
	if folderChanged(err) {
		return errors.Join(ErrChanged, err)
	}
	return fsutil.DiskError(err, doing)
}

// folderChanged reports whether an error says that a folder is another one than was seen, and not
// that it cannot be read.
func folderChanged(err error) bool {
	errno, ofSystem := errors.AsType[syscall.Errno](err)
	return !ofSystem || errors.Is(err, fs.ErrNotExist) || errno == syscall.ENOTDIR || errno == syscall.ELOOP
}

func (m *mover) move(moves []Move) error {
	var copies []Move
	for _, l := range moves {
		from, to, err := m.openBoth(l)
		if err != nil {
			return err
		}
		m.step("check the original")
		if err := l.check(from, l.From.Name, true); err != nil {
			return err
		}
		moved, err := m.rename(l, from, to)
		if err != nil {
			return err
		}
		if !moved {
			copies = append(copies, l)
		}
	}
	return m.copyAll(copies)
}

// Present reports whether the file that is meant lies at From.
func (l Move) Present() bool {
	var m mover
	defer m.close()
	from, err := m.open(l.From)
	return err == nil && l.check(from, l.From.Name, true) == nil
}

// check reports whether the file of a name in a folder is the one meant. A copy has an
// identity of its own.
func (l Move) check(in *folder, name string, same bool) error {
	info, err := in.root.Lstat(path.Base(name))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrChanged
	}
	if err != nil {
		return fsutil.DiskError(err, "looking for a file")
	}
	if !info.Mode().IsRegular() || l.ID != nil && !l.ID.matches(FileIDOf(info), same) {
		return ErrChanged
	}
	return nil
}

// matches compares; same is false for a copy, which has an identity of its own.
func (s FileID) matches(now FileID, same bool) bool {
	return s.Size == now.Size && s.Time == now.Time && (s.Inode == now.Inode || !same)
}

// rename moves or, where the original stays, links the file; false when only
// copying can do it. What was exchanged at the last moment goes back into the folder that it
// came from.
func (m *mover) rename(l Move, from, to *folder) (bool, error) {
	source, target := path.Base(l.From.Name), path.Base(l.To.Name)
	m.step("rename")
	if l.Keep {
		// A link needs a free name.
		if err := to.root.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, fsutil.DiskError(err, "taking a file")
		}
		if linkBetween(from.handle, source, to.handle, target) != nil {
			return false, nil
		}
	} else if renameBetween(from.handle, source, to.handle, target) != nil {
		return false, nil
	}
	m.step("check what was moved")
	if err := l.check(to, l.To.Name, true); err != nil {
		m.step("move back")
		if l.Keep {
			return true, errors.Join(err, to.root.Remove(target))
		}
		return true, errors.Join(err, renameBetween(to.handle, target, from.handle, source))
	}
	return true, nil
}

// copied is a copy that does not have its name yet.
type copied struct {
	move Move
	temp string
}

// copyAll copies files, makes the copies durable together, and removes the
// originals.
func (m *mover) copyAll(moves []Move) error {
	done := make([]copied, 0, len(moves))
	defer func() {
		for _, c := range done {
			if to, err := m.open(c.move.To); err == nil {
				_ = to.root.Remove(c.temp) // those that have their name are not found
			}
		}
	}()
	for i, l := range moves {
		from, to, err := m.openBoth(l)
		if err != nil {
			return err
		}
		temp := ".copy-" + path.Base(l.To.Name)
		if len(temp) > 250 {
			temp = fmt.Sprintf(".copy-%d", i)
		}
		done = append(done, copied{l, temp})
		m.step("copy")
		if err := l.copy(from, to, temp, len(moves) <= maxSingleFlushes); err != nil {
			return err
		}
	}
	if err := m.publish(done); err != nil {
		return err
	}
	for _, l := range moves {
		if l.Keep {
			continue
		}
		from, to, err := m.openBoth(l)
		if err != nil {
			return err
		}
		m.step("remove the original")
		err = l.check(from, l.From.Name, true)
		if err == nil {
			err = fsutil.DiskError(from.root.Remove(path.Base(l.From.Name)), "removing a file that was taken")
		}
		if err != nil {
			return errors.Join(err, to.root.Remove(path.Base(l.To.Name)))
		}
	}
	return nil
}

// maxSingleFlushes is up to how many copies are flushed one by one; more are flushed
// by one flush of their file system.
const maxSingleFlushes = 8

// publish makes copies durable and gives them their names.
func (m *mover) publish(done []copied) error {
	flushed := map[*folder]bool{}
	for _, c := range done {
		to, err := m.open(c.move.To)
		if err != nil {
			return folderError(err, "copying a file")
		}
		if len(done) > maxSingleFlushes && !flushed[to] {
			flushed[to] = true
			if err := flushFileSystem(to.handle); err != nil {
				return fsutil.DiskError(err, "copying a file")
			}
		}
	}
	for _, c := range done {
		to, err := m.open(c.move.To)
		if err != nil {
			return folderError(err, "copying a file")
		}
		m.step("name the copy")
		if err := to.root.Rename(c.temp, path.Base(c.move.To.Name)); err != nil {
			return fsutil.DiskError(err, "copying a file")
		}
	}
	for _, f := range m.folders {
		if err := syncFolder(f.handle); err != nil {
			return fsutil.DiskError(err, "copying a file")
		}
	}
	return nil
}

// copy copies a file's content under a name of its own; with flush it is durable then.
func (l Move) copy(from, to *folder, temp string, flush bool) error {
	source, err := from.root.OpenFile(path.Base(l.From.Name), OpenFlags, 0)
	if err != nil {
		return fsutil.DiskError(err, "taking a file")
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return fsutil.DiskError(err, "taking a file")
	}
	if !info.Mode().IsRegular() || l.ID != nil && !l.ID.matches(FileIDOf(info), true) {
		return ErrChanged
	}
	if err := to.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fsutil.DiskError(err, "copying a file")
	}
	target, err := to.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fsutil.DiskError(err, "copying a file")
	}
	_, err = io.Copy(target, source)
	if err == nil && flush || err == nil && !canFlushFileSystem {
		err = target.Sync()
	}
	if err = errors.Join(err, target.Close()); err == nil {
		err = to.root.Chtimes(temp, time.Time{}, info.ModTime())
	}
	if err != nil {
		return fsutil.DiskError(err, "copying a file")
	}
	after, err := source.Stat()
	if err != nil || FileIDOf(after) != FileIDOf(info) {
		return errors.Join(ErrChanged, err)
	}
	return nil
}

// FreePlace is a place in a folder at which nothing lies: the name, else the name with
// a number before its extension.
func FreePlace(folder *os.Root, name string) (Place, error) {
	ext := path.Ext(name)
	stem := name[:len(name)-len(ext)]
	p := Place{folder, name}
	for n := 2; ; n++ {
		taken, err := p.Exists()
		if err != nil || !taken {
			return p, err
		}
		p.Name = fmt.Sprintf("%s-%d%s", stem, n, ext)
	}
}

// WriteText writes a note for people.
func (p Place) WriteText(text string) error {
	name := filepath.FromSlash(p.Name)
	if err := p.Folder.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fsutil.DiskError(err, "making a folder")
	}
	return fsutil.WriteFile(filepath.Join(p.Folder.Name(), name), 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

package staging

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// neighbour is somebody who can write into the drop folder.
type neighbour struct {
	t          *testing.T
	drop, own  string // the drop folder, a folder of the agent's own
	victim     string // a folder that nothing may be written into
	root, mine *os.Root
}

func newNeighbour(t *testing.T) *neighbour {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("links need rights here")
	}
	dir := t.TempDir()
	n := &neighbour{t: t, drop: filepath.Join(dir, "drop"), own: filepath.Join(dir, "incoming"), victim: filepath.Join(dir, "home")}
	for _, folder := range []string{n.drop, n.own, n.victim, filepath.Join(n.drop, "h")} {
		must(t, os.Mkdir(folder, 0o700))
	}
	must(t, os.WriteFile(filepath.Join(n.victim, "config.yaml"), []byte("ours"), 0o600))
	must(t, os.WriteFile(filepath.Join(n.drop, "h", "config.yaml"), []byte("theirs"), 0o600))
	var err error
	n.root, err = os.OpenRoot(n.drop)
	must(t, err)
	n.mine, err = os.OpenRoot(n.own)
	must(t, err)
	t.Cleanup(func() { _, _ = n.root.Close(), n.mine.Close() })
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// unharmed checks that the victim's folder is as it was.
func (n *neighbour) unharmed() {
	n.t.Helper()
	entries, err := os.ReadDir(n.victim)
	must(n.t, err)
	body, err := os.ReadFile(filepath.Join(n.victim, "config.yaml"))
	if len(entries) != 1 || err != nil || string(body) != "ours" {
		n.t.Errorf("the folder outside holds %v, and config.yaml says %q (%v)", entries, body, err)
	}
}

func (n *neighbour) id(name string) (FileID, InodeID) {
	n.t.Helper()
	info, err := n.root.Lstat(name)
	must(n.t, err)
	folder, err := n.root.Lstat(filepath.Dir(name))
	must(n.t, err)
	return FileIDOf(info), FileIDOf(folder).Inode
}

// swaps are what the neighbour does to the folder h in one moment.
var swaps = map[string]func(n *neighbour) error{
	"the folder becomes a link out": func(n *neighbour) error {
		return errors.Join(os.Rename(filepath.Join(n.drop, "h"), filepath.Join(n.drop, ".gone")), os.Symlink(n.victim, filepath.Join(n.drop, "h")))
	},
	"the folder becomes another one": func(n *neighbour) error {
		return errors.Join(os.Rename(filepath.Join(n.drop, "h"), filepath.Join(n.drop, ".gone")), os.Mkdir(filepath.Join(n.drop, "h"), 0o700))
	},
	"the file becomes a link out": func(n *neighbour) error {
		name := filepath.Join(n.drop, "h", "config.yaml")
		err := os.Remove(name)
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return errors.Join(err, os.Symlink(filepath.Join(n.victim, "config.yaml"), name))
	},
	"the file is written anew": func(n *neighbour) error {
		name := filepath.Join(n.drop, "h", "config.yaml")
		return errors.Join(os.WriteFile(name, []byte("something longer"), 0o600), os.Chtimes(name, time.Time{}, time.Unix(1, 0)))
	},
}

// atEachStep runs an operation again and again, with one swap before its first step, its second, and so on.
func atEachStep(t *testing.T, run func(n *neighbour, m *mover) error) {
	t.Helper()
	for name, swap := range swaps {
		t.Run(name, func(t *testing.T) {
			steps := 0
			for at, more := 0, true; more; at++ {
				n, count := newNeighbour(t), 0
				more = false
				m := &mover{}
				m.onStep = func(string) {
					if count == at {
						more = true
						_ = swap(n) // some are not possible at some steps
					}
					count++
				}
				_ = run(n, m)
				m.close()
				n.unharmed()
				steps = at
			}
			if steps < 3 {
				t.Errorf("only %d steps were disturbed", steps)
			}
		})
	}
}

func TestTakingWhileFoldersAreExchanged(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		atEachStep(t, func(n *neighbour, m *mover) error {
			id, _ := n.id("h/config.yaml")
			err := m.move([]Move{{From: Place{n.root, "h/config.yaml"}, To: Place{n.mine, "files/config.yaml"}, ID: &id, Keep: keep}})
			body, readErr := n.mine.ReadFile("files/config.yaml")
			if readErr == nil && string(body) != "theirs" && err == nil {
				n.t.Errorf("%q was taken for what was seen", body)
			}
			return err
		})
	}
}

func TestCopyingWhileFoldersAreExchanged(t *testing.T) {
	t.Parallel()
	atEachStep(t, func(n *neighbour, m *mover) error {
		id, _ := n.id("h/config.yaml")
		return m.copyAll([]Move{{From: Place{n.root, "h/config.yaml"}, To: Place{n.mine, "files/config.yaml"}, ID: &id}})
	})
}

func TestPuttingBackWhileFoldersAreExchanged(t *testing.T) {
	t.Parallel()
	for _, copying := range []bool{false, true} {
		atEachStep(t, func(n *neighbour, m *mover) error {
			_, folder := n.id("h/config.yaml")
			must(n.t, os.WriteFile(filepath.Join(n.own, "mine.yaml"), []byte("theirs"), 0o600))
			back := []Move{{From: Place{n.mine, "mine.yaml"}, To: Place{n.root, "h/mine.yaml"}, Into: &folder}}
			if copying {
				return m.copyAll(back)
			}
			return m.move(back)
		})
	}
}

// TestPutBackIntoTheFolderThatWasSeen replays an attack: a folder of the drop folder becomes a link
// between the taking of its file and the putting back.
func TestPutBackIntoTheFolderThatWasSeen(t *testing.T) {
	t.Parallel()
	for name, swap := range swaps {
		t.Run(name, func(t *testing.T) {
			n := newNeighbour(t)
			failed := filepath.Join(filepath.Dir(n.drop), "failed")
			must(t, os.Mkdir(failed, 0o700))
			must(t, os.WriteFile(filepath.Join(n.drop, "zz.pdf"), []byte("x"), 0o600))
			id, folder := n.id("h/config.yaml")
			other, top := n.id("zz.pdf")
			b, err := NewBatch(n.own, Record{Manifest: "m.csv", Taken: time.Unix(1e9, 0), Files: []File{
				{From: "h/config.yaml", To: DocumentTarget("h/config.yaml"), ID: id, Folder: &folder},
				{From: "zz.pdf", To: DocumentTarget("zz.pdf"), ID: other, Folder: &top},
			}})
			must(t, err)
			must(t, os.Chtimes(filepath.Join(n.drop, "zz.pdf"), time.Time{}, time.Unix(1, 0)))
			if err := b.MoveFiles(n.root); !errors.Is(err, ErrChanged) {
				t.Fatalf("taking a file that has changed: %v", err)
			}
			must(t, swap(n))
			must(t, b.PutBack(n.root, failed, &MadeFolders{}))
			n.unharmed()
			var kept int
			for _, place := range []string{filepath.Join(n.drop, "h"), filepath.Join(n.drop, ".gone"), failed} {
				if body, err := os.ReadFile(filepath.Join(place, "config.yaml")); err == nil && string(body) == "theirs" {
					kept++
				}
			}
			if kept != 1 {
				t.Errorf("the file lies in %d places, want 1", kept)
			}
		})
	}
}

// TestPutBackOfWhatCannotBeRead puts a batch back whose files cannot be looked at: nothing of it is
// taken for missing and removed, and a later attempt puts it back.
func TestPutBackOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	drop, incoming, failed := filepath.Join(home, "drop"), filepath.Join(home, "incoming"), filepath.Join(home, "failed")
	for _, folder := range []string{drop, incoming, failed} {
		check(os.Mkdir(folder, 0o700))
	}
	check(os.WriteFile(filepath.Join(drop, "a.pdf"), []byte("a document"), 0o600))
	info, err := os.Lstat(filepath.Join(drop, "a.pdf"))
	check(err)
	root, err := os.OpenRoot(drop)
	check(err)
	defer root.Close()
	b, err := NewBatch(incoming, Record{Manifest: "a.csv", Files: []File{{From: "a.pdf", To: DocumentTarget("a.pdf"), ID: FileIDOf(info)}}})
	check(err)
	check(b.MoveFiles(root))
	// A link to itself: its files can be looked at by nobody, as on a disk that fails.
	files := b.FilesPath()
	check(os.Rename(files, files+"-away"))
	check(os.Symlink(filepath.Base(files), files))
	if err := b.PutBack(root, failed, &MadeFolders{}); err == nil {
		t.Error("what cannot be looked at was put back")
	}
	if _, err := b.Refuse(failed, "nothing fits"); err == nil {
		t.Error("what cannot be looked at was set aside")
	}
	check(os.Remove(files))
	check(os.Rename(files+"-away", files))
	check(b.PutBack(root, failed, &MadeFolders{}))
	if body, err := os.ReadFile(filepath.Join(drop, "a.pdf")); err != nil || string(body) != "a document" {
		t.Errorf("the document that was put back: %q, %v", body, err)
	}
}

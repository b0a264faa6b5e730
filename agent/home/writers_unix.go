//go:build unix

package home

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/vecctl/vecctl/pkg/fault"
)

// writers are the permission bits of the group and of all others.
const (
	groupWrites, othersWrite = 0o020, 0o002
	groupEnters, othersEnter = 0o010, 0o001
)

// CheckWriters refuses a home that people besides its owner can write: they could change its settings, keys
// and templates, and so run commands as the agent and sign in the institution's name. What lies in the
// home counts as far as others can enter the home. The error, of kind Invalid, says what to type.
func (d Dir) CheckWriters() error {
	home, err := os.Stat(string(d))
	if err != nil {
		return nil //nolint:nilerr // there is none yet, or the next step says what is wrong with it
	}
	if err := checkWriters(string(d), home, groupWrites|othersWrite); err != nil {
		return err
	}
	var reach fs.FileMode
	if home.Mode()&groupEnters != 0 {
		reach |= groupWrites
	}
	if home.Mode()&othersEnter != 0 {
		reach |= othersWrite
	}
	if reach == 0 {
		return nil
	}
	for _, path := range []string{d.Config(), d.Database(), d.Keys(), d.LogKeys(), d.Templates()} {
		err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // what is not there, or cannot be read, is another check's matter
			}
			info, err := entry.Info()
			if err != nil || info.Mode()&fs.ModeSymlink != 0 {
				return nil //nolint:nilerr // it went meanwhile
			}
			return checkWriters(path, info, reach)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// checkWriters refuses a path that its group or all users may write, as far as a mask says, or
// that belongs to another user than this one and root.
func checkWriters(path string, info fs.FileInfo, mask fs.FileMode) error {
	if open := info.Mode().Perm() & mask; open != 0 {
		who := "every user of this machine"
		if open&othersWrite == 0 {
			who = "every member of its group"
		}
		return fault.Newf(fault.Invalid, "%s can write %s (%v), and so run commands and sign as the agent; type: chmod go-w '%s'",
			who, path, info.Mode().Perm(), path)
	}
	me := os.Geteuid()
	if owner, ok := ownerOf(info); ok && owner != me && owner != 0 && me != 0 {
		return fault.Newf(fault.Invalid, "%s belongs to another user (ID %d), who could run commands and sign as the agent; as root, type: chown %d '%s'",
			path, owner, me, path)
	}
	return nil
}

func ownerOf(info fs.FileInfo) (int, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}

// CheckCommand refuses a command, as the shell runs it, that names a program or script which others
// can replace: each file in it that is named by a path must belong to this user or root, and neither the file
// nor its folder may be writable by anyone else. The error is of kind Invalid.
func CheckCommand(command string) error {
	for _, word := range strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" \t\n;|&<>(){}\"'`", r) }) {
		if !strings.Contains(word, "/") {
			continue
		}
		info, err := os.Stat(word)
		if err != nil || !info.Mode().IsRegular() {
			continue // no file; the shell says what is wrong with it
		}
		folder, err := os.Stat(filepath.Dir(word))
		if err != nil {
			continue
		}
		for path, one := range map[string]fs.FileInfo{word: info, filepath.Dir(word): folder} {
			if one.IsDir() && one.Mode()&fs.ModeSticky != 0 {
				continue // nobody else can replace what lies there
			}
			if err := checkWriters(path, one, groupWrites|othersWrite); err != nil {
				return fault.At(fmt.Sprintf("the command %q is not run", command), err)
			}
		}
	}
	return nil
}

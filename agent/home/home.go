// Package home knows the data directory: what lies where, who holds it, and its signing
// keys.
//
//	config.yaml    settings
//	vault.db       the store
//	blobs/         documents, by content
//	keys/          signing.pem: the signing key and its certificate
//	verified/      outcomes of batches: verified PDFs and reports
//	drop/          the drop folder, unless another is set
//	incoming/      batches from the drop folder that have no outcome yet
//	mail/          mails, where no mail server is set
//	templates/mail templates that take the place of the program's
//	failed/        what was dropped and refused
//	erasures.json  who was erased, as keyed hashes
//	erasures.reapply  a restored backup is to lose whom that names
//	remote/        what was sent to remote vaults, and what they told of it
//	relay/         what is on its way to the vault that issues in place of this home
//	holder.json    the process that holds the home, and where it answers
//	agent.sock     the staff's door of a running agent
package home

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Dir is a data directory.
type Dir string

// Default is the directory "vecctl" in the user's data directory.
func Default(getenv func(string) string) (Dir, error) {
	const name = "vecctl"
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		// On both the data directory is the one for configuration.
		base, err := os.UserConfigDir()
		if err != nil {
			return "", errNoHome(err)
		}
		return Dir(filepath.Join(base, name)), nil
	}
	// XDG Base Directory Specification: a relative path is to be ignored.
	if base := getenv("XDG_DATA_HOME"); filepath.IsAbs(base) {
		return Dir(filepath.Join(base, name)), nil
	}
	base, err := os.UserHomeDir()
	if err != nil {
		return "", errNoHome(err)
	}
	return Dir(filepath.Join(base, ".local", "share", name)), nil
}

func errNoHome(err error) error {
	return fault.Wrap(fault.Invalid, err, "there is no home directory to keep the vault in; name one with --home DIR or VECCTL_HOME")
}

func (d Dir) join(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}

// Database is the store's file.
func (d Dir) Database() string { return d.join("vault.db") }

// SchemaCopies lists the copies of the database that were kept before upgrades.
func (d Dir) SchemaCopies() ([]string, error) {
	found, err := filepath.Glob(d.Database() + ".schema-*")
	return found, fsutil.DiskError(err, "looking for copies of the database")
}

// Blobs is the folder of documents.
func (d Dir) Blobs() string { return d.join("blobs") }

// Keys is the folder of keys.
func (d Dir) Keys() string { return d.join("keys") }

// Verified is the folder of outcomes.
func (d Dir) Verified() string { return d.join("verified") }

// ResultsFolder is the folder of an institution's outcomes. Two institutions may have
// batches of one name.
func (d Dir) ResultsFolder(institution uint32) string {
	if institution <= 1 {
		return d.Verified()
	}
	return filepath.Join(d.Verified(), fmt.Sprintf("institution-%d", institution))
}

// Drop is the drop folder, unless another is set.
func (d Dir) Drop() string { return d.join("drop") }

// Templates is the folder of certificate templates.
func (d Dir) Templates() string { return d.join("templates") }

// Incoming is the folder of batches that were taken out of the drop folder and
// have no outcome yet.
func (d Dir) Incoming() string { return d.join("incoming") }

// Failed is the folder of what was dropped and refused.
func (d Dir) Failed() string { return d.join("failed") }

// FailedFolder is the folder of what was dropped for an institution and refused.
func (d Dir) FailedFolder(institution uint32) string {
	if institution <= 1 {
		return d.Failed()
	}
	return filepath.Join(d.Failed(), fmt.Sprintf("institution-%d", institution))
}

// Mail is the folder of mails, where no mail server is set.
func (d Dir) Mail() string { return d.join("mail") }

// MailTemplates is the folder of an institution's mail templates, and the one for
// all institutions of the home.
func (d Dir) MailTemplates(institution uint32) (own, all string) {
	all = d.join("templates", "mail")
	return filepath.Join(all, strconv.FormatUint(uint64(institution), 10)), all
}

// Remote is the folder of notes about batches that were sent to remote vaults.
func (d Dir) Remote() string { return d.join("remote") }

// RelayJournal is the file about what is on its way to a vault that issues in place of this home.
func (d Dir) RelayJournal(vaultURL string) string {
	sum := sha256.Sum256([]byte(vaultURL))
	return d.join("relay", hex.EncodeToString(sum[:8])+".jsonl")
}

// Config is the file of settings.
func (d Dir) Config() string { return d.join("config.yaml") }

// TransientFiles are the files and folders, relative to the home, that belong to this home
// alone and are in no backup: what a running process notes, and the keys of logs.
func (d Dir) TransientFiles() []string { return []string{"holder.json", "agent.sock", "log-keys"} }

func (d Dir) lockInfo() string { return d.join("holder.json") }

// Exists reports whether there is a home already. One that has lost its database is
// Damaged: in a new one all that was issued would be issued again.
func (d Dir) Exists() (bool, error) {
	// The documents' folder is made after the database, so it is looked for first.
	_, err := os.Stat(d.Blobs())
	hadDocuments := err == nil
	info, err := os.Stat(d.Database())
	switch {
	case err == nil && info.Size() > 0:
		return true, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, d.diskError(err, "looking for the home")
	case hadDocuments:
		return false, fault.Newf(fault.Damaged,
			"the home %s holds documents, but its database is gone or empty; restore the home from a backup, or name another with --home", d)
	}
	return false, nil
}

// diskError is fsutil.DiskError, with a word for a home that is a file.
func (d Dir) diskError(err error, doing string) error {
	if errors.Is(err, syscall.ENOTDIR) {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("%s is not a folder; name another home with --home", d))
	}
	return fsutil.DiskError(err, doing)
}

// Make makes the folders that are missing, closed to other users.
func (d Dir) Make() error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return d.diskError(err, "making the home")
	}
	for _, folder := range []string{d.Keys(), d.Verified()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fsutil.DiskError(err, "making the home")
		}
	}
	return nil
}

// LockInfo is the process that holds a home.
type LockInfo struct {
	// Home is the directory that is held, so that a copy of the home does not take the
	// note for its own. Earlier versions left it out.
	Home string `json:"home,omitempty"`

	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
	// Endpoint is where it answers staff; nil for a command that answers nobody.
	Endpoint *Endpoint `json:"endpoint,omitempty"`
}

// WriteLockInfo notes who holds the home. It is a note for people: the lock is the
// database's own.
func (d Dir) WriteLockInfo(h LockInfo) error {
	var err error
	if h.Home, err = filepath.Abs(string(d)); err != nil {
		return fmt.Errorf("recording which process holds the home: %w", err)
	}
	body, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("recording which process holds the home: %w", err)
	}
	// No flush: after a power cut nobody holds it.
	if err := os.WriteFile(d.lockInfo(), body, 0o600); err != nil {
		return fsutil.DiskError(err, "noting who holds the home")
	}
	return nil
}

// readLockInfo reads the note; ok is false where there is none of this home.
func (d Dir) readLockInfo() (h LockInfo, ok bool) {
	body, err := os.ReadFile(d.lockInfo())
	if err != nil || json.Unmarshal(body, &h) != nil {
		return h, false
	}
	if h.Home == "" && h.Endpoint != nil && h.Endpoint.Network == "unix" {
		h.Home = filepath.Dir(h.Endpoint.Address)
	}
	return h, h.Home == "" || isSameFolder(h.Home, string(d))
}

// isSameFolder reports whether two paths name one folder, by way of links too.
func isSameFolder(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// RemoveLockInfo removes the note.
func (d Dir) RemoveLockInfo() { _ = os.Remove(d.lockInfo()) }

// LockedError is the error for a home that another process holds, naming it.
func (d Dir) LockedError(cause error) error {
	who := "another process"
	if h, ok := d.readLockInfo(); ok && h.PID > 0 {
		who = fmt.Sprintf("process %d (%s, since %s)", h.PID, h.Command, h.Since.Local().Format(time.DateTime))
	}
	return fault.Wrap(fault.Locked, cause, fmt.Sprintf(
		"%s holds the home %s; wait until it has finished, or name another home with --home", who, d))
}

// RemoveTemporary removes what an interrupted process left half-written. Only the holder of
// the home may call it.
func (d Dir) RemoveTemporary() error {
	return errors.Join(fsutil.RemoveTemp(d.Config()), fsutil.RemoveTempIn(d.Mail()))
}

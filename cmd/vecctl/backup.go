package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

func backupCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "backup", Usage: "keep the whole home in one file, while the agent works", ArgsUsage: "FILE|FOLDER",
		Description: "The file is a tar archive, compressed with zstd: database, documents, keys, settings, and what waits\n" +
			"in the drop folder. Verified PDFs are made anew from these. In a FOLDER the file gets a name of its own.",
		Flags: slices.Concat(homeFlags(), outputFlags(), lockFlags(), []cli.Flag{
			&cli.StringFlag{Name: "since", Usage: "leave out the documents that the backup `FILE` has, which is then needed too"},
			&cli.BoolFlag{Name: "incremental", Usage: "in a FOLDER: --since the latest backup there"},
			&cli.BoolFlag{Name: "verify", Usage: "read the backup again and check it"},
			&cli.IntFlag{Name: "keep-daily", Usage: "in a FOLDER: remove older backups, but keep the last one of `N` days"},
			&cli.IntFlag{Name: "keep-weekly", Usage: "in a FOLDER: remove older backups, but keep the last one of `N` weeks"},
		}),
		Action: func(c *cli.Context) error { return runBackup(c, w) },
		Subcommands: []*cli.Command{
			backupVerifyCommand(w), backupUnitCommand(w),
		},
	}
}

// lockFlags say who can open a backup. A passphrase is no flag, since other users
// can see the flags of a process.
func lockFlags() []cli.Flag {
	return append(keyFlags(),
		&cli.StringSliceFlag{Name: "recipient", Usage: "encrypt for an age public `KEY`; may be given again"})
}

// keyFlags say how an encrypted backup is opened.
func keyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "passphrase-file", Usage: "`FILE` with the passphrase of encrypted backups"},
		&cli.StringFlag{Name: "identity", Usage: "`FILE` with the age identity that opens encrypted backups"},
	}
}

func keysOf(c *cli.Context) (k backup.Keys, err error) {
	if k.Passphrase, err = readSecretFile(c.String("passphrase-file"), "the passphrase file"); err != nil {
		return k, err
	}
	k.Identities, err = readSecretFile(c.String("identity"), "the identity file")
	return k, err
}

// readSecretFile reads a file that holds a secret; "" for none.
func readSecretFile(path, what string) (string, error) {
	if path == "" {
		return "", nil
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, fmt.Sprintf("%s %s cannot be read; check its name and rights", what, path))
	}
	text := strings.TrimRight(string(body), "\r\n")
	if text == "" {
		return "", usageError("%s %s is empty", what, path)
	}
	return text, nil
}

// backupResult is what the command tells.
type backupResult struct {
	File string `json:"file"`
	Size int64  `json:"size"` // of the file, in bytes
	adminclient.BackupResult
	Since   string   `json:"since,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

// backupRun is one run of the command.
type backupRun struct {
	environment
	session *session
	home    string // its ID
	target  string
	folder  bool // the target is one
	keys    backup.Keys
	lock    backup.Encryption
	keep    backup.Retention
}

func runBackup(c *cli.Context, w environment) (err error) {
	if err := requireArgs(c, 1, "the backup's file"); err != nil {
		return err
	}
	form, err := parseOutputFormat(c)
	if err != nil {
		return err
	}
	b, err := newBackupRun(c, w)
	if err != nil {
		return err
	}
	if b.session, err = existingHome(c, w); err != nil {
		return err
	}
	defer func() {
		if e := b.session.close(); err == nil {
			err = e
		}
	}()
	status, err := b.session.AgentStatus(c.Context)
	if err != nil {
		return err
	}
	b.home = status.HomeID
	result, err := b.make(c)
	if err != nil {
		return err
	}
	if err := printFields(w.stdout, form, result, backupFields(result)); err != nil {
		return err
	}
	if result.Damaged > 0 {
		printLinef(w, "The home has %d documents that are damaged or missing, %s among them; restore them from an earlier backup. No old backup was removed.",
			result.Damaged, result.Examples[0])
		return exitStatus(exitPartly)
	}
	return nil
}

var errKeep = usageError("--keep-daily and --keep-weekly want a number from 0")

// newBackupRun reads what was asked for.
func newBackupRun(c *cli.Context, w environment) (*backupRun, error) {
	keys, err := keysOf(c)
	if err != nil {
		return nil, err
	}
	b := &backupRun{environment: w, target: c.Args().First(), keys: keys,
		lock: backup.Encryption{Recipients: c.StringSlice("recipient")},
		keep: backup.Retention{Daily: c.Int("keep-daily"), Weekly: c.Int("keep-weekly")}}
	if len(b.lock.Recipients) == 0 {
		b.lock.Passphrase = keys.Passphrase
	}
	if _, err := b.lock.Encrypt(io.Discard); err != nil {
		return nil, err
	}
	info, err := os.Stat(b.target)
	b.folder = err == nil && info.IsDir()
	switch {
	case b.target == "-":
		return nil, usageError("a backup is a whole file or none, so it is not written to stdout; name a file, or a folder")
	case b.keep.Daily < 0 || b.keep.Weekly < 0:
		return nil, errKeep
	case !b.folder && (b.keep.Daily > 0 || b.keep.Weekly > 0 || c.Bool("incremental")):
		return nil, usageError("%s is no folder; --keep-daily, --keep-weekly and --incremental want one that is there", b.target)
	case (c.Bool("verify") || c.Bool("incremental") || c.String("since") != "") && len(b.lock.Recipients) > 0 && keys.Identities == "":
		return nil, usageError("encrypted backups are read again for that; name the identity that opens them with --identity")
	case c.Bool("incremental") && c.String("since") != "":
		return nil, usageError("give --since or --incremental, not both")
	case err == nil && !b.folder:
		return nil, usageError("%s is there already; name another file, or remove it", b.target)
	}
	if b.folder {
		return b, nil
	}
	return b, checkBackupTarget(c, w, b.target)
}

// checkBackupTarget refuses a place for a backup's file. In a folder backups have names
// by which later ones leave them out; a file of any name would be in all of them.
func checkBackupTarget(c *cli.Context, w environment, target string) error {
	folder := filepath.Dir(target)
	switch info, err := os.Stat(folder); {
	case errors.Is(err, fs.ErrNotExist):
		return usageError("there is no folder %s for the backup; make it, or name another", folder)
	case err == nil && !info.IsDir():
		return usageError("%s is no folder; name another place for the backup", folder)
	}
	dir, err := homeDir(c, w)
	if err == nil && dir.Contains(target) {
		err = usageError("%s lies in the home, and the next backup would hold it too; name a file outside %s", target, dir)
	}
	return err
}

// existingHome talks to the agent that runs on the home, or opens the home without
// starting any work; it makes none.
func existingHome(c *cli.Context, w environment) (*session, error) {
	set, err := loadSettings(c, w)
	if err != nil {
		return nil, err
	}
	if existed, err := homeOf(set).Exists(); err != nil || !existed {
		if err == nil {
			err = fault.Newf(fault.NotFound, "there is no home in %s; name another with --home", set.Home)
		}
		return nil, err
	}
	return connectForDoctor(c, w, set)
}

// make takes the backup.
func (b *backupRun) make(c *cli.Context) (backupResult, error) {
	since := c.String("since")
	if c.Bool("incremental") {
		var err error
		if since, err = b.latest(); err != nil {
			return backupResult{}, err
		}
	}
	request, before, err := b.request(c, since)
	if err != nil {
		return backupResult{}, err
	}
	path := b.target
	if b.folder {
		// Named before it is made, since it must be known where it goes.
		path = filepath.Join(b.target, backup.Name(b.home, time.Now(), before, !b.lock.IsNone()))
	}
	result := backupResult{File: path, Since: since}
	if err := b.removeLeftovers(path); err != nil {
		return result, err
	}
	err = fsutil.WriteFile(path, 0o600, func(file io.Writer) error {
		result.BackupResult, err = b.stream(c, request, file)
		return err
	})
	if err != nil {
		return result, err
	}
	if info, err := os.Stat(path); err == nil {
		result.Size = info.Size()
	}
	if c.Bool("verify") {
		if _, err := (backup.Chain{Path: path, Keys: b.keys}).Read(c.Context, nil); err != nil {
			return result, err
		}
	}
	if result.Damaged == 0 {
		result.Removed, err = b.prune(filepath.Base(path))
	}
	return result, err
}

// removeLeftovers removes what a backup that was killed left behind. In a folder it had another
// name than this one will have, and another home's may be under way.
func (b *backupRun) removeLeftovers(path string) error {
	if b.folder {
		return fsutil.RemoveOldTempIn(b.target, time.Now().Add(-24*time.Hour))
	}
	return fsutil.RemoveTemp(path)
}

func (b *backupRun) stream(c *cli.Context, q adminclient.BackupRequest, file io.Writer) (adminclient.BackupResult, error) {
	sealed, err := b.lock.Encrypt(file)
	if err != nil {
		return adminclient.BackupResult{}, err
	}
	result, err := b.session.Backup(c.Context, q, sealed)
	if err == nil {
		err = sealed.Close()
	}
	return result, fsutil.DiskError(err, "writing the backup")
}

// request reads the backup that the new one builds on, and when it was made.
func (b *backupRun) request(c *cli.Context, since string) (q adminclient.BackupRequest, before time.Time, err error) {
	if since == "" {
		return q, before, nil
	}
	found, err := backup.Chain{Path: since, Keys: b.keys}.Read(c.Context, nil)
	if err != nil {
		return q, before, err
	}
	if found.Header.HomeID != b.home {
		return q, before, fault.Newf(fault.Invalid, "%s is the backup of another home", since)
	}
	// What is damaged there is not left out here.
	broken := map[string]bool{}
	for _, sum := range found.Damaged {
		broken[sum] = true
	}
	have := slices.DeleteFunc(slices.Concat(found.Sums, found.Elsewhere), func(sum string) bool { return broken[sum] })
	name := filepath.Base(since)
	if k, ok := backup.ParseName(name); ok {
		before = k.At
	}
	return adminclient.BackupRequest{Since: &adminclient.BaseBackup{ID: found.Header.ID, File: name}, Have: have}, before, nil
}

// names lists the target folder.
func (b *backupRun) names() ([]string, error) {
	entries, err := os.ReadDir(b.target)
	if err != nil {
		return nil, fsutil.DiskError(err, "listing the backups")
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// latest is the home's newest backup in the target folder, "" where there is none.
func (b *backupRun) latest() (string, error) {
	names, err := b.names()
	if err != nil {
		return "", err
	}
	var newest backup.File
	for _, name := range names {
		if k, ok := backup.ParseName(name); ok && k.HomeID == b.home && k.At.After(newest.At) {
			newest = k
		}
	}
	if newest.Name == "" {
		return "", nil
	}
	return filepath.Join(b.target, newest.Name), nil
}

// prune removes what need not be kept any more, beside the one that was made.
func (b *backupRun) prune(made string) ([]string, error) {
	if !b.folder {
		return nil, nil
	}
	names, err := b.names()
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, name := range b.keep.Expired(names, made, b.home, time.Local) {
		if err := os.Remove(filepath.Join(b.target, name)); err != nil {
			return removed, fsutil.DiskError(err, "removing an old backup")
		}
		removed = append(removed, name)
	}
	return removed, nil
}

func backupFields(r backupResult) [][2]string {
	return [][2]string{
		{"file", r.File}, {"id", r.ID}, {"made_at", r.MadeAt.Format(time.RFC3339)}, {"since", r.Since},
		{"documents", strconv.Itoa(r.Blobs)}, {"other_files", strconv.Itoa(r.Files)},
		{"size", sizeOf(r.Size)}, {"removed", strings.Join(r.Removed, ", ")},
	}
}

// sizeOf is a size for people; a small one comes in kilobytes.
func sizeOf(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}

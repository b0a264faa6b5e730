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
		Name: "backup", Usage: "back up the whole home into one file, also while the agent runs", ArgsUsage: "FILE|FOLDER",
		Description: "The file is a tar archive, compressed with zstd. It contains the database, documents, keys, settings and the\n" +
			"waiting files of the drop folder. Verified PDFs are not in it: they are made again from the rest. In a\n" +
			"FOLDER, the file gets a generated name.",
		Flags: slices.Concat(homeFlags(), outputFlags(), lockFlags(), []cli.Flag{
			&cli.StringFlag{Name: "since", Usage: "leave out the documents that are in the earlier backup `FILE`; a restore then needs both"},
			&cli.BoolFlag{Name: "incremental", Usage: "with a FOLDER: same as --since with the latest backup in it"},
			&cli.BoolFlag{Name: "verify", Usage: "read the finished backup and check it"},
			&cli.IntFlag{Name: "keep-daily", Usage: "with a FOLDER: delete older backups, but keep the last one of each of `N` days"},
			&cli.IntFlag{Name: "keep-weekly", Usage: "with a FOLDER: delete older backups, but keep the last one of each of `N` weeks"},
		}),
		Action: func(c *cli.Context) error { return runBackup(c, w) },
		Subcommands: []*cli.Command{
			backupVerifyCommand(w), backupUnitCommand(w),
		},
	}
}

// lockFlags are the flags for encryption. There is no flag for a passphrase, because other
// users can see the flags of a process.
func lockFlags() []cli.Flag {
	return append(keyFlags(),
		&cli.StringSliceFlag{Name: "recipient", Usage: "encrypt for an age public `KEY`; may be repeated"})
}

// keyFlags are the flags for decryption.
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

// readSecretFile reads a file that contains a secret. It returns "" if path is "".
func readSecretFile(path, what string) (string, error) {
	if path == "" {
		return "", nil
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, fmt.Sprintf("%s %s cannot be read; check its name and permissions", what, path))
	}
	text := strings.TrimRight(string(body), "\r\n")
	if text == "" {
		return "", usageError("%s %s is empty", what, path)
	}
	return text, nil
}

// backupResult is what the command prints.
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
	folder  bool // the target is a folder
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
		printLinef(w, "%d documents of the home are damaged or missing, for example %s; restore them from an earlier backup. No old backup was deleted.",
			result.Damaged, result.Examples[0])
		return exitStatus(exitPartly)
	}
	return nil
}

var errKeep = usageError("--keep-daily and --keep-weekly must be 0 or more")

// newBackupRun reads and checks the flags.
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
		return nil, usageError("a backup cannot be written to stdout; name a file or a folder")
	case b.keep.Daily < 0 || b.keep.Weekly < 0:
		return nil, errKeep
	case !b.folder && (b.keep.Daily > 0 || b.keep.Weekly > 0 || c.Bool("incremental")):
		return nil, usageError("%s is not a folder; --keep-daily, --keep-weekly and --incremental need an existing folder", b.target)
	case (c.Bool("verify") || c.Bool("incremental") || c.String("since") != "") && len(b.lock.Recipients) > 0 && keys.Identities == "":
		return nil, usageError("--verify, --incremental and --since must decrypt a backup; name the file with the identity with --identity")
	case c.Bool("incremental") && c.String("since") != "":
		return nil, usageError("use either --since or --incremental, not both")
	case err == nil && !b.folder:
		return nil, usageError("%s already exists; name another file, or delete it", b.target)
	}
	if b.folder {
		return b, nil
	}
	return b, checkBackupTarget(c, w, b.target)
}

// checkBackupTarget checks the path of a backup's file. It must not be in the home: the
// next backup would contain it. Only generated names, in a folder, are left out of backups.
func checkBackupTarget(c *cli.Context, w environment, target string) error {
	folder := filepath.Dir(target)
	switch info, err := os.Stat(folder); {
	case errors.Is(err, fs.ErrNotExist):
		return usageError("the folder %s for the backup does not exist; create it, or name another one", folder)
	case err == nil && !info.IsDir():
		return usageError("%s is not a folder; name another place for the backup", folder)
	}
	dir, err := homeDir(c, w)
	if err == nil && dir.Contains(target) {
		err = usageError("%s is inside of the home, so the next backup would contain it; name a file outside of %s", target, dir)
	}
	return err
}

// existingHome connects to the agent that runs on the home, or opens the home without
// starting any work. It does not create a home.
func existingHome(c *cli.Context, w environment) (*session, error) {
	set, err := loadSettings(c, w)
	if err != nil {
		return nil, err
	}
	if existed, err := homeOf(set).Exists(); err != nil || !existed {
		if err == nil {
			err = fault.Newf(fault.NotFound, "there is no home in %s; name another one with --home", set.Home)
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
		// The name is needed before the backup begins: it is the path to write to.
		path = filepath.Join(b.target, backup.Name(b.home, wallClock(), before, !b.lock.IsNone()))
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

// removeLeftovers removes the temporary file of a backup that was killed. In a folder, only
// old ones are removed: a backup of another home may be running.
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

// request reads the backup that the new one builds on, and the time at which it was made.
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
	// Documents that are damaged in the earlier backup are not left out.
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

// names lists the files in the target folder.
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

// latest returns the home's newest backup in the target folder, or "" if there is none.
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

// prune deletes expired backups in the folder of the new one.
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

// sizeOf formats a size for people, in KB or MB.
func sizeOf(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}

// Package backup is the file that a home is kept in: a tar archive, compressed
// with zstd, and where it is wanted encrypted by age. Every tool that knows these
// three can take one apart without vecctl:
//
//	vecctl-backup.json   what this is: format, when, by which vecctl
//	ELSEWHERE            documents that lie in the backup before (incremental)
//	drop/..., vault.db, config.yaml, keys/..., ...
//	blobs/ab/ab12...     documents, by content
//	SHA256SUMS           of all members before, as sha256sum writes them; its
//	                     absence says that the backup was cut off
//
//	tar --zstd -xf FILE && sha256sum -c SHA256SUMS
package backup

import (
	"encoding/hex"
	"errors"
	"io"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Format is the version of the archive's layout that this program writes; it reads
// this one and earlier ones.
const Format = 1

// Names of the members that belong to the archive, not to the home.
const (
	headerName    = "vecctl-backup.json"
	elsewhereName = "ELSEWHERE"
	sumsName      = "SHA256SUMS"
)

// blobFolder is where documents lie, in the home as in the archive.
const blobFolder = "blobs/"

// Header says what a backup is.
type Header struct {
	Format      int       `json:"format"`
	ID          string    `json:"id"` // a UUID
	MadeAt      time.Time `json:"made_at"`
	Vecctl      string    `json:"vecctl"`  // the version that made it
	HomeID      string    `json:"home_id"` // the same for all backups of one home
	Institution string    `json:"institution"`
	// Since, in an incremental backup, is the backup before, which it needs.
	Since *Base `json:"since,omitempty"`
}

// Base names an earlier backup.
type Base struct {
	ID   string `json:"id"`
	File string `json:"file"` // its name when this one was made, without a folder
}

// Contents is what was found in a backup, or put into one.
type Contents struct {
	Header Header `json:"header"`
	Files  int    `json:"files"` // besides documents
	Blobs  int    `json:"blobs"` // documents in this file
	Bytes  int64  `json:"bytes"` // of both, before compression
	// Sums are the documents in this file, Elsewhere those in the backups before.
	Sums      []string `json:"-"`
	Elsewhere []string `json:"-"`
	// Damaged are documents that were not what their names say when the backup was
	// made. They are kept as they were.
	Damaged []string `json:"damaged,omitempty"`
}

// blobPath is the member of a document.
func blobPath(sum string) string { return blobFolder + sum[:2] + "/" + sum }

// blobSum is the document that a member is; "" for any other member.
func blobSum(name string) string {
	rest, ok := strings.CutPrefix(name, blobFolder)
	if !ok {
		return ""
	}
	sum := path.Base(rest)
	if !isSum(sum) || name != blobPath(sum) {
		return ""
	}
	return sum
}

// isSum reports whether a text is a SHA-256 in lower-case hexadecimal.
func isSum(s string) bool {
	if len(s) != 64 || strings.ToLower(s) != s {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}

// isLocal reports whether a member's name stays inside the folder that it is put into,
// on every system.
func isLocal(name string) bool {
	return name != "" && name == path.Clean(name) && filepath.IsLocal(filepath.FromSlash(name)) &&
		!strings.Contains(name, "\x00") && name != "."
}

// names are written as sha256sum writes them: one with a backslash or a line's end
// has these escaped, and a backslash before the line says so.
var (
	escaper   = strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r")
	unescaper = strings.NewReplacer("\\\\", "\\", "\\n", "\n", "\\r", "\r")
)

// sumLine is a member's line in a list.
func sumLine(sum, name string) string {
	if escaped := escaper.Replace(name); escaped != name {
		return "\\" + sum + "  " + escaped + "\n"
	}
	return sum + "  " + name + "\n"
}

// parseLine reads what sumLine wrote.
func parseLine(line string) (sum, name string, ok bool) {
	line, ended := strings.CutSuffix(line, "\n")
	line, escaped := strings.CutPrefix(line, "\\")
	sum, name, ok = strings.Cut(line, "  ")
	if escaped {
		name = unescaper.Replace(name)
	}
	return sum, name, ok && ended && isSum(sum) && isLocal(name)
}

// truncatedError is the error of an archive that ends too early.
func truncatedError(cause error) error {
	return fault.Wrap(fault.Damaged, cause, "the backup is cut off: its end is missing; use another one, and see that this one's disk was not full")
}

// damagedError is the error of an archive that is not what was written.
func damagedError(cause error) error {
	return fault.Wrap(fault.Damaged, cause, "the backup is damaged: it is not what was written; use another one")
}

// readError tells what is wrong with an archive from what its layers say.
func readError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.Message(err); ok {
		return err
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return err
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return truncatedError(err)
	case errors.Is(err, zstd.ErrMagicMismatch):
		return fault.Wrap(fault.Damaged, err, "this is no backup, or its beginning is damaged; vecctl backup makes one")
	}
	return damagedError(err)
}

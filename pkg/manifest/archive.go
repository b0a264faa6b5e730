package manifest

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Bounds of an archive of a manifest and its documents.
const (
	maxArchiveFiles = 25_000
	maxArchiveFile  = 64 << 20 // bytes of one file, unpacked
	maxArchiveTotal = 8 << 30  // bytes of all files, unpacked
	// maxArchiveRatio is how many times larger than the archive its files may be, beyond
	// freeArchiveSize: documents are compressed already, and shrink little.
	maxArchiveRatio = 50
	freeArchiveSize = 64 << 20
)

// Archive is a zip of one manifest and its documents.
type Archive struct {
	Name     string // as the person named it, for messages
	Manifest string // its name in the archive, with slashes
	files    map[string]*zip.File
	budget   int64 // bytes that may be unpacked
}

// IsArchive reports whether a file's name says that it is a zip.
func IsArchive(name string) bool { return strings.EqualFold(path.Ext(filepath.ToSlash(name)), ".zip") }

// OpenArchive looks into a zip and unpacks nothing. An archive that does not hold exactly one
// manifest, has names that lead out of it, or is larger than the bounds, is Invalid.
func OpenArchive(r io.ReaderAt, size int64, name string) (*Archive, error) {
	invalid := func(format string, args ...any) error {
		return fault.New(fault.Invalid, name+": "+fmt.Sprintf(format, args...))
	}
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, invalid("this is not a zip, or it is damaged; make it again")
	}
	if len(z.File) > maxArchiveFiles {
		return nil, invalid("the zip holds more than %d files; make several", maxArchiveFiles)
	}
	a := &Archive{Name: name, files: map[string]*zip.File{}, budget: min(maxArchiveTotal, freeArchiveSize+maxArchiveRatio*size)}
	var manifests []string
	var total uint64
	for _, f := range z.File {
		inside := archiveName(f)
		switch {
		case isArchiveJunk(inside):
			continue
		case !filepath.IsLocal(inside) || strings.ContainsAny(inside, ":\x00"):
			return nil, invalid("the name %q leads out of the zip; make the zip of one folder", inside)
		case f.Mode()&fs.ModeType != 0:
			return nil, invalid("%s is a link or a device; put the file itself into the zip", inside)
		case f.Flags&1 != 0:
			return nil, invalid("%s is protected by a password; make the zip without one", inside)
		case a.files[inside] != nil:
			return nil, invalid("%s is in the zip twice", inside)
		case f.UncompressedSize64 > maxArchiveFile:
			return nil, invalid("%s has more than %d MB", inside, maxArchiveFile>>20)
		}
		if total += f.UncompressedSize64; total > uint64(a.budget) {
			return nil, invalid("its files would take more than %d MB; make several", a.budget>>20)
		}
		a.files[inside] = f
		if isTableName(inside) {
			manifests = append(manifests, inside)
		}
	}
	slices.Sort(manifests)
	switch len(manifests) {
	case 0:
		return nil, invalid("there is no manifest in the zip; put a CSV, XLSX or ODS table beside the documents")
	case 1:
		a.Manifest = manifests[0]
		return a, nil
	}
	return nil, invalid("there are %d tables in the zip, %s; keep one of them in it, or make a zip for each", len(manifests), quoteHeadings(manifests[:min(len(manifests), maxNamedTables)]))
}

const maxNamedTables = 5

// isTableName reports whether a file's name says that it is a table.
func isTableName(name string) bool {
	return slices.Contains([]string{".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods"}, strings.ToLower(path.Ext(name)))
}

// archiveName is a file's name in an archive, with slashes. Programs that do not say that
// names are UTF-8 write them so all the same, or in the code page of DOS.
func archiveName(f *zip.File) string {
	name := f.Name
	if !utf8.ValidString(name) {
		if decoded, err := charmap.CodePage437.NewDecoder().String(name); err == nil {
			name = decoded
		}
	}
	return strings.ReplaceAll(name, `\`, "/")
}

// isArchiveJunk reports whether a name is a folder, or what systems put beside files.
func isArchiveJunk(name string) bool {
	base := path.Base(name)
	return strings.HasSuffix(name, "/") || strings.HasPrefix(name, "__MACOSX/") || strings.HasPrefix(base, ".") && base != ".." || strings.HasPrefix(base, "~$") ||
		strings.EqualFold(base, "thumbs.db") || strings.EqualFold(base, "desktop.ini")
}

// ReadManifest returns the bytes of the manifest.
func (a *Archive) ReadManifest() ([]byte, error) { return a.read(a.Manifest) }

// ReadAnswers returns the file of answers beside the manifest; nil for none.
func (a *Archive) ReadAnswers() ([]byte, error) {
	name := path.Join(path.Dir(a.Manifest), AnswersName)
	if a.files[name] == nil {
		return nil, nil
	}
	return a.read(name)
}

func (a *Archive) read(name string) ([]byte, error) {
	r, err := a.files[name].Open()
	if err != nil {
		return nil, a.damaged(name)
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, maxArchiveFile+1))
	if err != nil || len(body) > maxArchiveFile {
		return nil, a.damaged(name)
	}
	return body, nil
}

func (a *Archive) damaged(name string) error {
	return fault.Newf(fault.Invalid, "%s: %s cannot be unpacked; make the zip again", a.Name, name)
}

// Documents names the files beside the manifest as its rows name them: relative to its
// folder and, where they lie elsewhere, from the top of the archive.
func (a *Archive) Documents() []string {
	var names []string
	for name := range a.files {
		if to := a.target(name); to != "" {
			names = append(names, to)
		}
	}
	slices.Sort(names)
	return names
}

// target is where a file of the archive is unpacked to; "" for what is no document.
func (a *Archive) target(name string) string {
	if name == a.Manifest || path.Base(name) == AnswersName {
		return ""
	}
	if folder := path.Dir(a.Manifest); folder != "." {
		return strings.TrimPrefix(name, folder+"/")
	}
	return name
}

// Unpack writes the documents into a folder, which is held open and left in no way. What
// is unpacked is counted as it comes, whatever the archive says of it.
func (a *Archive) Unpack(into *os.Root) error {
	left := a.budget
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		to := a.target(name)
		if to == "" {
			continue
		}
		n, err := a.unpackOne(into, name, filepath.FromSlash(to), min(left, maxArchiveFile))
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

func (a *Archive) unpackOne(into *os.Root, name, to string, most int64) (n int64, err error) {
	r, err := a.files[name].Open()
	if err != nil {
		return 0, a.damaged(name)
	}
	defer r.Close()
	if err := into.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return 0, fsutil.DiskError(err, "unpacking "+a.Name)
	}
	f, err := into.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return 0, fault.Newf(fault.Invalid, "%s: %s is in the zip twice, in names that this system takes for one", a.Name, name)
	}
	if err != nil {
		return 0, fsutil.DiskError(err, "unpacking "+a.Name)
	}
	n, err = io.Copy(f, io.LimitReader(unpacking{r}, most+1))
	err = errors.Join(err, f.Close())
	switch {
	case n > most:
		return n, fault.Newf(fault.Invalid, "%s: %s unpacks to more than it says; the zip is damaged, or was made to fill the disk", a.Name, name)
	case errors.Is(err, errUnpacking):
		return n, a.damaged(name)
	}
	return n, fsutil.DiskError(err, "unpacking "+a.Name)
}

// unpacking is a reader whose errors are about the archive, not about the disk.
type unpacking struct{ io.Reader }

var errUnpacking = errors.New("the archive is damaged")

func (u unpacking) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errUnpacking
	}
	return n, err
}

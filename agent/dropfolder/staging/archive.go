package staging

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// ArchiveTarget is where the zip lies that a batch is unpacked from.
func ArchiveTarget(name string) string { return "archive/" + name }

// Unpack unpacks the zip of a batch that came as one, within the batch's own folder. The
// manifest comes last: where it is, all is unpacked.
func (b *Batch) Unpack() error {
	if b.Archive == "" {
		return nil
	}
	if unpacked, err := pathExists(b.ManifestPath()); err != nil || unpacked {
		return err
	}
	f, err := os.Open(b.path(filepath.FromSlash(ArchiveTarget(b.Archive))))
	if err != nil {
		return fsutil.DiskError(err, "opening a zip")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fsutil.DiskError(err, "opening a zip")
	}
	archive, err := manifest.OpenArchive(f, info.Size(), b.Archive)
	if err != nil {
		return err
	}
	if err := b.unpackDocuments(archive); err != nil {
		return err
	}
	answers, err := archive.ReadAnswers()
	if err == nil && answers != nil {
		err = b.writeUnpacked(b.path(filepath.FromSlash(AnswersTarget)), answers)
	}
	if err != nil {
		return err
	}
	body, err := archive.ReadManifest()
	if err != nil {
		return err
	}
	return b.writeUnpacked(b.ManifestPath(), body)
}

// unpackDocuments unpacks the documents anew: what an interrupted try left is removed.
func (b *Batch) unpackDocuments(archive *manifest.Archive) error {
	if err := os.RemoveAll(b.FilesPath()); err != nil {
		return fsutil.DiskError(err, "unpacking a zip")
	}
	if err := os.MkdirAll(b.FilesPath(), 0o700); err != nil {
		return fsutil.DiskError(err, "unpacking a zip")
	}
	into, err := os.OpenRoot(b.FilesPath())
	if err != nil {
		return fsutil.DiskError(err, "unpacking a zip")
	}
	return errors.Join(archive.Unpack(into), into.Close())
}

func (b *Batch) writeUnpacked(name string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fsutil.DiskError(err, "unpacking a zip")
	}
	return fsutil.WriteFile(name, 0o600, func(w io.Writer) error {
		_, err := w.Write(body)
		return err
	})
}

// documentFiles are the documents: those that were taken, or those that were unpacked.
func (b *Batch) documentFiles() []File {
	if b.Archive == "" {
		return b.Files
	}
	var files []File
	// What cannot be looked at is not there.
	_ = filepath.WalkDir(b.FilesPath(), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // see above
		}
		info, err := d.Info()
		rel, relErr := filepath.Rel(b.FilesPath(), name)
		if err == nil && relErr == nil {
			files = append(files, File{To: DocumentTarget(filepath.ToSlash(rel)), ID: FileIDOf(info)})
		}
		return nil
	})
	return files
}

package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// readDocument looks at one row's document. What is wrong with the document is noted on
// the row; the error is about the disk that it is to be stored on.
func (in *Intake) readDocument(ctx context.Context, o CheckRequest, c *RowResult) error {
	if c.Renderer != nil && len(c.Problems) == 0 {
		return in.renderDocument(ctx, o, c)
	}
	if len(c.Problems) > 0 || c.file == "" {
		return nil
	}
	f, err := openPlain(o.Files, c.file)
	if fsutil.TooManyOpenFiles(err) {
		return fsutil.DiskError(err, "opening a document")
	}
	if err != nil {
		c.refuse("row %d, file %s: %v", c.Row.Number, c.file, err)
		return nil
	}
	defer f.Close()
	if err := in.readUnchanged(ctx, o, c, f); err != nil {
		where := fmt.Sprintf("row %d, file %s", c.Row.Number, c.file)
		if !isRefusal(err) {
			return fault.At(where, err)
		}
		message, _ := fault.Message(err)
		c.refuse("%s: %s", where, message)
	}
	return nil
}

// isRefusal reports whether an error is about the document, and not about the
// disk or the program.
func isRefusal(err error) bool { return fault.Is(err, fault.Invalid) && !errors.Is(err, ErrChanging) }

// ErrChanging is about a document that changed while it was being read: nothing
// that was found out about it counts.
var ErrChanging = errors.New("size or time differ before and after")

// readUnchanged takes a document that nobody writes to meanwhile.
func (in *Intake) readUnchanged(ctx context.Context, o CheckRequest, c *RowResult, f *os.File) error {
	before, err := f.Stat()
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the file cannot be read")
	}
	err = in.checkAndStage(ctx, o, c, f, before.Size())
	after, late := f.Stat()
	if late == nil && after.Size() == before.Size() && after.ModTime().Equal(before.ModTime()) {
		return err
	}
	c.Discard()
	return fault.Wrap(fault.Invalid, ErrChanging, "the file changed while it was being read; run again when it is complete")
}

// openPlain opens a regular file inside the folder. Devices and pipes, at which
// opening or reading could hang, are not opened; a link that leads out of the
// folder is refused by os.Root.
func openPlain(root *os.Root, name string) (*os.File, error) {
	info, err := root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("this is not a file; want a PDF, JPEG or PNG file")
	}
	if err != nil {
		return nil, cannotOpen(root, name, err)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, cannotOpen(root, name, err)
	}
	return f, nil
}

func cannotOpen(root *os.Root, name string, err error) error {
	if link, lerr := root.Lstat(name); lerr == nil && link.Mode()&fs.ModeSymlink != 0 {
		return errors.New("this is a symbolic link that leads out of the folder or to nothing; put the file itself there")
	}
	switch {
	case fsutil.TooManyOpenFiles(err):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("the file is not there")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("the file cannot be read: permission denied")
	}
	return errors.New("the file cannot be opened inside its folder")
}

// checkAndStage checks a document and, where it is to be issued, stages it.
func (in *Intake) checkAndStage(ctx context.Context, o CheckRequest, c *RowResult, f *os.File, size int64) error {
	if size > vault.MaxFile {
		return fault.Newf(fault.Invalid, "the file has %d bytes; at most 20 MB (%d bytes) are accepted", size, vault.MaxFile)
	}
	found, err := in.inspectAt(o, c, f, size)
	if isBrokenSignature(err) {
		// That it was issued already is the better reason.
		if _, issued := in.findVaultSignature(ctx, f, size); issued != nil {
			err = issued
		}
	}
	if err != nil {
		return err
	}
	if err := checkExtension(c.file, found.Format); err != nil {
		return err
	}
	scan := &markScanner{Reader: f}
	staged, err := in.stage(ctx, o, c, scan)
	if err != nil {
		return err
	}
	if staged.Size != size {
		staged.Discard()
		return fault.Wrap(fault.Invalid, ErrChanging, "the file changed while it was being read; run again when it is complete")
	}
	if c.Certificate == nil {
		c.foreign, err = in.checkNotIssued(ctx, staged.SHA256, scan.found, f, size)
	}
	if err != nil {
		staged.Discard()
		return err
	}
	c.staged = staged
	c.Draft.File = vault.File{
		Name: path.Base(c.file), Format: string(found.Format), Size: staged.Size,
		SHA256: staged.SHA256, HashState: staged.HashState,
	}
	o.names.look(c, f, size)
	return c.Draft.Validate()
}

// stage reads the document to its end; it is kept only if it may be needed.
func (in *Intake) stage(ctx context.Context, o CheckRequest, c *RowResult, document io.Reader) (*blob.Staged, error) {
	if o.DryRun || c.Certificate != nil {
		digest, err := in.hasher.Sum(document, vault.MaxFile)
		return &blob.Staged{Digest: digest}, err
	}
	return in.Blobs.Stage(ctx, document, vault.MaxFile)
}

// inspect looks at a document as the stamper will, which is the same for all institutions.
func (in *Intake) inspect(f io.ReaderAt, size int64) (pdf.Info, error) {
	if in.Institutions != nil {
		return in.Institutions.Inspector().Inspect(f, size)
	}
	return pdf.Inspect(f, size)
}

// checkExtension refuses a document whose name says it is something else.
func checkExtension(name string, format pdf.Format) error {
	ext := strings.ToLower(path.Ext(name))
	switch {
	case ext == ".pdf" && format == pdf.FormatPDF,
		(ext == ".jpg" || ext == ".jpeg") && format == pdf.FormatJPEG,
		ext == ".png" && format == pdf.FormatPNG:
		return nil
	case ext == ".pdf", ext == ".jpg", ext == ".jpeg", ext == ".png":
		return fault.Newf(fault.Invalid, "the name ends in %s, but the content is %s; rename the file or replace it",
			ext, strings.ToUpper(string(format)))
	}
	return fault.Newf(fault.Invalid, "the name ends in %q; want .pdf, .jpg, .jpeg or .png", ext)
}

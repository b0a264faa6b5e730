package batch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// ReadManifest reads the manifest of a request. Today is the day where the institution is;
// shared says that people there may share addresses.
func ReadManifest(q adminclient.BulkRequest, today string, shared bool) (*manifest.Manifest, error) {
	return manifest.Read(q.Manifest, manifest.Options{
		Name: q.Name, DateFormat: q.DateFormat, Delimiter: q.Delimiter,
		Encoding: q.Encoding, Sheet: q.Sheet, Hidden: q.Hidden, Map: q.Map, MaxRows: manifest.LargestMaxRows,
		Templated: q.Template != "", Strict: q.Strict, Today: today, SharedAddresses: shared,
	})
}

// OpenFiles opens the folder of a request's documents. One that cannot be opened is
// Invalid, unless the program can open nothing more at present.
func OpenFiles(q adminclient.BulkRequest) (*os.Root, error) {
	files, err := os.OpenRoot(q.Files)
	if fsutil.TooManyOpenFiles(err) {
		return nil, fsutil.DiskError(err, "opening the folder of the documents")
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("opening the folder of the documents, %s: %s", q.Files, fsutil.DescribeDenied(q.Files)))
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf(
			"the folder of the documents, %s, cannot be opened; name the right one with --files", q.Files))
	}
	return files, nil
}

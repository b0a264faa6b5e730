//go:build !unix

package move

import (
	"io/fs"
	"os"
)

// identity is unknown here: only size and time tell files apart.
func identity(fs.FileInfo) ID { return ID{} }

// OpenFlags open a file for reading.
const OpenFlags = os.O_RDONLY

package pdf

import (
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/verify"
)

// Verdict is what Verify found out about a file.
type Verdict = verify.Verdict

// Signature is one signature of a file.
type Signature = verify.Signature

// Verify judges any file, whoever made it. It needs no network, and bounds what
// it reads of a hostile file. The error is about reading; whatever is wrong with
// the file is the verdict.
func Verify(r io.ReaderAt, size int64) (Verdict, error) { return verify.File(r, size) }

package pdf

import (
	"io"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/verify"
)

// checkEarlier refuses a document that carries a signature which does not hold: no
// later one makes it valid.
func checkEarlier(r io.ReaderAt, size int64) error {
	v, err := verify.File(r, size, verify.Options{})
	if err != nil {
		return err
	}
	if s := v.Unsound(); s != nil {
		return reject.Newf(reject.BrokenSignature, "The document carries a signature that does not hold: %s", strings.TrimSuffix(s.Problem, "."))
	}
	return nil
}

// checkSurvives refuses an update after which an earlier signature would not hold.
func checkSurvives(src Source, t Update) error {
	whole := joined{src, t.Bytes}
	v, err := verify.File(whole, src.Size+int64(len(t.Bytes)), verify.Options{})
	if err != nil {
		return err
	}
	s := v.Unsound()
	switch {
	case s == nil:
		return nil
	case s.Reason == verify.BeyondPermission:
		return reject.Newf(reject.ChangesForbidden, "The document is signed, and its signature forbids this: %s", strings.TrimSuffix(s.Problem, "."))
	}
	return reject.Newf(reject.BrokenSignature, "The document carries a signature that does not hold: %s", strings.TrimSuffix(s.Problem, "."))
}

// joined reads an original and its update as one file.
type joined struct {
	src  Source
	tail []byte
}

// ReadAt reads from both as if they were one.
func (j joined) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < j.src.Size {
		want := p[:min(int64(len(p)), j.src.Size-off)]
		got, err := j.src.R.ReadAt(want, off)
		if got < len(want) {
			return got, err
		}
		n = got
	}
	if n == len(p) {
		return n, nil
	}
	at := off + int64(n) - j.src.Size
	if at >= int64(len(j.tail)) {
		return n, io.EOF
	}
	got := copy(p[n:], j.tail[at:])
	if n += got; n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

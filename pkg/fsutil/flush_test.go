package fsutil

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A file of many strides comes out as it was written, in pieces of any size.
func TestWriteFileLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "large")
	var want bytes.Buffer
	err := WriteFile(path, 0o600, func(w io.Writer) error {
		for i := range 40 {
			piece := bytes.Repeat([]byte{byte(i)}, i*50_001+1)
			want.Write(piece)
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes were written and %d are there: %v", want.Len(), len(got), err)
	}
}

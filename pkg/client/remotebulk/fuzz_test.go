package remotebulk

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

// FuzzJournal opens what a run may have left behind, and what somebody has edited:
// it is refused with a way out, or goes on and keeps what is noted next.
func FuzzJournal(f *testing.F) {
	dir := f.TempDir()
	f.Add("{\"today\":\"2026-05-02\"}\n{\"row\":1,\"upload\":{\"sha256\":\"x\",\"file_id\":\"y\",\"at\":\"2026-05-02T10:00:00Z\"}}\n" +
		"{\"call\":{\"key\":\"k\",\"rows\":[1],\"file_ids\":[\"y\"]}}\n{\"done\":\"k\",\"batch_id\":\"b\"}\n{\"certificate\":{\"uuid\":\"u\"}}\n")
	f.Add("{\"today\":\"2026-05-02\"}\n{\"row\":1,\"upl")
	f.Add("{\"today\":\"x\"}{}\n{\"call\":{}}\nnull\n{\"call\":null,\"refused\":\"\"}\n")
	f.Add("[]\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "journal")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := firstDate(path); err != nil {
			t.Fatal(err)
		}
		j, err := OpenJournal(path, "2026-05-03")
		if err != nil {
			if message, ok := fault.Message(err); !ok || message == "" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if j.today == "" {
			t.Errorf("%q: rows without a date get none", text)
		}
		uploads, calls := len(j.uploads), len(j.order)
		// As write does, but for the disk's part in it.
		if _, err := j.file.WriteString("{\"row\":1099511627776,\"upload\":{\"file_id\":\"new\"}}\n{\"call\":{\"key\":\"new\"}}\n"); err != nil {
			t.Fatal(err)
		}
		if err := j.file.Close(); err != nil {
			t.Fatal(err)
		}
		if j, err = OpenJournal(path, "2026-05-04"); err != nil {
			t.Fatalf("%q: after a note: %v", text, err)
		}
		defer j.file.Close()
		if len(j.uploads) < uploads || j.uploads[1<<40].FileID != "new" || len(j.order) != calls+1 {
			t.Errorf("%q: the notes are not there any more: %+v", text, j)
		}
	})
}

package intake_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/blob/blobtest"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// emptyLedger has issued nothing.
type emptyLedger struct{ store.Store }

func (emptyLedger) KeyHolders(_ context.Context, _ uint32, keys []vault.Key) ([]*vault.Certificate, error) {
	return make([]*vault.Certificate, len(keys)), nil
}

func (emptyLedger) ByVerifiedSHA256(_ context.Context, sums ...string) ([]*vault.Certificate, error) {
	return make([]*vault.Certificate, len(sums)), nil
}

func (emptyLedger) FrozenDates(_ context.Context, _ uint32, keys []vault.Key) ([]vault.Date, error) {
	return make([]vault.Date, len(keys)), nil
}

// A document that is still written to is no document that is damaged: the run
// ends, and nothing that was found out about the document counts.
func TestADocumentThatIsWrittenToMeanwhile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "files", "a.pdf")
	if err := os.WriteFile(path, []byte("%PDF-1.4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Read([]byte("certificate_title,full_name,applicant_email,issue_date,file\nDiploma,Ann,a@example.org,2026-06-01,a.pdf\n"), manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.OpenRoot(filepath.Join(dir, "files"))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	in := &intake.Intake{Store: emptyLedger{}, Blobs: blobtest.NewMemory(), Now: time.Now}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := int64(0); ; n++ {
			select {
			case <-stop:
				return
			default:
				// Only the time changes, as when a part is written over.
				_ = os.Chtimes(path, time.Time{}, time.Unix(1_780_000_000+n, 0))
			}
		}
	}()
	limit := time.Now().Add(2 * time.Minute)
	for err = nil; err == nil && time.Now().Before(limit); {
		_, err = in.Check(t.Context(), intake.CheckRequest{
			Institution: vault.Institution{ID: 1, TimeZone: "UTC"}, Manifest: m, Files: files, Listed: []string{"a.pdf"},
		})
	}
	close(stop)
	<-stopped
	if !errors.Is(err, intake.ErrChanging) || !fault.Is(err, fault.Invalid) {
		t.Errorf("the run ends with %v", err)
	}
}

package intake_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// exhaust lets the process open no more files until the test ends. The test must not
// run beside others.
func exhaust(t *testing.T) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	next, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	now := syscall.Rlimit{Cur: uint64(next.Fd()), Max: before.Max}
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	})
}

// That the program can open no more files says nothing of a row or its document.
func TestNoMoreFilesCanBeOpened(t *testing.T) {
	dir := t.TempDir()
	blobs, err := blob.OpenFolder(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.pdf"), []byte("%PDF-1.4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Read([]byte("certificate_title,full_name,applicant_email,issue_date,file\nDiploma,Ann,a@example.org,2026-06-01,a.pdf\n"), manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	in := &intake.Intake{Store: emptyLedger{}, Blobs: blobs, Now: time.Now}
	exhaust(t)
	_, err = in.Check(t.Context(), intake.CheckRequest{
		Institution: vault.Institution{ID: 1, TimeZone: "UTC"}, Manifest: m, Files: files, Listed: []string{"a.pdf"},
	})
	if !fault.Is(err, fault.Full) {
		t.Errorf("the run ends with %v", err)
	}
}

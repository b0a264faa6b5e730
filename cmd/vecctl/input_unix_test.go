//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
)

const mb20 = 20 << 20

// TestBadInput has one row for each way in which a document can be wrong. Each
// is refused with its row and a reason, and the sound ones are issued.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	elsewhere := filepath.Join(s.dir, "elsewhere.pdf")
	must(t, os.WriteFile(elsewhere, smallPDF("elsewhere", 0), 0o644))
	whole := smallPDF("whole", 3000)
	tests := []struct {
		file   string
		make   func(path string) error
		reason string // of its refusal; "" for a sound one
	}{
		{"sound.pdf", content(smallPDF("sound", 0)), ""},
		{"largest.pdf", content(smallPDF("largest", mb20)), ""},
		{"larger.pdf", content(smallPDF("larger", mb20+1)), "20 MB"},
		{"sparse.pdf", func(path string) error {
			if err := os.WriteFile(path, whole, 0o644); err != nil {
				return err
			}
			return os.Truncate(path, 1<<40)
		}, "20 MB"},
		{"empty.pdf", content(nil), "empty"},
		{"text.pdf", content([]byte("Dear registrar, please find attached nothing.")), "PDF"},
		{"cut.pdf", content(whole[:len(whole)/2]), "breaks off"},
		{"image.pdf", content(smallPNG()), "the content is PNG"},
		{"pdf.png", content(smallPDF("x", 0)), "the content is PDF"},
		{"program.exe", content(smallPDF("y", 0)), ".exe"},
		{"wide.png", content(pngOfSize(50_000, 50_000)), "50000"},
		{"half.jpg", content(smallJPEG()[:700]), "JPEG"},
		{"out.pdf", func(path string) error { return os.Symlink(elsewhere, path) }, "symbolic link"},
		{"up.pdf", func(path string) error { return os.Symlink("../elsewhere.pdf", path) }, "symbolic link"},
		{"dangling.pdf", func(path string) error { return os.Symlink("nothing.pdf", path) }, "symbolic link"},
		{"round.pdf", func(path string) error { return os.Symlink("round.pdf", path) }, "symbolic link"},
		{"inside.pdf", func(path string) error { return os.Symlink("linked-to.pdf", path) }, ""},
		{"pipe.pdf", func(path string) error { return syscall.Mkfifo(path, 0o644) }, "not a file"},
		{"to-pipe.pdf", func(path string) error { return os.Symlink("pipe.pdf", path) }, "not a file"},
		{"device.pdf", func(path string) error { return os.Symlink("/dev/zero", path) }, "symbolic link"},
		{"folder.pdf", func(path string) error { return os.Mkdir(path, 0o755) }, "not there"},
		{"gone.pdf", func(string) error { return nil }, "not there"},
		{"../elsewhere.pdf", func(string) error { return nil }, ".."},
		{elsewhere, func(string) error { return nil }, "elsewhere.pdf"},
		{"locked.pdf", unreadable, "permission denied"},
	}
	must(t, os.WriteFile(filepath.Join(s.docs, "linked-to.pdf"), smallPDF("linked", 0), 0o644))
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"certificate_title", "full_name", "applicant_email", "issue_date", "details", "file"}}
	for i, test := range tests {
		must(t, test.make(filepath.Join(s.docs, test.file)))
		rows = append(rows, []string{"Diploma", "Somebody", fmt.Sprintf("p%d@example.org", i+1), "2026-05-02", "", test.file})
	}
	must(t, w.WriteAll(rows))
	manifest := s.file("rows.csv", b.Bytes())

	// By default one bad row stops all.
	if stopped := s.bulk(2, manifest); stopped.Issued != 0 || len(s.all()) != 0 {
		t.Fatalf("%d were issued although rows are bad", stopped.Issued)
	}
	report := s.bulk(3, manifest, "--on-error", "skip")
	issued := 0
	for i, row := range report.Rows {
		test := tests[i]
		if test.file == "locked.pdf" && os.Getuid() == 0 {
			continue // permissions do not bind this user
		}
		switch {
		case test.reason == "" && row.Status == client.RowIssued:
			issued++
		case test.reason == "":
			t.Errorf("%s is %s: %s", test.file, row.Status, row.Error)
		case row.Status != client.RowRejected || !strings.Contains(row.Error, test.reason) || !strings.HasPrefix(row.Error, fmt.Sprintf("row %d", i+1)):
			t.Errorf("%s is %s: %q, want it refused with row and %q", test.file, row.Status, row.Error, test.reason)
		}
	}
	if rejected := readCSV(t, filepath.Join(s.out, "rejected.csv")); len(rejected) != report.Failed+1 {
		t.Errorf("rejected.csv has %d lines for %d rows", len(rejected), report.Failed)
	}
	for _, c := range s.all() {
		body, err := os.ReadFile(filepath.Join(s.out, c.Verified.Name))
		must(t, err)
		if sumOf(body) != c.Verified.SHA256 {
			t.Errorf("%s is not what was issued", c.Verified.Name)
		}
	}
}

func content(body []byte) func(string) error {
	return func(path string) error { return os.WriteFile(path, body, 0o644) }
}

func unreadable(path string) error { return os.WriteFile(path, smallPDF("locked", 0), 0) }

// pngOfSize is the beginning of a PNG that says it is of a size.
func pngOfSize(width, height uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, width)
	chunk = binary.BigEndian.AppendUint32(chunk, height)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	b := []byte("\x89PNG\r\n\x1a\n")
	b = binary.BigEndian.AppendUint32(b, uint32(len(chunk)-4))
	b = append(b, chunk...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk))
	return append(b, smallPNG()[33:]...)
}

// A document that somebody writes while it is read is either issued as one of
// the things that it was, or refused.
func TestADocumentThatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	first, short, tall := smallPDF("Person 1", 0), smallPDF("short", 2000), smallPDF("tall", 600_000)
	runs := 6
	if long() {
		runs = 60
	}
	for range runs {
		s := newSite(t)
		manifest := s.batch(1)
		path := filepath.Join(s.docs, "f00001.pdf")
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
				}
				_ = os.WriteFile(path, tall, 0o644)
				_ = os.Truncate(path, int64(len(short)))
				_ = os.WriteFile(path, short, 0o644)
			}
		}()
		r := s.run("bulk", manifest, "--out", s.out)
		close(stop)
		<-stopped
		if r.code != 0 && r.code != 2 {
			t.Fatal(r)
		}
		for _, c := range s.all() {
			if c.File.SHA256 != sumOf(first) && c.File.SHA256 != sumOf(short) && c.File.SHA256 != sumOf(tall) {
				t.Fatalf("a document of %d bytes was issued that nobody handed in", c.File.Size)
			}
			body, err := os.ReadFile(filepath.Join(s.out, c.Verified.Name))
			must(t, err)
			if sumOf(body) != c.Verified.SHA256 {
				t.Fatal("the verified PDF is not what was issued")
			}
		}
	}
}

// A manifest may come through a pipe that never says more: that is waited for,
// and a signal ends it.
func TestAManifestThatDoesNotCome(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cmd := s.command("bulk", "-", "--out", s.out)
	in, err := cmd.StdinPipe()
	must(t, err)
	defer in.Close()
	started := s.start(cmd)
	kill := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	// Twice: the first is noted by the time the second comes.
	must(t, cmd.Process.Signal(os.Interrupt))
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	if r := s.finish(cmd, started); r.code != 130 && r.code != -1 {
		t.Errorf("got %v", r)
	}
}

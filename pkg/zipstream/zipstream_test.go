package zipstream_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/zipstream"
)

func entry(i int) (zipstream.Entry, string) {
	content := strings.Repeat(fmt.Sprintf("document %d\n", i), i%50)
	return zipstream.Entry{Name: fmt.Sprintf("żółw-%06d.pdf", i), Size: int64(len(content)), CRC32: crc32.ChecksumIEEE([]byte(content)),
		Modified: time.Date(2026, 6, 1, 10, 0, 3, 0, time.UTC)}, content
}

func write(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zipstream.NewWriter(&b)
	defer z.Discard()
	for i := range n {
		e, content := entry(i)
		if err := z.Add(e, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if z.Offset() != int64(b.Len()) {
		t.Errorf("%d bytes were written, the writer says %d", b.Len(), z.Offset())
	}
	return b.Bytes()
}

// TestArchive is read by others: archive/zip, and unzip where it is there. 70,000 entries are
// more than a ZIP has that is no ZIP64.
func TestArchive(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 3, 70_000} {
		raw := write(t, n)
		z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil || len(z.File) != n {
			t.Fatalf("%d entries: %v", n, err)
		}
		for i, f := range z.File {
			want, content := entry(i)
			if f.Name != want.Name || !f.Modified.Equal(want.Modified) || f.NonUTF8 || !f.Mode().IsRegular() {
				t.Fatalf("entry %d: %+v", i, f.FileHeader)
			}
			if i%1000 != 0 {
				continue
			}
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != content {
				t.Fatalf("entry %d: %q %v", i, got, err)
			}
		}
		if _, err := exec.LookPath("unzip"); err != nil || n == 0 {
			continue
		}
		name := filepath.Join(t.TempDir(), "a.zip")
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "unzip", "-tqq", name).CombinedOutput(); err != nil {
			t.Errorf("unzip of %d: %v %.300s", n, err, out)
		}
	}
}

// TestOver4GB writes an archive of more than 4 GB, of which only its end is kept.
func TestOver4GB(t *testing.T) {
	t.Parallel()
	const size, n = 1 << 30, 5
	sum := crc32.NewIEEE()
	if _, err := io.CopyN(sum, zeros{}, 1<<10); err != nil {
		t.Fatal(err)
	}
	sparse, err := os.Create(filepath.Join(t.TempDir(), "big.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer sparse.Close()
	z := zipstream.NewWriter(sparse)
	defer z.Discard()
	for i := range n {
		e := zipstream.Entry{Name: fmt.Sprint(i), Size: size}
		// As if it had been written by an earlier process.
		if err := z.Resume(e); err != nil {
			t.Fatal(err)
		}
	}
	last := zipstream.Entry{Name: "last", Size: 1 << 10, CRC32: sum.Sum32()}
	if _, err := sparse.Seek(z.Offset(), io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Add(last, io.LimitReader(zeros{}, 1<<10)), z.Close()); err != nil {
		t.Fatal(err)
	}
	read, err := zip.NewReader(sparse, z.Offset())
	if err != nil || len(read.File) != n+1 {
		t.Fatal(err)
	}
	r, err := read.File[n].Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || len(got) != 1<<10 {
		t.Errorf("behind 4 GB: %d bytes, %v", len(got), err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestReader reads every beginning of an archive: whole entries are whole, and nothing that
// broke off ends well.
func TestReader(t *testing.T) {
	t.Parallel()
	const n = 6
	raw := write(t, n)
	for length := range len(raw) + 1 {
		z := zipstream.NewReader(bytes.NewReader(raw[:length]))
		read := 0
		var err error
		for {
			var e zipstream.Entry
			if e, err = z.Next(); err != nil {
				break
			}
			want, content := entry(read)
			var got []byte
			if got, err = io.ReadAll(z); err != nil {
				break
			}
			if e != want || string(got) != content {
				t.Fatalf("entry %d: %+v %q", read, e, got)
			}
			read++
		}
		if length == len(raw) {
			if !errors.Is(err, io.EOF) || read != n {
				t.Errorf("the whole: %d entries, %v", read, err)
			}
			continue
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d of %d bytes: %v", length, len(raw), err)
		}
	}
	damaged := slices.Clone(raw)
	at := bytes.Index(damaged, []byte("document 3"))
	damaged[at]++
	z := zipstream.NewReader(bytes.NewReader(damaged))
	var err error
	for err == nil {
		_, err = z.Next()
	}
	if !errors.Is(err, zipstream.ErrChecksum) || int(z.WholeSize()) >= at {
		t.Errorf("a damaged entry: %v, whole up to %d", err, z.WholeSize())
	}
}

// TestResume continues an archive that broke off at any place: the result is the same.
func TestResume(t *testing.T) {
	t.Parallel()
	const n = 5
	want := write(t, n)
	for length := range len(want) {
		old := zipstream.NewReader(bytes.NewReader(want[:length]))
		var kept []zipstream.Entry
		for {
			e, err := old.Next()
			if err != nil {
				break
			}
			if _, err := io.Copy(io.Discard, old); err != nil {
				break
			}
			kept = append(kept, e)
		}
		b := bytes.NewBuffer(slices.Clone(want[:old.WholeSize()]))
		z := zipstream.NewWriter(b)
		for _, e := range kept {
			if z.Offset() >= old.WholeSize() {
				break
			}
			if err := z.Resume(e); err != nil {
				t.Fatal(err)
			}
		}
		if z.Offset() != old.WholeSize() {
			t.Fatalf("%d bytes: resumed at %d instead of %d", length, z.Offset(), old.WholeSize())
		}
		for i := range n {
			if e, content := entry(i); !slices.Contains(kept, e) || i >= len(kept) {
				if err := z.Add(e, strings.NewReader(content)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := z.Close(); err != nil || !bytes.Equal(b.Bytes(), want) {
			t.Fatalf("%d bytes: another archive (%v)", length, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	var b bytes.Buffer
	z := zipstream.NewWriter(&b)
	e, content := entry(3)
	if err := errors.Join(z.Add(e, strings.NewReader(content)), z.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		z := zipstream.NewReader(bytes.NewReader(raw))
		for {
			if _, err := z.Next(); err != nil {
				return
			}
		}
	})
}

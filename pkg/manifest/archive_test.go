package manifest

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

// packed makes a zip of names and contents.
func packed(t *testing.T, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		h := &zip.FileHeader{Name: pairs[i], Method: zip.Deflate, NonUTF8: true}
		if strings.HasPrefix(pairs[i+1], "->") {
			h.SetMode(fs.ModeSymlink | 0o777)
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte(pairs[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// promised makes a zip whose directory names documents of sizes that are not there.
func promised(t *testing.T, sizes ...uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, size := range sizes {
		if _, err := w.CreateRaw(&zip.FileHeader{Name: string(rune('a'+i)) + ".pdf", Method: zip.Deflate, UncompressedSize64: size}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unpackInto(t *testing.T, body []byte) (dir string, a *Archive, err error) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "staging")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if a, err = OpenArchive(bytes.NewReader(body), int64(len(body)), "spring.zip"); err != nil {
		return dir, a, err
	}
	into, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer into.Close()
	return dir, a, a.Unpack(into)
}

func TestArchive(t *testing.T) {
	t.Parallel()
	const table = "title,name,email,file\n"
	for name, tt := range map[string]struct {
		pairs []string
		want  []string
	}{
		"flat":                 {[]string{"m.csv", table, "a.pdf", "A"}, []string{"a.pdf"}},
		"a folder":             {[]string{"spring/", "", "spring/m.xlsx", table, "spring/docs/a.pdf", "A", "spring/manifest.yaml", "strict: true"}, []string{"docs/a.pdf"}},
		"folders side by side": {[]string{"list/m.csv", table, "pdfs/a.pdf", "A"}, []string{"pdfs/a.pdf"}},
		"of Windows":           {[]string{"s\\m.csv", table, "s\\M\x81ller.pdf", "A"}, []string{"Müller.pdf"}}, // code page 437
		"of a Mac":             {[]string{"m.csv", table, "Müller.pdf", "A", "__MACOSX/._m.csv", "x", ".DS_Store", "x"}, []string{"Müller.pdf"}},
	} {
		dir, a, err := unpackInto(t, packed(t, tt.pairs...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, _ error) error {
			if rel, _ := filepath.Rel(dir, p); !d.IsDir() {
				got = append(got, filepath.ToSlash(rel))
			}
			return nil
		})
		body, err := a.ReadManifest()
		if !slices.Equal(got, tt.want) || !slices.Equal(a.Documents(), tt.want) || string(body) != table || err != nil {
			t.Errorf("%s: unpacked %q, documents %q, manifest %q, %v", name, got, a.Documents(), body, err)
		}
		answers, err := a.ReadAnswers()
		if (name == "a folder") != (string(answers) == "strict: true") || err != nil {
			t.Errorf("%s: answers %q, %v", name, answers, err)
		}
	}
}

func TestHostileArchives(t *testing.T) {
	t.Parallel()
	const table = "title,name,email,file\n"
	lying := packed(t, "m.csv", table, "a.pdf", strings.Repeat("A", 100_000))
	size := []byte{0xa0, 0x86, 0x01, 0x00} // 100,000; both headers say 10 instead
	for i := bytes.Index(lying, size); i >= 0; i = bytes.Index(lying, size) {
		copy(lying[i:], []byte{10, 0, 0, 0})
	}
	locked := packed(t, "m.csv", table)
	copy(locked[bytes.Index(locked, []byte("PK\x01\x02"))+8:], []byte{9})
	many := []string{"m.csv", table}
	for i := range maxArchiveFiles {
		many = append(many, "d/"+strings.Repeat("x", i%50)+string(rune('a'+i%26))+".pdf", "")
	}
	for name, tt := range map[string]struct {
		body []byte
		want string
	}{
		"no zip":            {[]byte("hello"), "this is not a zip"},
		"no manifest":       {packed(t, "a.pdf", "A"), "there is no manifest in the zip"},
		"two manifests":     {packed(t, "a.csv", table, "sub/b.xlsx", table), `there are 2 tables in the zip, "a.csv", "sub/b.xlsx"; keep one of them in it`},
		"leads out":         {packed(t, "m.csv", table, "../a.pdf", "A"), `"../a.pdf" leads out of the zip`},
		"leads out deeper":  {packed(t, "m.csv", table, "x/../../a.pdf", "A"), "leads out of the zip"},
		"absolute":          {packed(t, "m.csv", table, "/etc/a.pdf", "A"), "leads out of the zip"},
		"another drive":     {packed(t, "m.csv", table, `C:\a.pdf`, "A"), "leads out of the zip"},
		"backslashes":       {packed(t, "m.csv", table, `..\a.pdf`, "A"), "leads out of the zip"},
		"a link":            {packed(t, "m.csv", table, "a.pdf", "->/etc/passwd"), "a.pdf is a link"},
		"twice":             {packed(t, "m.csv", table, "a.pdf", "A", "a.pdf", "B"), "a.pdf is in the zip twice"},
		"a password":        {locked, "protected by a password"},
		"a bomb":            {promised(t, maxArchiveFile+1), "a.pdf has more than 64 MB"},
		"a bomb of several": {promised(t, maxArchiveFile, maxArchiveFile), "make several"},
		"a lie":             {lying, "cannot be unpacked"},
		"too many":          {packed(t, many...), "more than 25000 files"},
	} {
		dir, _, err := unpackInto(t, tt.body)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "spring.zip: ") {
			t.Errorf("%s: %v", name, err)
		}
		if around, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(around) != 1 {
			t.Errorf("%s: something was written outside: %v", name, around)
		}
	}
}

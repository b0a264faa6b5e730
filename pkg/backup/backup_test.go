package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
)

var moment = time.Date(2026, 5, 2, 10, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// home is what a test keeps.
type home struct {
	files map[string]string
	blobs map[string]string
	gone  []string // blobs that are named and are not there
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func newHome(documents ...string) home {
	h := home{files: map[string]string{
		"vault.db": strings.Repeat("page", 5000), "config.yaml": "base_url: x\n", "keys/signing.pem": "KEY",
		"drop/Diploma 12:30 \\ Łódź.pdf": "waiting", "drop/two\nlines": "", "drop/" + strings.Repeat("long/", 60) + "x": "deep",
	}, blobs: map[string]string{}}
	for _, d := range documents {
		h.blobs[sumOf(d)] = d
	}
	return h
}

// write takes a backup.
func (h home) write(t testing.TB, header Header, have ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	for sum, text := range h.blobs {
		must(t, os.WriteFile(filepath.Join(dir, sum), []byte(text), 0o600))
	}
	var out bytes.Buffer
	header.MadeAt = moment
	b, err := NewWriter(&out, header, have, Throttle{Processors: 2})
	must(t, err)
	for _, name := range slices.Sorted(maps.Keys(h.files)) {
		must(t, b.File(name, int64(len(h.files[name])), moment, strings.NewReader(h.files[name])))
	}
	names := slices.DeleteFunc(append(slices.Sorted(maps.Keys(h.blobs)), h.gone...), func(s string) bool { return slices.Contains(have, s) })
	must(t, b.Blobs(t.Context(), names, func(_ context.Context, sum string) (blob.File, error) {
		f, err := os.Open(filepath.Join(dir, sum))
		if err != nil {
			return nil, err
		}
		return f, nil
	}))
	_, err = b.Close()
	must(t, err)
	return out.Bytes()
}

// want holds a folder to what the home was.
func (h home) want(t testing.TB, dir string) {
	t.Helper()
	want := maps.Clone(h.files)
	for sum, text := range h.blobs {
		want[blobPath(sum)] = text
	}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		must(t, err)
		body, err := os.ReadFile(path)
		if text, ok := want[filepath.ToSlash(name)]; !ok || text != string(body) {
			t.Errorf("%q has %d bytes, want %d (%v)", name, len(body), len(text), ok)
		}
		delete(want, filepath.ToSlash(name))
		if info, e := d.Info(); e != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is open to others", name)
		}
		return err
	}))
	for name := range want {
		t.Errorf("%q is missing", name)
	}
}

func put(t testing.TB, dir, name string, body []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.WriteFile(path, body, 0o600))
	return path
}

func TestABackupIsRestoredAsItWas(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("large document ", 100_000)
	documents := []string{"", "one", big}
	for i := range 200 {
		documents = append(documents, fmt.Sprintf("document %d", i))
	}
	h, dir := newHome(documents...), t.TempDir()
	path := put(t, dir, "b", h.write(t, Header{ID: "1", Institution: "University"}))
	found, err := Chain{Path: path}.Restore(t.Context(), filepath.Join(dir, "home"), nil)
	must(t, err)
	if found.Header.Institution != "University" || found.Blobs != len(h.blobs) || found.Files != len(h.files) || len(found.Damaged) > 0 {
		t.Errorf("found %+v", found)
	}
	h.want(t, filepath.Join(dir, "home"))
	wantAlone(t, dir, "b", "home")
}

// wantAlone wants nothing in a folder but what is named.
func wantAlone(t testing.TB, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

// Whatever is cut off or changed is found, and nothing stays of the attempt.
func TestABackupThatIsNotWhatWasWritten(t *testing.T) {
	t.Parallel()
	h := newHome("one", "two", strings.Repeat("x", 3000))
	whole := h.write(t, Header{ID: "1"})
	tries := 0
	attempt := func(what string, body []byte) {
		t.Helper()
		if tries++; tries%8 != 0 {
			if _, err := Read(t.Context(), bytes.NewReader(body), nil); err != nil && !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Illegal) {
				t.Errorf("%s: %v", what, err)
			}
			return
		}
		dir := t.TempDir()
		path := put(t, dir, "b", body)
		_, err := Chain{Path: path}.Restore(t.Context(), filepath.Join(dir, "home"), nil)
		if err == nil {
			h.want(t, filepath.Join(dir, "home")) // a bit that says nothing
			return
		}
		message, ok := fault.Message(err)
		if !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Illegal) || !ok || !strings.HasPrefix(message, path+": ") {
			t.Errorf("%s: %v (%s)", what, err, fault.KindOf(err))
		}
		wantAlone(t, dir, "b")
	}
	for n := 0; n < len(whole); n += 1 + n/7 {
		attempt(fmt.Sprintf("cut at %d", n), whole[:n])
	}
	attempt("cut before the last byte", whole[:len(whole)-1])
	attempt("with something behind", append(slices.Clone(whole), "more"...))
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		at, bit := random.IntN(len(whole)), random.IntN(8)
		flipped := slices.Clone(whole)
		flipped[at] ^= 1 << bit
		attempt(fmt.Sprintf("bit %d of byte %d", bit, at), flipped)
	}
}

func TestCutOffIsSaid(t *testing.T) {
	t.Parallel()
	whole := newHome(strings.Repeat("incompressible?", 5)).write(t, Header{ID: "1"})
	for _, n := range []int{len(whole) / 2, len(whole) - 1} {
		_, err := Read(t.Context(), bytes.NewReader(whole[:n]), nil)
		if message, _ := fault.Message(err); !strings.Contains(message, "cut off") {
			t.Errorf("at %d of %d: %v", n, len(whole), err)
		}
	}
	for text, want := range map[string]string{"": "cut off", "PK\x03\x04 some other file": "this is no backup"} {
		_, err := Read(t.Context(), strings.NewReader(text), nil)
		if message, _ := fault.Message(err); !strings.Contains(message, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What lies behind a backup's end is no fault of its beginning.
func TestSomethingBehindABackup(t *testing.T) {
	t.Parallel()
	whole := newHome("one").write(t, Header{ID: "1"})
	path := put(t, t.TempDir(), "b", append(whole, "and more"...))
	_, err := Chain{Path: path}.Read(t.Context(), nil)
	if text, _ := fault.Message(err); !strings.Contains(text, "it is not what was written") {
		t.Errorf("said %q", text)
	}
}

func TestANewerBackup(t *testing.T) {
	t.Parallel()
	_, err := Read(t.Context(), archive(t, member{headerName, `{"format": 2, "vecctl": "9.1.0"}`}), nil)
	if message, _ := fault.Message(err); !fault.Is(err, fault.Illegal) || !strings.Contains(message, "newer vecctl (9.1.0") {
		t.Errorf("got %v", err)
	}
}

type member struct{ name, body string }

// archive makes one by hand, with the hashes that fit.
func archive(t testing.TB, members ...member) io.Reader {
	t.Helper()
	var out, sums bytes.Buffer
	packed, err := zstd.NewWriter(&out)
	must(t, err)
	w := tar.NewWriter(packed)
	for _, m := range append(members, member{name: sumsName}) {
		if m.name == sumsName {
			m.body = sums.String()
		}
		h := &tar.Header{Name: m.name, Size: int64(len(m.body)), Mode: 0o600, Typeflag: tar.TypeReg}
		if strings.HasPrefix(m.body, "link:") {
			h.Typeflag, h.Linkname, h.Size, m.body = tar.TypeSymlink, m.body[5:], 0, ""
		}
		must(t, w.WriteHeader(h))
		_, err := io.WriteString(w, m.body)
		must(t, err)
		sums.WriteString(sumLine(sumOf(m.body), m.name))
	}
	must(t, w.Close())
	must(t, packed.Close())
	return &out
}

// A made-up backup writes nowhere but into its home.
func TestHostileBackups(t *testing.T) {
	t.Parallel()
	head := member{headerName, `{"format": 1}`}
	for name, members := range map[string][]member{
		"above":         {head, {"../outside", "x"}},
		"absolute":      {head, {"/etc/passwd", "x"}},
		"within":        {head, {"a/../../x", "x"}},
		"a link":        {head, {"keys", "link:/etc"}, {"keys/x", "x"}},
		"twice":         {head, {"x", "x"}, {"x", "y"}},
		"no header":     {{"x", "x"}},
		"two headers":   {head, head},
		"no document":   {head, {"blobs/ab/passwd", "x"}},
		"no elsewhere":  {head, {elsewhereName, "x  y\n"}},
		"format 0":      {{headerName, `{}`}},
		"header broken": {{headerName, `{`}},
	} {
		dir := t.TempDir()
		body, err := io.ReadAll(archive(t, members...))
		must(t, err)
		_, err = Chain{Path: put(t, dir, "b", body)}.Restore(t.Context(), filepath.Join(dir, "home"), nil)
		if !fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %v", name, err)
		}
		wantAlone(t, dir, "b")
	}
}

// A small file may state lists of any size; reading it takes no more memory than the lists' true lines.
func TestListsThatExplode(t *testing.T) {
	head := member{headerName, `{"format": 1}`}
	line := sumOf("a") + "  a\n"
	for name, members := range map[string][]member{
		"one line for ever":            {head, {sumsName, strings.Repeat("a", 256<<20)}},
		"one line again and again":     {head, {sumsName, strings.Repeat(line, 256<<20/len(line))}},
		"elsewhere, one line for ever": {head, {elsewhereName, strings.Repeat("a", 256<<20)}},
		"elsewhere, again and again":   {head, {elsewhereName, strings.Repeat(sumOf("a")+"  "+blobPath(sumOf("a"))+"\n", 2<<20)}},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := io.ReadAll(archive(t, members...))
			must(t, err)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = Read(t.Context(), bytes.NewReader(body), nil)
			runtime.ReadMemStats(&after)
			if !fault.Is(err, fault.Damaged) {
				t.Errorf("it is read: %v", err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
				t.Errorf("a file of %d bytes took %d MB", len(body), took>>20)
			}
		})
	}
}

func TestDocumentsThatAreDamagedAlready(t *testing.T) {
	t.Parallel()
	h, dir := newHome("one"), t.TempDir()
	rotten := sumOf("two")
	h.blobs[rotten], h.gone = "tw0", []string{sumOf("lost")}
	found, err := Chain{Path: put(t, dir, "b", h.write(t, Header{ID: "1"}))}.Restore(t.Context(), filepath.Join(dir, "home"), nil)
	if err != nil || !slices.Equal(found.Damaged, []string{rotten}) {
		t.Errorf("found %v, %v", found.Damaged, err)
	}
	h.want(t, filepath.Join(dir, "home"))
}

func TestIncrementalBackups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := newHome("one", "two")
	a := put(t, dir, "a", first.write(t, Header{ID: "A"}))
	second := newHome("one", "two", "three")
	b := put(t, dir, "b", second.write(t, Header{ID: "B", Since: &Base{"A", "a"}}, sumOf("one"), sumOf("two")))
	third := newHome("one", "three", "four")
	c := put(t, dir, "c", third.write(t, Header{ID: "C", Since: &Base{"B", "b"}}, sumOf("one"), sumOf("three")))

	found, err := Chain{Path: c}.Restore(t.Context(), filepath.Join(dir, "home"), nil)
	if err != nil || found.Blobs != 1 || len(found.Elsewhere) != 2 {
		t.Fatalf("found %+v, %v", found, err)
	}
	third.want(t, filepath.Join(dir, "home"))

	must(t, os.Rename(a, filepath.Join(dir, "elsewhere")))
	_, err = Chain{Path: c}.Read(t.Context(), nil)
	if message, _ := fault.Message(err); !fault.Is(err, fault.Invalid) || !strings.Contains(message, "builds on the backup a (A)") {
		t.Errorf("without the first: %v", err)
	}
	if _, err := (Chain{Path: c, Bases: []string{filepath.Join(dir, "elsewhere")}}).Read(t.Context(), nil); err != nil {
		t.Errorf("with the first named: %v", err)
	}
	must(t, os.WriteFile(b, newHome("one").write(t, Header{ID: "other"}), 0o600))
	if _, err := (Chain{Path: c}).Read(t.Context(), nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("with another in the second's place: %v", err)
	}
	must(t, os.WriteFile(b, []byte("what is no backup"), 0o600))
	_, err = Chain{Path: c}.Read(t.Context(), nil)
	if message, _ := fault.Message(err); !fault.Is(err, fault.Damaged) || !strings.HasPrefix(message, b+": ") {
		t.Errorf("with the second damaged: %v", err)
	}
	_, err = Chain{Path: dir}.Read(t.Context(), nil)
	if message, _ := fault.Message(err); !strings.Contains(message, "is a folder; name the backup in it") {
		t.Errorf("a folder: %v", err)
	}
}

func TestEncryptedBackups(t *testing.T) {
	t.Parallel()
	h := newHome("one", strings.Repeat("two", 50_000))
	key, err := age.GenerateX25519Identity()
	must(t, err)
	other, err := age.GenerateX25519Identity()
	must(t, err)
	for name, test := range map[string]struct {
		lock        Encryption
		right, bad  Keys
		unencrypted bool
	}{
		"passphrase": {Encryption{Passphrase: "secret", WorkFactor: 5}, Keys{Passphrase: "secret"}, Keys{Passphrase: "Secret"}, false},
		"recipient":  {Encryption{Recipients: []string{key.Recipient().String()}}, Keys{Identities: key.String()}, Keys{Identities: other.String()}, false},
		"two":        {Encryption{Recipients: []string{other.Recipient().String(), key.Recipient().String()}}, Keys{Identities: key.String()}, Keys{}, false},
		"none":       {Encryption{}, Keys{}, Keys{}, true},
	} {
		dir := t.TempDir()
		var out bytes.Buffer
		sealed, err := test.lock.Encrypt(&out)
		must(t, err)
		_, err = sealed.Write(h.write(t, Header{ID: "1"}))
		must(t, errors.Join(err, sealed.Close()))
		path := put(t, dir, "b", out.Bytes())
		if _, err := (Chain{Path: path, Keys: test.bad}).Read(t.Context(), nil); !test.unencrypted && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s, with the wrong key: %v", name, err)
		}
		if _, err := (Chain{Path: path, Keys: test.right}).Restore(t.Context(), filepath.Join(dir, "home"), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		h.want(t, filepath.Join(dir, "home"))
		for _, body := range [][]byte{out.Bytes()[:out.Len()-20], flip(out.Bytes(), out.Len()/2)} {
			if _, err := (Chain{Path: put(t, dir, "b", body), Keys: test.right}).Read(t.Context(), nil); !fault.Is(err, fault.Damaged) {
				t.Errorf("%s, cut or changed: %v", name, err)
			}
		}
	}
	for _, bad := range []Encryption{{Recipients: []string{"nonsense"}}, {Passphrase: "x", Recipients: []string{key.Recipient().String()}}} {
		if _, err := bad.Encrypt(io.Discard); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func flip(body []byte, at int) []byte {
	body = slices.Clone(body)
	body[at] ^= 1
	return body
}

func TestOnlyIntoAnEmptyFolder(t *testing.T) {
	t.Parallel()
	h, dir := newHome("one"), t.TempDir()
	set := Chain{Path: put(t, dir, "b", h.write(t, Header{ID: "1"}))}
	target := filepath.Join(dir, "home")
	must(t, os.Mkdir(target, 0o700))
	_, err := set.Restore(t.Context(), target, nil)
	must(t, err)
	h.want(t, target)
	if _, err := set.Restore(t.Context(), target, nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("over a home: %v", err)
	}
	h.want(t, target)
	refused := errors.New("refused")
	if _, err := set.Restore(t.Context(), filepath.Join(dir, "new"), func(string) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("refused by the check: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := set.Restore(ended, filepath.Join(dir, "new"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	wantAlone(t, dir, "b", "home")
	empty := filepath.Join(dir, "empty")
	must(t, os.Mkdir(empty, 0o750))
	if _, err := set.Restore(t.Context(), empty, func(string) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("refused by the check: %v", err)
	}
	if info, err := os.Stat(empty); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("the empty folder is %v afterwards, %v", info, err)
	}
}

func TestALinkStaysOne(t *testing.T) {
	t.Parallel()
	h, dir := newHome("one"), t.TempDir()
	set := Chain{Path: put(t, dir, "b", h.write(t, Header{ID: "1"}))}
	elsewhere, link := filepath.Join(dir, "elsewhere"), filepath.Join(dir, "home")
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Skip("no links here:", err)
	}
	if _, err := set.Restore(t.Context(), link, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("by a link to nothing: %v", err)
	}
	must(t, os.Mkdir(elsewhere, 0o700))
	_, err := set.Restore(t.Context(), link, nil)
	must(t, err)
	h.want(t, elsewhere)
	if to, err := os.Readlink(link); err != nil || to != elsewhere {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}

func TestAFileThatShrinksMeanwhile(t *testing.T) {
	t.Parallel()
	b, err := NewWriter(io.Discard, Header{}, nil, Throttle{})
	must(t, err)
	defer b.Abort()
	if err := b.File("x", 10, moment, strings.NewReader("short")); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v", err)
	}
}

func TestTheHeaderAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := put(t, dir, "b", newHome("one").write(t, Header{ID: "1", Vecctl: "1.2.3", HomeID: "abcd"}))
	h, err := Chain{Path: path}.Header()
	if err != nil || h.ID != "1" || h.Vecctl != "1.2.3" || h.HomeID != "abcd" || h.Format != Format {
		t.Errorf("got %+v, %v", h, err)
	}
	if _, err := (Chain{Path: filepath.Join(dir, "none")}).Header(); !fault.Is(err, fault.Invalid) {
		t.Errorf("one that is not there: %v", err)
	}
}

// Whatever bytes there are, reading them ends, with an error that has a kind.
func FuzzRead(f *testing.F) {
	h := newHome("one", "two")
	f.Add(h.write(f, Header{ID: "1"}))
	f.Add([]byte{})
	head, err := json.Marshal(Header{Format: 1})
	must(f, err)
	seed, err := io.ReadAll(archive(f, member{headerName, string(head)}, member{"a/b", "c"}))
	must(f, err)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := Read(t.Context(), bytes.NewReader(body), func(m Entry, _ io.Reader) error {
			if !filepath.IsLocal(filepath.FromSlash(m.Name)) {
				t.Errorf("member %q", m.Name)
			}
			return nil
		})
		if _, ok := fault.Message(err); err != nil && !ok {
			t.Errorf("%v", err)
		}
		if err == nil && found.Header.Format != Format {
			t.Errorf("a backup without a header is whole: %+v", found)
		}
	})
}

package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/readback"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// corpus is a folder of real and of deliberately odd PDFs from other projects'
// test suites. VECCTL_CORPUS names another one.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	dir := os.Getenv("VECCTL_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus", "pdf")
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = b
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the corpus is not here; VECCTL_CORPUS names it")
	}
	if err != nil {
		t.Fatal(err)
	}
	return files
}

const (
	maxTime   = time.Second * slowdown // for one document
	maxMemory = 100 << 20
)

// TestCorpus stamps or refuses every file, in bounded time and memory.
func TestCorpus(t *testing.T) {
	files := corpus(t)
	refused := map[Reason][]string{}
	stamped := map[string]Update{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b := files[name]
		tail, err := measured(t, name, b)
		if r, ok := errors.AsType[*Rejection](err); ok {
			refused[r.Reason] = append(refused[r.Reason], name)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		stamped[name] = tail
		whole := slices.Concat(b, tail.Bytes)
		if v := mustVerify(t, whole); !v.Valid || v.URL != testURL {
			t.Errorf("%s: %s", name, v.Sentence)
		}
		if err := readback.CheckContent(bytes.NewReader(whole), int64(len(whole)), readback.Place(tail.Place), testURL); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Logf("%d stamped, %d refused", len(stamped), len(files)-len(stamped))
	if os.Getenv("VECCTL_CORPUS") == "" {
		checkTable(t, refused)
	}
	checkWithTools(t, files, stamped)
}

// measured is one sealing within its bounds.
func measured(t *testing.T, name string, b []byte) (Update, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var tail Update
	var err error
	took := spent(func() { tail, err = NewStamper(testSigner()).Stamp(source(b), testMark()) })
	runtime.ReadMemStats(&after)
	if took > maxTime {
		t.Errorf("%s took %v", name, took)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > maxMemory {
		t.Errorf("%s took %d MB", name, used>>20)
	}
	return tail, err
}

var tableRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|.*\\| ([^|]+) \\| ([0-9]+) \\|$")

// checkTable holds REFUSALS.md true.
func checkTable(t *testing.T, refused map[Reason][]string) {
	t.Helper()
	page, err := os.ReadFile("REFUSALS.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[Reason]bool{}
	for _, m := range tableRow.FindAllStringSubmatch(string(page), -1) {
		reason := Reason(m[1])
		told[reason] = true
		if m[2] != reason.Remedy() {
			t.Errorf("REFUSALS.md tells another mend of %s: %q, not %q", reason, m[2], reason.Remedy())
		}
		if n := strconv.Itoa(len(refused[reason])); m[3] != n {
			t.Errorf("REFUSALS.md counts %s files of %s, and it is %s: %q", m[3], reason, n, refused[reason])
		}
	}
	for _, reason := range reject.Reasons() {
		if !told[reason] {
			t.Errorf("REFUSALS.md does not tell of %s", reason)
		}
	}
}

// checkWithTools asks other people's programs, of a fixed sample of the files
// or, with VECCTL_LONG=1, of all.
func checkWithTools(t *testing.T, files map[string][]byte, stamped map[string]Update) {
	for _, name := range []string{"qpdf", "pdfsig", "pdftoppm", "zbarimg"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Logf("%s is not installed: no checks with other programs", name)
			return
		}
	}
	names := slices.Sorted(maps.Keys(stamped))
	if os.Getenv("VECCTL_LONG") == "" {
		names = slices.DeleteFunc(names, func(name string) bool {
			h := fnv.New32()
			h.Write([]byte(name))
			return h.Sum32()%6 != 0
		})
	}
	dir := t.TempDir()
	var group sync.WaitGroup
	queue := make(chan string)
	for worker := range 2 {
		group.Go(func() {
			for name := range queue {
				for _, complaint := range complaints(t.Context(), filepath.Join(dir, strconv.Itoa(worker)), files[name], stamped[name]) {
					t.Errorf("%s: %s", name, complaint)
				}
			}
		})
	}
	for _, name := range names {
		queue <- name
	}
	close(queue)
	group.Wait()
	t.Logf("%d checked with qpdf, pdfsig, pdftoppm and zbarimg", len(names))
}

// complaints are what is worse about a stamped file than about its original.
func complaints(ctx context.Context, path string, original []byte, tail Update) (found []string) {
	complain := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	run := func(name string, args ...string) (int, string) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, name, args...)
		out, err := cmd.CombinedOutput()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return exit.ExitCode(), string(out)
		} else if err != nil {
			return -1, err.Error()
		}
		return 0, string(out)
	}
	whole := slices.Concat(original, tail.Bytes)
	before, after := path+"-before.pdf", path+"-after.pdf"
	if err := errors.Join(os.WriteFile(before, original, 0o600), os.WriteFile(after, whole, 0o600)); err != nil {
		return []string{err.Error()}
	}
	was, _ := run("qpdf", "--check", before)
	if is, out := run("qpdf", "--check", after); severity(is) > severity(was) {
		complain("qpdf --check ends with %d, and with %d before: %.400s", is, was, out)
	}
	_, earlier := run("pdfsig", "-nocert", before)
	_, out := run("pdfsig", "-nocert", after)
	blocks := strings.Split(out, "Signature #")[1:]
	if n := len(blocks); n == 0 || !strings.Contains(blocks[n-1], "Signature is Valid") || !strings.Contains(blocks[n-1], "Total document signed") {
		complain("pdfsig: %.600s", out)
	}
	if valid := "Signature is Valid"; strings.Count(out, valid) < strings.Count(earlier, valid)+1 {
		complain("pdfsig calls fewer of the earlier signatures valid: %.600s", out)
	}
	_, err := ReadBack(ctx, bytes.NewReader(whole), int64(len(whole)), tail.Place, testURL)
	if err != nil {
		if code, _ := run("pdftoppm", "-r", "20", "-f", "1", "-l", "1", before, path); code == 0 {
			complain("%v", err)
		}
	}
	return found
}

// severity orders qpdf's exit codes: 0 sound, 3 warnings, 2 errors.
func severity(code int) int {
	return map[int]int{0: 0, 3: 1}[code] + map[bool]int{true: 2}[code != 0 && code != 3]
}

// TestVerdictsOnOthers judges what other programs signed, and everything else of
// the corpus, which nobody signed.
func TestVerdictsOnOthers(t *testing.T) {
	const pyhanko = "internal_common-test-utils_src_pyhanko_testing_commons_test_data_data_pdf_"
	verdicts := map[string]struct {
		says  string
		valid bool
		count int // of intact signatures
	}{
		"test_pdfs_bug854315.pdf":                                     {`Valid: nothing in the document was changed since "Paul Frey (Qualified Signature)" signed it`, true, 1},
		pyhanko + "sig-with-ski-sid.pdf":                              {`since "Alice" signed it`, true, 1},
		pyhanko + "pades-with-old-style-signing-cert-attr-issser.pdf": {`since "Alice" signed it`, true, 1},
		pyhanko + "pades-lta-dss-indirect-arrs-test.pdf":              {`Valid: since "Alice" signed it`, true, 2},
		pyhanko + "coverage-anomalies_signature-gap-too-big.pdf":      {"Not valid: the signature leaves out bytes that it must cover.", false, 0},
	}
	met := 0
	for name, b := range corpus(t) {
		v := mustVerify(t, b)
		want, signed := verdicts[filepath.Base(name)]
		if !signed {
			if v.Valid || strings.HasPrefix(v.Sentence, "Valid") || len(v.Signatures) > 0 && v.Signatures[0].Intact {
				t.Errorf("%s: %s", name, v.Sentence)
			}
			continue
		}
		met++
		intact := 0
		for _, s := range v.Signatures {
			if s.Intact {
				intact++
			}
		}
		if v.Valid != want.valid || !strings.Contains(v.Sentence, want.says) || intact != want.count {
			t.Errorf("%s: %s (%d intact)", name, v.Sentence, intact)
		}
	}
	if met != len(verdicts) && os.Getenv("VECCTL_CORPUS") == "" {
		t.Errorf("of %d signed files, %d were met", len(verdicts), met)
	}
}

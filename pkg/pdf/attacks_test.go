package pdf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shared is a folder of inputs that are no part of this project. A test that needs
// one is left out where it is not there.
func shared(t testing.TB, names ...string) string {
	t.Helper()
	dir := filepath.Join(append([]string{"..", "..", "..", "shared"}, names...)...)
	if env := os.Getenv("VECCTL_SHARED"); env != "" {
		dir = filepath.Join(append([]string{env}, names...)...)
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not here; VECCTL_SHARED names another folder", filepath.Join(names...))
	}
	return dir
}

// otherwise are the files of which another verdict is right than their own project
// expects; docs/design/verify.md says why.
var otherwise = map[string]VerdictCode{
	"itext_eolNotIncludedIntoByteRange.pdf": VerdictChanged,
	"itext_noSignaturesDoc.pdf":             VerdictUnsigned,
	"dss_fieldmdp-exclude.pdf":              VerdictUnsigned,
}

// TestOthersExpectations judges documents with several revisions as their own projects
// do.
func TestOthersExpectations(t *testing.T) {
	dir := shared(t, "corpus", "attacks")
	table, err := os.ReadFile(filepath.Join(dir, "EXPECTED.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\S+\.pdf) \| ([^|]+) \|$`).FindAllStringSubmatch(string(table), -1)
	if len(rows) < 50 {
		t.Fatalf("%d files are expected something of", len(rows))
	}
	for _, row := range rows {
		t.Run(row[1], func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(dir, row[1]))
			if err != nil {
				t.Fatal(err)
			}
			v := mustVerify(t, b)
			var want []VerdictCode
			switch expected := row[2]; {
			case otherwise[row[1]] != "":
				want = []VerdictCode{otherwise[row[1]]}
			case expected == "allowed", expected == "sound", strings.HasPrefix(expected, "see pdfsig"):
				want = []VerdictCode{VerdictValid}
			case expected == "cannot be judged":
				want = []VerdictCode{VerdictUnreadable}
			default:
				want = []VerdictCode{VerdictChanged, VerdictForged}
			}
			for _, code := range want {
				if v.Code == code && v.Valid == (code == VerdictValid) {
					return
				}
			}
			t.Errorf("%s is expected, and it is %s: %s", row[2], v.Code, v.Sentence)
		})
	}
}

// TestSharedCases judges certificates of this program that somebody forged.
func TestSharedCases(t *testing.T) {
	dir := shared(t, "cases", "pdf")
	for name, says := range map[string]string{
		"resigned_over_forged_update.pdf": "the content of page 1 was changed",
		"20_update_content_replaced.pdf":  "the content of page 1 was changed",
	} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if v := mustVerify(t, b); v.Valid || v.Code != VerdictChanged || !strings.Contains(v.Sentence, says) {
			t.Errorf("%s: %s: %s", name, v.Code, v.Sentence)
		}
	}
}

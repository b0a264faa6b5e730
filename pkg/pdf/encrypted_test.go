package pdf

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/readback"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// encrypted has qpdf encrypt a document that has strings to move: an inherited
// resource, a form within the catalog.
func encrypted(t *testing.T, objectStreams string, args ...string) []byte {
	t.Helper()
	o := plainObjects().with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[]/DA(/Helv 0 Tf)>>/Lang(en)>>").
		with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>/Properties<</P<</T(secret)>>>>>>/Contents 4 0 R>>")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	write(t, in, o.table(""))
	mustTool(t, nil, "qpdf", slices.Concat([]string{"--allow-weak-crypto", "--static-id", "--object-streams=" + objectStreams, "--encrypt"}, args, []string{"--", in, out})...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var ciphers = map[string][]string{
	"RC4 40":     {"40"},
	"RC4 128":    {"128", "--use-aes=n"},
	"RC4 128 V4": {"128", "--force-V4", "--use-aes=n"},
	"AES 128":    {"128", "--use-aes=y"},
	"plain XMP":  {"128", "--use-aes=y", "--cleartext-metadata"},
	"AES 256 R5": {"256", "--force-R5"},
	"AES 256":    {"256"},
}

func TestEncrypted(t *testing.T) {
	for name, cipher := range ciphers {
		for _, objects := range []string{"disable", "generate"} {
			if objects == "generate" && strings.HasPrefix(name, "RC4 40") {
				continue // qpdf makes no object streams for it
			}
			t.Run(name+" "+objects, func(t *testing.T) {
				file := encrypted(t, objects, append([]string{"", "owner"}, cipher...)...)
				tail, err := NewStamper(testSigner()).Stamp(source(file), testMark())
				if err != nil {
					t.Fatal(err)
				}
				whole := slices.Concat(file, tail.Bytes)
				if v := mustVerify(t, whole); !v.Valid || v.URL != testURL || v.ReferenceID != testCaption {
					t.Errorf("%+v", v)
				}
				if bytes.Contains(tail.Bytes, []byte(testURL)) {
					t.Error("the link stands in the tail in plain text")
				}
				if readback.CanRender() {
					for _, complaint := range complaints(t.Context(), filepath.Join(t.TempDir(), "x"), file, tail) {
						t.Error(complaint)
					}
				}
				// What was moved to other objects reads as before.
				path := filepath.Join(t.TempDir(), "whole.pdf")
				write(t, path, whole)
				plain := mustTool(t, nil, "qpdf", "--decrypt", "--qdf", "--object-streams=disable", path, "-")
				for _, text := range []string{"(secret)", "(/Helv 0 Tf)", "(en)", "(" + testURL + ")", "(VEC signature"} {
					if !bytes.Contains(plain, []byte(text)) {
						t.Errorf("decrypted, the document does not have %s", text)
					}
				}
			})
		}
	}
}

func TestPasswordsAndPermissions(t *testing.T) {
	for name, cipher := range ciphers {
		forbid := "--modify=none"
		if name == "RC4 40" {
			forbid = "--modify=n"
		}
		t.Run(name, func(t *testing.T) {
			reason := func(file []byte, opts ...StamperOption) Reason {
				tail, err := NewStamper(testSigner(), opts...).Stamp(source(file), testMark())
				if err == nil {
					if v := mustVerify(t, slices.Concat(file, tail.Bytes)); !v.Valid {
						t.Error(v.Sentence)
					}
					return ""
				}
				r, ok := errors.AsType[*Rejection](err)
				if !ok {
					t.Fatal(err)
				}
				return r.Reason
			}
			if got := reason(encrypted(t, "preserve", append([]string{"user", "owner"}, cipher...)...)); got != reject.Encrypted {
				t.Errorf("with a user password: %q", got)
			}
			restricted := encrypted(t, "preserve", append(append([]string{"", "owner"}, cipher...), forbid)...)
			if got := reason(restricted); got != reject.NotPermitted {
				t.Errorf("without the permission: %q", got)
			}
			if _, err := Inspect(bytes.NewReader(restricted), int64(len(restricted))); err == nil {
				t.Error("without the permission, Inspect takes it")
			}
			info, err := NewStamper(testSigner(), WithRestricted()).Inspect(bytes.NewReader(restricted), int64(len(restricted)))
			if err != nil || !info.Encrypted || info.Signed || info.Pages != 1 || int(info.WidthMM) != 209 {
				t.Errorf("without the permission, and allowed: %+v, %v", info, err)
			}
			if got := reason(restricted, WithRestricted()); got != "" {
				t.Errorf("without the permission, and allowed: %q", got)
			}
			open := append([]string{"user", ""}, cipher...)
			if strings.HasPrefix(name, "AES 256") {
				open = append(open, "--allow-insecure")
			}
			// The older ciphers take the user's password for an owner's that is empty.
			want := Reason("")
			if !strings.HasPrefix(name, "AES 256") {
				want = reject.Encrypted
			}
			if got := reason(encrypted(t, "preserve", append(open, forbid)...)); got != want {
				t.Errorf("with an empty owner password: %q, want %q", got, want)
			}
		})
	}
}

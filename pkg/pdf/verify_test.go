package pdf

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/object"
)

func mustVerify(t testing.TB, b []byte) Verdict {
	t.Helper()
	v, err := Verify(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	return v
}

func TestVerdicts(t *testing.T) {
	original := plainObjects().table("")
	good := sealed(t, original)
	for _, tt := range []struct {
		name  string
		file  []byte
		valid bool
		says  string
	}{
		{"untouched", good, true, `Valid: nothing in the document was changed since "Spring College" signed it on 1 April 2026 at 12:00 UTC.`},
		{"cross-reference stream", sealed(t, plainObjects().streamed(1, 2, 3, 5)), true, "Valid: "},
		{"altered in the original", bytes.Replace(good, []byte("(Certificate)"), []byte("(certificate)"), 1), false,
			`Not valid: the file was altered after "Spring College" signed it`},
		{"altered in the tail", bytes.Replace(good, []byte("VECD_URL("), []byte("VECD_URX("), 1), false, "Not valid: the file was altered after"},
		{"a byte appended", append(slices.Clone(good), '\n'), false, "Not valid: a byte was added to the file after"},
		{"an update appended", updated(good, bytes.LastIndex(good, []byte("\nxref\n"))+1, 20,
			objects{4: stream("", "BT /F1 24 Tf 72 760 Td (Forged) Tj ET")}), false, "does not allow: the content of page 1 was changed."},
		{"cut off", good[:len(good)-40], false, "Not valid: "},
		{"unsigned", original, false, "Not signed: the file is a PDF without a signature."},
		{"the form lost", bytes.Replace(good, []byte("/AcroForm"), []byte("/AcroFont"), 1), false, "remains of a signature"},
		{"an image", []byte("\x89PNG\r\n\x1A\n0000"), false, "Not signed: the file is not a PDF."},
		{"empty", nil, false, "Not signed: the file is not a PDF."},
		{"damaged", []byte("%PDF-1.4\nnothing here\n%%EOF"), false, "Not signed, and damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := mustVerify(t, tt.file)
			if v.Valid != tt.valid || !strings.Contains(v.Sentence, tt.says) {
				t.Errorf("valid %v: %s\nwant valid %v: %s", v.Valid, v.Sentence, tt.valid, tt.says)
			}
		})
	}
}

func TestVerdictDetails(t *testing.T) {
	v := mustVerify(t, sealed(t, plainObjects().table("")))
	if v.ReferenceID != testCaption || v.URL != testURL || len(v.Signatures) != 1 {
		t.Fatalf("verdict %+v", v)
	}
	s := v.Signatures[0]
	if s.SignedBy != "Spring College" || s.Issuer != "Spring College" || !s.SelfSigned || !s.SignedAt.Equal(testTime) ||
		s.Certifies != 2 || !s.Intact || !s.CoversWholeFile || s.Problem != "" || len(s.Fingerprint) != 64 ||
		!strings.HasPrefix(s.Field, "VEC signature") {
		t.Errorf("signature %+v", s)
	}
}

func TestVerifySecondSignature(t *testing.T) {
	twice := sealed(t, sealed(t, plainObjects().table("")))
	v := mustVerify(t, twice)
	if !v.Valid || len(v.Signatures) != 2 {
		t.Fatalf("verdict %+v", v)
	}
	first, second := v.Signatures[0], v.Signatures[1]
	if !first.Intact || first.CoversWholeFile || !second.Intact || !second.CoversWholeFile {
		t.Errorf("signatures %+v", v.Signatures)
	}
	// What breaks the first one breaks the second as well.
	if v := mustVerify(t, bytes.Replace(twice, []byte("(Certificate)"), []byte("(certificate)"), 1)); v.Valid || v.Signatures[0].Intact {
		t.Errorf("altered: %+v", v)
	}
}

// TestNoByteCanChange flips bits all over verified documents.
func TestNoByteCanChange(t *testing.T) {
	for name, original := range map[string][]byte{"table": plainObjects().table(""), "stream": plainObjects().streamed(1, 2, 3, 5)} {
		t.Run(name, func(t *testing.T) {
			good := sealed(t, original)
			random := rand.New(rand.NewPCG(1, 2))
			b := slices.Clone(good)
			for i := range b {
				// All of the signature's envelope, and a part of the rest.
				if bytes.IndexByte([]byte("0123456789abcdef<>"), b[i]) < 0 && random.IntN(2) > 0 {
					continue
				}
				b[i] ^= 1 << random.IntN(8)
				if v := mustVerify(t, b); v.Valid {
					t.Fatalf("byte %d changed from %q to %q, and it is still %s", i, good[i], b[i], v.Sentence)
				}
				b[i] = good[i]
			}
			if !mustVerify(t, b).Valid {
				t.Fatal("the document is not as it was")
			}
		})
	}
}

// signedByOthers makes a signed PDF as another program would: sign gives the CMS over
// the bytes of both ranges.
func signedByOthers(t *testing.T, subFilter string, signedAt time.Time, sign func(content []byte) []byte) []byte {
	t.Helper()
	const room = 16384
	o := plainObjects()
	o[1] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[6 0 R]>>>>"
	o[6] = "<</Type/Annot/Subtype/Widget/FT/Sig/T(Sig)/V 7 0 R/Rect[0 0 0 0]/P 3 0 R>>"
	o[7] = "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/" + subFilter + "/ByteRange[0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC]/Contents<" +
		strings.Repeat("0", room) + ">/M(" + object.Date(signedAt.Format("20060102150405")) + ")>>"
	b := o.table("")
	gap := bytes.Index(b, []byte("/Contents<")) + len("/Contents")
	behind := gap + room + 2
	for mark, n := range map[string]int{"AAAAAAAAAA": gap, "BBBBBBBBBB": behind, "CCCCCCCCCC": len(b) - behind} {
		b = bytes.Replace(b, []byte(mark), fmt.Appendf(nil, "%-10d", n), 1)
	}
	cms := sign(slices.Concat(b[:gap], b[behind:]))
	copy(b[gap+1:], fmt.Appendf(nil, "%X", cms))
	return b
}

// tool runs a program that the machine may not have.
func tool(t testing.TB, input []byte, name string, args ...string) ([]byte, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdin = bytes.NewReader(input)
	return cmd.CombinedOutput()
}

func mustTool(t testing.TB, input []byte, name string, args ...string) []byte {
	t.Helper()
	out, err := tool(t, input, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func TestVerifyOpenSSL(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	newKey := func(name string, algorithm ...string) {
		mustTool(t, nil, "openssl", append([]string{"req", "-x509", "-nodes", "-days", "3650", "-subj", "/CN=" + name,
			"-keyout", path(name + ".key"), "-out", path(name + ".crt"), "-newkey"}, algorithm...)...)
	}
	newKey("rsa", "rsa:2048")
	newKey("p384", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1")
	newKey("p256", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
	for _, tt := range []struct {
		name, key, filter string
		args              []string
		says              string // of what is not valid
	}{
		{"RSA", "rsa", "adbe.pkcs7.detached", []string{"-md", "sha256"}, ""},
		{"RSA, SHA-512", "rsa", "adbe.pkcs7.detached", []string{"-md", "sha512"}, ""},
		{"RSA-PSS", "rsa", "adbe.pkcs7.detached", []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss"}, ""},
		{"P-256", "p256", "adbe.pkcs7.detached", []string{"-md", "sha256"}, ""},
		{"P-384", "p384", "adbe.pkcs7.detached", []string{"-md", "sha384"}, ""},
		{"PAdES", "p256", "ETSI.CAdES.detached", []string{"-md", "sha256", "-cades"}, ""},
		{"by key identifier", "p256", "adbe.pkcs7.detached", []string{"-md", "sha256", "-keyid"}, ""},
		{"in BER", "rsa", "adbe.pkcs7.detached", []string{"-md", "sha256", "-stream"}, ""},
		{"without attributes", "rsa", "adbe.pkcs7.detached", []string{"-md", "sha256", "-noattr"}, ""},
		{"PAdES without its attribute", "p256", "ETSI.CAdES.detached", []string{"-md", "sha256"}, "does not name its certificate"},
		{"SHA-1", "rsa", "adbe.pkcs7.detached", []string{"-md", "sha1"}, "rests on SHA-1"},
		{"without its certificate", "rsa", "adbe.pkcs7.detached", []string{"-md", "sha256", "-nocerts"}, "certificate is not in the signature"},
		{"an unknown kind", "rsa", "adbe.x509.rsa_sha1", []string{"-md", "sha256"}, "of a kind that is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"cms", "-sign", "-binary", "-outform", "DER", "-inkey", path(tt.key + ".key"),
				"-signer", path(tt.key + ".crt"), "-out", path("cms")}, tt.args...)
			now := time.Now().UTC().Truncate(time.Second)
			file := signedByOthers(t, tt.filter, now, func(content []byte) []byte {
				mustTool(t, content, "openssl", args...)
				der, err := os.ReadFile(path("cms"))
				if err != nil {
					t.Fatal(err)
				}
				return der
			})
			v := mustVerify(t, file)
			if v.Valid != (tt.says == "") || !strings.Contains(v.Sentence, tt.says) {
				t.Fatalf("%s (%+v)", v.Sentence, v.Signatures)
			}
			if !v.Valid {
				return
			}
			if s := v.Signatures[0]; s.SignedBy != tt.key || !s.SignedAt.Equal(now) {
				t.Errorf("signature %+v", s)
			}
			altered := bytes.Replace(file, []byte("(Certificate)"), []byte("(certificate)"), 1)
			if v := mustVerify(t, altered); v.Valid || tt.name != "without attributes" && !strings.Contains(v.Sentence, "was altered after") {
				t.Errorf("altered: %s", v.Sentence)
			}
		})
	}
}

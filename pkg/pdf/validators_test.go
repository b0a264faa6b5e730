package pdf

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
)

// TestOtherValidators has other programs read files of each level: a chain of root, intermediate
// and leaf, with RSA, which iText 5 can read.
func TestOtherValidators(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	clock := NewTimestamper(http.DefaultClient, time.Now, nil, a.TimestampURL())
	p := NewPreserver(clock)
	original := plainObjects().table("")
	u, err := NewStamper(authoritySigner(t, a, true), WithTimestamps(clock)).Stamp(source(original), testMarkNow())
	if err != nil || u.TimestampError != nil {
		t.Fatal(err, u.TimestampError)
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	var roots bytes.Buffer
	for _, c := range [][]byte{a.Root.Raw, a.Middle.Raw} {
		if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: c}); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path("roots.pem"), roots.Bytes())
	stamped := slices.Concat(original, u.Bytes)
	lta := extended(t, p, a, stamped, true)
	files := []struct {
		name  string
		body  []byte
		stamp int // document time stamps
	}{{"t.pdf", stamped, 0}, {"lt.pdf", extended(t, p, a, stamped, false), 0}, {"lta.pdf", lta, 1}, {"renewed.pdf", extended(t, p, a, lta, true), 2}}
	for _, f := range files {
		write(t, path(f.name), f.body)
	}
	t.Run("pdfsig", func(t *testing.T) {
		for _, f := range files {
			out := mustTool(t, nil, "pdfsig", "-nocert", path(f.name))
			if n := strings.Count(string(out), "Signature Validation: Signature is Valid."); n != 1 || strings.Count(string(out), "Signature #") != 1+f.stamp {
				t.Errorf("%s: %s", f.name, out)
			}
		}
	})
	t.Run("mutool", func(t *testing.T) {
		for _, f := range files {
			out, err := tool(t, nil, "mutool", "sign", "-v", path(f.name))
			if err != nil || strings.Count(string(out), "The signature is valid")+strings.Count(string(out), "The document is unchanged since signing") != 1 {
				t.Errorf("%s: %v, %s", f.name, err, out)
			}
			mustTool(t, nil, "mutool", "info", path(f.name))
		}
	})
	t.Run("openssl", func(t *testing.T) { checkWithOpenSSL(t, path, lta) })
	t.Run("iText", func(t *testing.T) {
		if os.Getenv("VECCTL_LONG") == "" {
			t.Skip("a Java machine takes seconds; VECCTL_LONG asks for it")
		}
		jars := []string{"/usr/share/java/itext5.jar", "/usr/share/java/bcprov.jar", "/usr/share/java/bcpkix.jar", "/usr/share/java/bcutil.jar"}
		for _, jar := range jars {
			if _, err := os.Stat(jar); err != nil {
				t.Skip("libitext5-java is not installed")
			}
		}
		classes := strings.Join(append(jars, dir), ":")
		mustTool(t, nil, "javac", "-cp", classes, "-d", dir, "testdata/itext/Check.java")
		args := []string{"-cp", classes, "Check"}
		for _, f := range files {
			args = append(args, path(f.name))
		}
		all := strings.Split(string(mustTool(t, nil, "java", args...)), "file ")
		for i, f := range files {
			out := all[i+1]
			if strings.Count(out, "tsp=false valid=true stamped=true") != 1 || strings.Count(out, "tsp=true valid=true") != f.stamp || strings.Contains(out, "valid=false") {
				t.Errorf("%s: %s", f.name, out)
			}
			if f.name != "t.pdf" && !strings.Contains(out, "dss certs=") {
				t.Errorf("%s: no store is found: %s", f.name, out)
			}
		}
	})
}

// checkWithOpenSSL has openssl check the signature and the time stamps of a file.
func checkWithOpenSSL(t *testing.T, path func(string) string, file []byte) {
	t.Helper()
	n := 0
	for at := 0; ; n++ {
		i := bytes.Index(file[at:], []byte("/ByteRange[0 "))
		if i < 0 {
			break
		}
		at += i + 1
		v := mustVerify(t, file).Signatures[n]
		der, covered := signatureAt(t, file, at-1)
		write(t, path("covered"), covered)
		if v.IsTimestamp {
			write(t, path("token"), der)
			mustTool(t, nil, "openssl", "ts", "-verify", "-data", path("covered"), "-in", path("token"), "-token_in", "-CAfile", path("roots.pem"))
			continue
		}
		write(t, path("cms"), der)
		mustTool(t, nil, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", path("cms"), "-content", path("covered"), "-CAfile", path("roots.pem"), "-purpose", "any", "-out", os.DevNull)
		digest, token := innerTimestamp(t, der)
		write(t, path("token"), token)
		mustTool(t, nil, "openssl", "ts", "-verify", "-digest", digest, "-in", path("token"), "-token_in", "-CAfile", path("roots.pem"))
	}
	if n != 2 {
		t.Errorf("%d signatures were checked", n)
	}
}

// signatureAt returns the signature whose ByteRange stands at a place, and what it covers.
func signatureAt(t *testing.T, file []byte, at int) (der, covered []byte) {
	t.Helper()
	var gap, behind, rest int
	if _, err := fmt.Sscanf(string(file[at:at+60]), "/ByteRange[0 %d %d %d", &gap, &behind, &rest); err != nil {
		t.Fatal(err)
	}
	der, err := hex.DecodeString(string(file[gap+1 : behind-1]))
	if err != nil {
		t.Fatal(err)
	}
	in := cryptobyte.String(der)
	var element cryptobyte.String
	if !in.ReadASN1Element(&element, tags.SEQUENCE) {
		t.Fatal("no signature")
	}
	return element, slices.Concat(file[:gap], file[behind:behind+rest])
}

// innerTimestamp returns the time stamp in a signature, and the digest of what it is of.
func innerTimestamp(t *testing.T, der []byte) (digest string, token []byte) {
	t.Helper()
	_, err := cms.AddTimestamp(der, func(d [32]byte) ([]byte, error) {
		digest = hex.EncodeToString(d[:])
		return []byte{0x30, 0}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	oid := []byte{6, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 14}
	in := cryptobyte.String(der[bytes.Index(der, oid)+len(oid):])
	var set cryptobyte.String
	if !in.ReadASN1(&set, tags.SET) {
		t.Fatal("no time stamp")
	}
	return digest, set
}

//go:build linux || darwin

package main

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// asHelper makes the test program the helper itself.
const asHelper = "VECCTL_PKCS11_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(asHelper) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// modules are where distributions put SoftHSM.
var modules = []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/libsofthsm2.so",
	"/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"}

// hsm is a SoftHSM with tokens of its own.
type hsm struct {
	*testing.T
	dir, module string
}

func newHSM(t *testing.T) hsm {
	t.Helper()
	h := hsm{T: t, dir: t.TempDir()}
	for _, path := range modules {
		if _, err := os.Stat(path); err == nil {
			h.module = path
		}
	}
	if _, err := exec.LookPath("softhsm2-util"); err != nil || h.module == "" {
		t.Skip("SoftHSM is not installed (Debian: softhsm2)")
	}
	must(t, os.Mkdir(filepath.Join(h.dir, "tokens"), 0o700))
	must(t, os.WriteFile(filepath.Join(h.dir, "conf"), fmt.Appendf(nil, "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", h.dir), 0o600))
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h hsm) environ() []string {
	return append(os.Environ(), "SOFTHSM2_CONF="+filepath.Join(h.dir, "conf"))
}

func (h hsm) util(program string, args ...string) {
	h.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = h.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		h.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}

// token makes a token.
func (h hsm) token(label string) {
	h.Helper()
	h.util("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", "1234", "--so-pin", "5678")
}

// key puts a key on a token; the file of its certificate is the result.
func (h hsm) key(token, label, id string, key crypto.Signer) (certificates string) {
	h.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(h.T, err)
	path := filepath.Join(h.dir, label+id+".pem")
	must(h.T, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	h.util("softhsm2-util", "--import", path, "--token", token, "--label", label, "--id", id, "--pin", "1234")
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: label}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(h.T, err)
	certificates = filepath.Join(h.dir, label+id+".crt")
	must(h.T, os.WriteFile(certificates, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return certificates
}

// helper is the program at work.
type helper struct {
	hsm
	in     io.WriteCloser
	out    *bufio.Scanner
	lastID int64
}

func (h hsm) start(args ...string) *helper {
	h.Helper()
	program, err := os.Executable()
	must(h.T, err)
	cmd := exec.Command(program, append([]string{"--module", h.module}, args...)...)
	cmd.Env, cmd.Stderr = append(h.environ(), asHelper+"=1"), os.Stderr
	in, err := cmd.StdinPipe()
	must(h.T, err)
	out, err := cmd.StdoutPipe()
	must(h.T, err)
	must(h.T, cmd.Start())
	h.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			h.Error(err)
		}
	})
	p := &helper{hsm: h, in: in, out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 1<<20)
	return p
}

func (p *helper) ask(q request) answer {
	p.Helper()
	p.lastID++
	q.ID = p.lastID
	line, err := json.Marshal(q)
	must(p.T, err)
	_, err = p.in.Write(append(line, '\n'))
	must(p.T, err)
	if !p.out.Scan() {
		p.Fatalf("no answer to %+v: %v", q, p.out.Err())
	}
	var a answer
	must(p.T, json.Unmarshal(p.out.Bytes(), &a))
	if a.ID != q.ID {
		p.Errorf("answer %d to request %d", a.ID, q.ID)
	}
	return a
}

// refuses wants a token not to open, with words and a code.
func (h hsm) refuses(pin, words, code string, args ...string) {
	h.Helper()
	if a := h.start(args...).ask(request{Op: "open", Protocol: 1, PIN: pin}); !strings.Contains(a.Error, words) || a.Code != code {
		h.Errorf("%v: opened with %+v, want %q", args, a, words)
	}
}

func digests(n int) [][]byte {
	var all [][]byte
	for i := range n {
		d := sha256.Sum256([]byte{byte(i)})
		all = append(all, d[:])
	}
	return all
}

func TestSigning(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	private, err := rsa.GenerateKey(rand.Reader, 3072)
	must(t, err)
	for _, test := range []struct {
		name, algorithm, other string
		key                    crypto.Signer
		valid                  func(digest, signature []byte) bool
	}{
		{"P-256", "ecdsa-sha256", "rsa-pkcs1-sha256", ec, func(d, s []byte) bool { return ecdsa.VerifyASN1(&ec.PublicKey, d, s) }},
		{"RSA", "rsa-pkcs1-sha256", "ecdsa-sha256", private, func(d, s []byte) bool {
			return rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, d, s) == nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHSM(t)
			h.token("seals")
			file := h.key("seals", "university", "0a", test.key)
			p := h.start("--certificates", file)
			if a := p.ask(request{Op: "sign", Digests: digests(1)}); a.Error == "" {
				t.Error("signs before it is open")
			}
			if a := p.ask(request{Op: "open", Protocol: 1, PIN: "1234"}); a.Error != "" || a.Protocol != 1 {
				t.Fatalf("%+v", a)
			}
			a := p.ask(request{Op: "certificates"})
			if len(a.Certificates) != 1 {
				t.Fatalf("%+v", a)
			}
			if c, err := x509.ParseCertificate(a.Certificates[0]); err != nil || c.Subject.CommonName != "university" {
				t.Error(err)
			}
			many := digests(100)
			a = p.ask(request{Op: "sign", Algorithm: test.algorithm, Digests: many})
			if len(a.Signatures) != len(many) {
				t.Fatalf("%d signatures, %s", len(a.Signatures), a.Error)
			}
			for i, s := range a.Signatures {
				if !test.valid(many[i], s) {
					t.Fatalf("signature %d is not valid", i)
				}
			}
			for words, q := range map[string]request{
				"does not sign with": {Op: "sign", Algorithm: test.other, Digests: digests(1)},
				"has 3 bytes":        {Op: "sign", Algorithm: test.algorithm, Digests: [][]byte{{1, 2, 3}}},
				"no request":         {Op: "encrypt"},
			} {
				if a := p.ask(q); !strings.Contains(a.Error, words) {
					t.Errorf("%+v: %+v", q, a)
				}
			}
			var rate strings.Builder
			cmd := exec.Command(os.Args[0], "--module", h.module, "--measure", "100ms")
			cmd.Env, cmd.Stdin, cmd.Stdout = append(h.environ(), asHelper+"=1"), strings.NewReader("1234\n"), &rate
			must(t, cmd.Run())
			if n, err := strconv.ParseFloat(strings.TrimSpace(rate.String()), 64); err != nil || n <= 1 {
				t.Errorf("measured %q", rate.String())
			}
			h.refuses("4321", "CKR_PIN_INCORRECT", "pin")
			h.refuses("", "for which no PIN is set: CKR_", "")
		})
	}
}

func TestChoosingATokenAndAKey(t *testing.T) {
	t.Parallel()
	h := newHSM(t)
	h.refuses("1234", "CKR_TOKEN_NOT_PRESENT", "")
	h.token("one")
	h.refuses("1234", "no private key that signs", "")
	h.token("two")
	first, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	second, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	h.key("one", "law", "01", first)
	h.key("two", "medicine", "02", first)
	file := h.key("two", "arts", "03", second)
	h.refuses("1234", "several tokens fit; there are \"", "")
	h.refuses("1234", "the token \"three\" is not present", "", "--token", "three")
	h.refuses("1234", "several keys fit", "", "--token", "two")
	h.refuses("1234", "no such key; it has", "", "--token", "two", "--key", "law")
	h.refuses("1234", "not hexadecimal", "", "--token", "two", "--id", "xy")
	for _, args := range [][]string{{"--token", "one"}, {"--token", "two", "--key", "medicine"}, {"--token", "two", "--id", "02"}} {
		p := h.start(args...)
		if a := p.ask(request{Op: "open", Protocol: 1, PIN: "1234"}); a.Error != "" {
			t.Errorf("%v: %+v", args, a)
			continue
		}
		a := p.ask(request{Op: "sign", Algorithm: "ecdsa-sha256", Digests: digests(1)})
		if len(a.Signatures) != 1 || !ecdsa.VerifyASN1(&first.PublicKey, digests(1)[0], a.Signatures[0]) {
			t.Errorf("%v: %+v", args, a)
		}
		if a := p.ask(request{Op: "certificates"}); !strings.Contains(a.Error, "no certificate with the key's ID") {
			t.Errorf("%+v", a)
		}
	}
	p := h.start("--token", "two", "--key", "arts", "--certificates", file+".gone")
	p.ask(request{Op: "open", Protocol: 1, PIN: "1234"})
	if a := p.ask(request{Op: "certificates"}); !strings.Contains(a.Error, "no such file") {
		t.Errorf("%+v", a)
	}
}

// A certificate on the token is found by the key's ID, with its chain and without those of other keys.
func TestCertificatesOnTheToken(t *testing.T) {
	t.Parallel()
	h := newHSM(t)
	if _, err := exec.LookPath("pkcs11-tool"); err != nil {
		t.Skip("pkcs11-tool is not installed (Debian: opensc)")
	}
	h.token("seals")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	for _, one := range []struct{ label, id string }{{"other", "01"}, {"university", "02"}} {
		der := filepath.Join(h.dir, one.label+".der")
		text, err := os.ReadFile(h.key("seals", one.label, one.id, key))
		must(t, err)
		block, _ := pem.Decode(text)
		must(t, os.WriteFile(der, block.Bytes, 0o600))
		h.util("pkcs11-tool", "--module", h.module, "--token-label", "seals", "--login", "--pin", "1234", "--write-object", der, "--type", "cert", "--id", one.id, "--label", one.label)
	}
	p := h.start("--key", "university")
	if a := p.ask(request{Op: "open", Protocol: 1, PIN: "1234"}); a.Error != "" {
		t.Fatal(a.Error)
	}
	a := p.ask(request{Op: "certificates"})
	if len(a.Certificates) != 1 {
		t.Fatalf("%+v", a)
	}
	if c, err := x509.ParseCertificate(a.Certificates[0]); err != nil || c.Subject.CommonName != "university" {
		t.Error(err)
	}
}

// A token that is taken away is said, by a program at work or by the next one.
func TestATokenThatIsTakenAway(t *testing.T) {
	t.Parallel()
	h := newHSM(t)
	h.token("seals")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	h.key("seals", "university", "01", key)
	p := h.start("--token", "seals")
	if a := p.ask(request{Op: "open", Protocol: 1, PIN: "1234"}); a.Error != "" {
		t.Fatal(a.Error)
	}
	tokens := filepath.Join(h.dir, "tokens")
	must(t, os.Rename(tokens, tokens+".away"))
	must(t, os.Mkdir(tokens, 0o700))
	if a := p.ask(request{Op: "sign", Algorithm: "ecdsa-sha256", Digests: digests(1)}); a.Error == "" {
		// SoftHSM keeps keys in memory; what it signs is then valid.
		if len(a.Signatures) != 1 || !ecdsa.VerifyASN1(&key.PublicKey, digests(1)[0], a.Signatures[0]) {
			t.Errorf("%+v", a)
		}
	} else if !strings.Contains(a.Error, "CKR_") {
		t.Errorf("%+v", a)
	}
	h.refuses("1234", "is not present", "", "--token", "seals")
	must(t, os.Remove(tokens))
	must(t, os.Rename(tokens+".away", tokens))
	if a := h.start("--token", "seals").ask(request{Op: "open", Protocol: 1, PIN: "1234"}); a.Error != "" {
		t.Errorf("a token that is back: %+v", a)
	}
}

func TestModulesThatAreNone(t *testing.T) {
	t.Parallel()
	h := newHSM(t)
	for path, words := range map[string]string{"/nowhere/module.so": "cannot be loaded", "/usr/lib/x86_64-linux-gnu/libz.so.1": "is no PKCS#11 module"} {
		if _, err := os.Stat(path); err != nil && words != "cannot be loaded" {
			continue
		}
		other := h
		other.module = path
		other.refuses("1234", words, "")
	}
	for _, args := range [][]string{{}, {"--module", "x", "word"}, {"--module", "x", "--sessions", "0"}, {"--nothing"}} {
		if err := run(args, strings.NewReader(""), io.Discard, io.Discard); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

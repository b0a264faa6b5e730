package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/signer"
)

// benchSigners measures what each kind of key costs, and signing through the helper for PKCS#11 tokens
// against calling the token in process.
func benchSigners(s setup, t *table) error {
	if err := benchKeyKinds(s, t); err != nil {
		return err
	}
	dir := filepath.Join(s.dir, "softhsm")
	h, err := newSoftHSM(s, dir)
	if err != nil {
		return err
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	rsa3072, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		return err
	}
	for name, key := range map[string]crypto.Signer{"P-256": p256, "RSA-3072": rsa3072} {
		if err := h.compare(s, t, name, key); err != nil {
			return err
		}
	}
	return nil
}

// benchKeyKinds stamps and signs a small document with a key of each kind in a file.
func benchKeyKinds(s setup, t *table) error {
	small := newOriginal(1, stampSmall)
	var all []contender
	kinds, sizes := []pdf.KeyAlgorithm{"P-256", "P-384", "RSA-3072"}, map[pdf.KeyAlgorithm]int{}
	for _, kind := range kinds {
		key, cert, err := pdf.NewKey(rand.Reader, kind, "Example University", time.Now(), 1)
		if err != nil {
			return err
		}
		own, err := pdf.LoadSigner(key, cert)
		if err != nil {
			return err
		}
		stamper := pdf.NewStamper(own)
		update, err := stamper.Stamp(pdf.Source{R: bytes.NewReader(small.body), Size: int64(len(small.body)), HashState: small.state}, pdf.Stamp{URL: link, Caption: "VEC", SignedAt: time.Now()})
		if err != nil {
			return err
		}
		sizes[kind] = len(update.Bytes)
		all = append(all, contender{200, func() error { return small.seal(stamper) }})
	}
	took, err := interleaved(s.shortRounds(), all...)
	if err != nil {
		return err
	}
	for i, kind := range kinds {
		t.told(fmt.Sprintf("stamp and sign 50 KB with a key file of the kind %s", kind), took[i], millis)
		t.told("   bytes that it adds to the document", once(float64(sizes[kind])), plain)
	}
	return nil
}

// softHSM is a token in software, and the helper that signs with it.
type softHSM struct {
	dir, helper, module string
	environ             []string
}

const tokenPIN = "1234"

func newSoftHSM(s setup, dir string) (softHSM, error) {
	h := softHSM{dir: dir, helper: filepath.Join(dir, "vecctl-pkcs11"), module: "/usr/lib/softhsm/libsofthsm2.so"}
	if _, err := command("softhsm2-util", "softhsm2"); err != nil {
		return h, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "tokens"), 0o700); err != nil {
		return h, err
	}
	build := exec.Command("go", "build", "-C", filepath.Join(s.root, "cmd", "vecctl-pkcs11"), "-o", h.helper, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return h, fmt.Errorf("building the helper: %w: %s", err, out)
	}
	conf := filepath.Join(dir, "conf")
	h.environ = append(os.Environ(), "SOFTHSM2_CONF="+conf)
	return h, os.WriteFile(conf, []byte("directories.tokendir = "+filepath.Join(dir, "tokens")+"\n"), 0o600)
}

func (h softHSM) util(args ...string) error {
	cmd := exec.Command("softhsm2-util", args...)
	cmd.Env = h.environ
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("softhsm2-util: %w: %s", err, out)
	}
	return nil
}

// put makes a token with a key, and returns the key's certificate.
func (h softHSM) put(token string, key crypto.Signer) (*x509.Certificate, error) {
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(h.dir, token+".pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		return nil, err
	}
	if err := h.util("--init-token", "--free", "--label", token, "--pin", tokenPIN, "--so-pin", "5678"); err != nil {
		return nil, err
	}
	if err := h.util("--import", path, "--token", token, "--label", "seal", "--id", "01", "--pin", tokenPIN); err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: token}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// compare signs through the helper, as batches do, and in one process with the token.
func (h softHSM) compare(s setup, t *table, kind string, key crypto.Signer) error {
	cert, err := h.put(kind, key)
	if err != nil {
		return err
	}
	r := signer.Record{Location: fmt.Sprintf("exec:%s --module %s --token %s", h.helper, h.module, kind)}
	o := signer.Opener{Timeout: 20 * time.Second, Environ: h.environ, PIN: signer.Secret{Value: tokenPIN}}
	own, err := o.Open(r)
	if err != nil {
		return err
	}
	remote, err := signer.NewKey(context.Background(), r.Location, own, cert, o.Timeout)
	if err != nil {
		return err
	}
	defer remote.Close()
	const d = 2 * time.Second
	if _, err := signingRate(remote, d/10); err != nil {
		return err
	}
	var through, direct []float64
	for range s.shortRounds() {
		rate, err := signingRate(remote, d)
		if err != nil {
			return err
		}
		through = append(through, rate)
		if rate, err = h.directRate(kind, d); err != nil {
			return err
		}
		direct = append(direct, rate)
	}
	t.rate(fmt.Sprintf("signatures a second of SoftHSM by the helper, %s; in process", kind), through, direct, 0.5, plain)
	return nil
}

// directRate is how many signatures a second the token makes in one process.
func (h softHSM) directRate(token string, d time.Duration) (float64, error) {
	cmd := exec.Command(h.helper, "--module", h.module, "--token", token, "--measure", d.String())
	cmd.Env, cmd.Stdin = h.environ, strings.NewReader(tokenPIN+"\n")
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("measuring the token: %w", err)
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// signingRate is how many signatures a second as many callers get as an agent has in work.
func signingRate(key crypto.Signer, d time.Duration) (float64, error) {
	const callers = 32
	var done atomic.Int64
	var failed atomic.Pointer[error]
	begun := time.Now()
	var work sync.WaitGroup
	for range callers {
		work.Go(func() {
			for time.Since(begun) < d && failed.Load() == nil {
				digest := sha256.Sum256([]byte(strconv.FormatInt(done.Add(1), 10)))
				if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	work.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(begun).Seconds(), nil
}

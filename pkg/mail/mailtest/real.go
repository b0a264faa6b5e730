package mailtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

//go:embed server.py
var program []byte

// Real is a mail server that is a process of its own: Debian's aiosmtpd.
type Real struct {
	Address string
	Roots   *x509.CertPool // who vouches for it, where it speaks TLS
	CAFile  string         // the same as a file
	mails   string
	process *exec.Cmd
}

// Options of a real server.
type Options struct {
	Security string // "plain", "starttls" or "tls"
	// User and Password, when set, must be given before any mail.
	User, Password string
	Address        string // "" is any free port
}

// StartReal starts a server. Its mailbox is kept when one is started again in the
// same test with the address of the first. Recipients whose address begins with
// refuse, later or drop are treated so.
func StartReal(t testing.TB, o Options) *Real {
	t.Helper()
	python := debianPython()
	if err := exec.Command(python, "-c", "import aiosmtpd").Run(); err != nil {
		t.Fatal("aiosmtpd is missing: apt-get install python3-aiosmtpd (scripts/test does)")
	}
	dir := t.TempDir()
	s := &Real{mails: filepath.Join(dir, "mails"), CAFile: filepath.Join(dir, "cert.pem")}
	must(t, os.Mkdir(s.mails, 0o700))
	s.Roots = writeCertificate(t, s.CAFile, filepath.Join(dir, "key.pem"))
	script := filepath.Join(dir, "server.py")
	must(t, os.WriteFile(script, program, 0o600))
	_, port, err := net.SplitHostPort(o.Address)
	if err != nil {
		port = "0"
	}
	s.process = exec.Command(python, script, dir, o.Security, port, o.User, o.Password)
	out, err := s.process.StdoutPipe()
	must(t, err)
	must(t, s.process.Start())
	t.Cleanup(s.Kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the mail server does not begin: %v", err)
	}
	s.Address = "127.0.0.1:" + strings.TrimSpace(line)
	return s
}

// debianPython is the interpreter that Debian's packages are for, where there is one.
func debianPython() string {
	const path = "/usr/bin/python3"
	if _, err := os.Stat(path); err == nil {
		return path
	}
	return "python3"
}

// Kill ends the server at once. It may be called twice.
func (s *Real) Kill() {
	_ = s.process.Process.Kill() // it may have ended
	_ = s.process.Wait()         // killed is no success
}

// Mails lists the mails that were taken, each with its envelope in X-Rcpt and
// X-From lines in front, in order of arrival.
func (s *Real) Mails(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(s.mails, "*.eml"))
	must(t, err)
	slices.Sort(names)
	var all []string
	for _, n := range names {
		raw, err := os.ReadFile(n)
		must(t, err)
		all = append(all, string(raw))
	}
	return all
}

// writeCertificate makes a certificate for 127.0.0.1 and localhost that vouches for itself.
func writeCertificate(t testing.TB, certFile, keyFile string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	must(t, os.WriteFile(certFile, cert, 0o600))
	must(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return pool
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

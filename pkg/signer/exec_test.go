package signer_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/signer"
)

// A helper signs with RSA and ECDSA, and is started once.
func TestExecSigns(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]crypto.Signer{"ECDSA": newECDSA(t), "RSA": newRSA(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, cert := keyFile(t, key)
			k, certs, err := opener("good").Take(t.Context(), execRecord(t, path))
			if err != nil {
				t.Fatal(err)
			}
			if len(certs) != 1 || !certs[0].Equal(cert) {
				t.Errorf("%d certificates", len(certs))
			}
			const many = 200
			var work sync.WaitGroup
			for i := range many {
				work.Go(func() {
					digest := sha256.Sum256([]byte(strconv.Itoa(i)))
					signature, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
					if err != nil {
						t.Error(err)
						return
					}
					valid := false
					switch public := key.Public().(type) {
					case *ecdsa.PublicKey:
						valid = ecdsa.VerifyASN1(public, digest[:], signature)
					case *rsa.PublicKey:
						valid = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
					}
					if !valid {
						t.Errorf("signature %d is not valid", i)
					}
				})
			}
			work.Wait()
			if err := k.Close(); err != nil {
				t.Error(err)
			}
			calls := callsOf(t, path)
			if opened := slices.Index(calls, "open 0"); opened != 0 || slices.Contains(calls[1:], "open 0") {
				t.Errorf("the helper was started again: %v", calls)
			}
		})
	}
}

// callsOf lists the calls that a helper noted.
func callsOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path + ".calls")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// Whatever a helper answers wrongly is found, said, and never used; the next call has a new helper.
func TestExecAnswersWrongly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mode, says string
		key        crypto.Signer
	}{
		{mode: "short", says: "does not belong to the certificate in use"},
		{mode: "empty", says: "does not belong to the certificate in use"},
		{mode: "other key", says: "does not belong to the certificate in use"},
		{mode: "other digest", says: "does not belong to the certificate in use"},
		{mode: "wrong algorithm", says: "does not belong to the certificate in use", key: newRSA(t)},
		{mode: "too few", says: "returned 0 signatures for 1 digests"},
		{mode: "too many", says: "returned 2 signatures for 1 digests"},
		{mode: "none", says: "returned 0 signatures for 1 digests"},
		{mode: "garbage", says: "which is no answer"},
		{mode: "endless", says: "a line of more than 1048576 bytes"},
		{mode: "silent", says: "does not answer in 300ms"},
		{mode: "dies", says: "has ended; its last words are: the token was pulled out"},
		{mode: "refuses", says: "it says: CKR_DEVICE_REMOVED"},
		{mode: "old answer", says: "and request 3 was asked"},
	} {
		t.Run(test.mode, func(t *testing.T) {
			t.Parallel()
			if test.key == nil {
				test.key = newECDSA(t)
			}
			path, cert := keyFile(t, test.key)
			r := execRecord(t, path)
			o := opener(test.mode)
			k, certs, err := o.Take(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			if test.mode == "silent" {
				b, err := o.Open(r)
				if err != nil {
					t.Fatal(err)
				}
				if k, err = signer.NewKey(t.Context(), r.Location, b, cert, 300*time.Millisecond); err != nil {
					t.Fatal(err)
				}
				defer k.Close()
			}
			if !certs[0].Equal(cert) {
				t.Error("another certificate")
			}
			digest := sha256.Sum256([]byte(test.mode))
			for range 2 {
				signature, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
				why, ok := errors.AsType[*signer.Failure](err)
				if !ok || signature != nil || !fault.Is(err, fault.Unavailable) {
					t.Fatalf("%x, %v", signature, err)
				}
				if !strings.Contains(why.Message, test.says) && !(test.mode == "old answer" && strings.Contains(why.Message, "was asked")) {
					t.Errorf("it says %q, want %q", why.Message, test.says)
				}
				if strings.Contains(err.Error(), "1234") {
					t.Errorf("the PIN stands in %q", err)
				}
			}
		})
	}
}

// An answer that nobody asked for ends the helper; the call after that has a new one.
func TestExecAnswersUnasked(t *testing.T) {
	t.Parallel()
	path, _ := keyFile(t, newECDSA(t))
	k, _, err := opener("unasked").Take(t.Context(), execRecord(t, path))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	digest := sha256.Sum256([]byte("unasked"))
	failed := 0
	for range 4 {
		if _, err := k.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			failed++
			if !strings.Contains(err.Error(), "without being asked") && !strings.Contains(err.Error(), "it answered request") {
				t.Error(err)
			}
		}
	}
	if failed == 0 {
		t.Error("nobody noticed")
	}
}

// What is wrong when a key is taken is said, and nothing is taken.
func TestExecIsTakenWrongly(t *testing.T) {
	t.Parallel()
	path, _ := keyFile(t, newECDSA(t))
	for mode, says := range map[string]string{
		"version": "speaks version 2 of the protocol", "no certificate": "has no certificate of the key", "bad certificate": "cannot be read",
	} {
		if _, _, err := opener(mode).Take(t.Context(), execRecord(t, path)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", mode, err, says)
		}
	}
	program, _ := os.Executable()
	for location, says := range map[string]string{
		"exec:":                      "names no helper",
		"exec:vecctl-pkcs11":         "names no helper",
		"exec:/nowhere/vecctl":       "there is no program /nowhere/vecctl",
		"exec:" + program + " 'open": "a quote without its end",
		"hsm:1":                      "is no place of a key",
		"csc:sign.example.org":       "names no signing service",
		"csc:ftp://example.org":      "names no signing service",
	} {
		if _, _, err := opener("good").Take(t.Context(), signer.Record{Location: location}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", location, err, says)
		}
	}
	noProgram := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(noProgram, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := opener("good").Take(t.Context(), signer.Record{Location: "exec:" + noProgram}); err == nil || !strings.Contains(err.Error(), "cannot be started") {
		t.Error(err)
	}
}

// A wrong PIN is tried once, since tokens lock themselves; another one is tried at once.
func TestAWrongPINIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	path, cert := keyFile(t, newECDSA(t))
	pin := filepath.Join(t.TempDir(), "pin")
	write := func(text string) {
		if err := os.WriteFile(pin, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := execRecord(t, path)
	r.PINFile = pin
	k, err := opener("pin").Key(t.Context(), r, certsOf(cert))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	digest := sha256.Sum256([]byte("pin"))
	sign := func() error {
		_, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
		return err
	}
	if err := sign(); err == nil || !strings.Contains(err.Error(), "of a secret cannot be read") {
		t.Errorf("without its file: %v", err)
	}
	for _, wrong := range []string{"98765", "87654"} {
		write(wrong)
		for range 3 {
			if err := sign(); err == nil || !strings.Contains(err.Error(), "the PIN is wrong; correct --pin-file") || strings.Contains(fmt.Sprintf("%+v", err), wrong) {
				t.Errorf("with a wrong PIN: %v", err)
			}
		}
	}
	if opened := len(callsOf(t, path)); opened != 2 {
		t.Errorf("two wrong PINs were tried %d times", opened)
	}
	write("1234")
	if err := sign(); err != nil {
		t.Error(err)
	}
}

// A PIN stands neither in the process list nor in the helper's environment.
func TestThePINIsHidden(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/cmdline"); err != nil {
		t.Skip("there is no /proc")
	}
	path, _ := keyFile(t, newECDSA(t))
	o := opener("pin")
	k, _, err := o.Take(t.Context(), execRecord(t, path))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range all {
		line, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(line), path) {
			continue
		}
		seen++
		environ, err := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(line), "1234") || strings.Contains(string(environ), "1234") {
			t.Errorf("the PIN stands in %q or %q", line, environ)
		}
	}
	if seen == 0 {
		t.Error("the helper was not seen")
	}
}

package agent_test

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// helperWord makes the test program a helper that signs with the key in a file.
const helperWord = "sign-with"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == helperWord {
		if err := signWith(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// signWith is a helper whose token is a file: a file that is gone is a token that was pulled out.
func signWith(path string) error {
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var q struct {
			ID      int64    `json:"id"`
			Op      string   `json:"op"`
			Digests [][]byte `json:"digests"`
		}
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			return err
		}
		if _, err := os.Stat(path + ".hang"); err == nil {
			_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
			return nil
		}
		answer := map[string]any{"id": q.ID, "protocol": 1}
		if text, err := os.ReadFile(path); err != nil {
			answer["error"] = "CKR_TOKEN_NOT_PRESENT"
		} else {
			block, rest := pem.Decode(text)
			cert, _ := pem.Decode(rest)
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return err
			}
			answer["certificates"] = [][]byte{cert.Bytes}
			var signatures [][]byte
			for _, d := range q.Digests {
				s, err := key.(crypto.Signer).Sign(rand.Reader, d, crypto.SHA256)
				if err != nil {
					return err
				}
				signatures = append(signatures, s)
			}
			answer["signatures"] = signatures
		}
		line, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return nil
}

// keyToken is a key in a file that a helper signs with.
type keyToken struct{ path string }

func newToken(t *testing.T, name string) keyToken {
	t.Helper()
	key, cert, err := pdf.NewSelfSigned(rand.Reader, name, time.Now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "token.pem")
	if err := os.WriteFile(path, slices.Concat(key, cert), 0o600); err != nil {
		t.Fatal(err)
	}
	return keyToken{path}
}

func (k keyToken) place(t *testing.T) adminclient.KeyPlace {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return adminclient.KeyPlace{Location: fmt.Sprintf("exec:%s %s %s", program, helperWord, k.path)}
}

func (k keyToken) move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(k.path+from, k.path+to); err != nil {
		t.Fatal(err)
	}
}

// signedBy returns who signed a verified PDF.
func signedBy(t *testing.T, c *adminclient.Client, of client.Certificate) string {
	t.Helper()
	return firstSignature(t, c, of).SignedBy
}

// A key behind a helper signs once it has signed a test. A helper that cannot sign pauses issuing,
// which every face says, and issuing goes on by itself.
func TestAKeyThatLiesElsewhere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	hsm := newToken(t, "Seal of the University")
	var ahead atomic.Int64
	o := agent.Options{Home: home.Dir(dir), Config: configWith(t, dir, nil), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, Log: slog.New(slog.DiscardHandler)}
	running(t, o, func(a *agent.Agent, c *adminclient.Client) {
		before, err := c.SigningKey(t.Context())
		if err != nil || before.Location != "file" || before.Algorithm != "P-256" {
			t.Fatalf("%+v, %v", before, err)
		}
		taken, err := c.UseKey(t.Context(), hsm.place(t))
		if err != nil || taken.Subject != "Seal of the University" || taken.Location != hsm.place(t).Location {
			t.Fatalf("%+v, %v", taken, err)
		}
		q := manifestOf(t, 20)
		q.NoWait = false
		if r := issue(t, c, q); r.Issued != 20 {
			t.Fatalf("%+v", r)
		}
		page, err := c.List(t.Context(), client.Filter{})
		if err != nil || signedBy(t, c, page.Data[0]) != "Seal of the University" {
			t.Error(err)
		}
		keys, err := c.Keys(t.Context())
		if err != nil || keys[0].Location != taken.Location {
			t.Errorf("%+v, %v", keys, err)
		}
		hsm.move(t, "", ".out")
		q = manifestOf(t, 3)
		q.Manifest = bytes.ReplaceAll(q.Manifest, []byte("Diploma"), []byte("Award"))
		q.NoWait = false
		const why = "issuing is paused: the helper "
		if _, err := c.Bulk(t.Context(), q, func(client.Progress) {}); err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "CKR_TOKEN_NOT_PRESENT") {
			t.Errorf("a batch that cannot be signed ends with %v", err)
		}
		s := waitStatus(t, c, func(s adminclient.AgentStatus) bool { return problemSays(s, "signing", why) })
		if s.Certificates["processing"] != 3 || s.Certificates["failed"] != 0 {
			t.Errorf("%+v", s.Certificates)
		}
		if body := ask(a.Handler(), http.MethodGet, "/readyz").Body.String(); !strings.Contains(body, why) {
			t.Errorf("/readyz says %s", body)
		}
		if checks, err := c.TestKeys(t.Context()); err != nil || len(checks) != 1 || !strings.Contains(checks[0].Problem, "CKR_TOKEN_NOT_PRESENT") {
			t.Errorf("%+v, %v", checks, err)
		}
		if _, err := c.TestKey(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
		hsm.move(t, ".out", "")
		ahead.Store(int64(time.Minute))
		next := manifestOf(t, 1)
		next.Manifest = bytes.ReplaceAll(next.Manifest, []byte("Diploma"), []byte("Prize"))
		issue(t, c, next) // what comes in wakes what waits
		waitStatus(t, c, func(s adminclient.AgentStatus) bool {
			return s.Certificates["approved"] == 24 && !problemSays(s, "signing", "")
		})
	})
	hsm.move(t, "", ".out")
	running(t, o, func(_ *agent.Agent, c *adminclient.Client) {
		now, err := c.SigningKey(t.Context())
		if err != nil || now.Subject != "Seal of the University" {
			t.Fatalf("a home does not open without its signer: %+v, %v", now, err)
		}
		if _, err := c.RotateKey(t.Context(), false); !fault.Is(err, fault.Illegal) || !strings.Contains(err.Error(), "lies elsewhere") {
			t.Errorf("a key on a token is replaced by a key file: %v", err)
		}
		if _, err := c.UseKey(t.Context(), hsm.place(t)); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a key that does not sign is taken: %v", err)
		}
		file, err := c.UseKey(t.Context(), adminclient.KeyPlace{Location: "file"})
		if err != nil || file.Subject != "Test University" || file.Location != "file" {
			t.Errorf("%+v, %v", file, err)
		}
		if _, err := c.UseKey(t.Context(), adminclient.KeyPlace{Location: "file"}); !fault.Is(err, fault.Illegal) {
			t.Errorf("the key file is taken twice: %v", err)
		}
		q := manifestOf(t, 1)
		q.Manifest, q.NoWait = bytes.ReplaceAll(q.Manifest, []byte("Diploma"), []byte("Medal")), false
		if r := issue(t, c, q); r.Issued != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// A signer that hangs keeps nobody from submitting documents, and its time-out is told as the reason.
func TestASignerThatHangsDoesNotBlockIntake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	hsm := newToken(t, "Seal of the University")
	runningWith(t, dir, map[string]string{"VECCTL_SIGNING_TIMEOUT": "3s"}, 0, func(c *adminclient.Client) {
		if _, err := c.UseKey(t.Context(), hsm.place(t)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(hsm.path+".hang", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, title := range []string{"Award", "Prize", "Medal"} {
			q := manifestOf(t, 5)
			q.Manifest = bytes.ReplaceAll(q.Manifest, []byte("Diploma"), []byte(title))
			issue(t, c, q)
		}
		s, err := c.AgentStatus(t.Context())
		if err != nil || s.Certificates["processing"] != 15 || problemSays(s, "signing", "") {
			t.Errorf("intake waits for the signer: %+v, %v", s, err)
		}
		s = waitStatus(t, c, func(s adminclient.AgentStatus) bool { return problemSays(s, "signing", "does not answer in 3s") })
		if s.Certificates["processing"] != 15 {
			t.Errorf("%+v", s.Certificates)
		}
	})
}

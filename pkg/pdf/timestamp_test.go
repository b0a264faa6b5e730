package pdf

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const tsaConfig = `
[req]
distinguished_name = dn
[dn]
[tsa_ext]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[tsa]
default_tsa = t
[t]
serial = %[1]s/serial
default_policy = 1.2.3.4
digests = sha256, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
accuracy = secs:1
`

// timestampServer is a server made of "openssl ts".
func timestampServer(t *testing.T) *httptest.Server {
	t.Helper()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"conf": fmt.Sprintf(tsaConfig, dir), "serial": "01\n"} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustTool(t, nil, "openssl", "req", "-x509", "-nodes", "-days", "3650", "-subj", "/CN=Test Clock", "-newkey", "rsa:2048",
		"-config", path("conf"), "-extensions", "tsa_ext", "-keyout", path("key"), "-out", path("crt"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if err := os.WriteFile(path("query"), b, 0o600); err != nil {
			t.Error(err)
		}
		out, err := tool(t, nil, "openssl", "ts", "-reply", "-config", path("conf"), "-section", "t", "-queryfile", path("query"),
			"-inkey", path("key"), "-signer", path("crt"), "-out", path("reply"))
		if err != nil {
			t.Errorf("openssl ts: %v: %s", err, out)
		}
		answer, err := os.ReadFile(path("reply"))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		w.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestTimestamps(t *testing.T) {
	server := timestampServer(t)
	seal := NewStamper(testSigner(), WithTimestamps(NewTimestamper(server.Client(), time.Now, nil, server.URL)))
	original := plainObjects().table("")
	var sizes []int
	for range 2 {
		tail, err := seal.Stamp(source(original), testMark())
		if err != nil || tail.TimestampError != nil {
			t.Fatalf("%v, %v", err, tail.TimestampError)
		}
		sizes = append(sizes, len(tail.Bytes))
		file := slices.Concat(original, tail.Bytes)
		v := mustVerify(t, file)
		if !v.Valid {
			t.Fatal(v.Sentence)
		}
		s := v.Signatures[0]
		if !s.Timestamped || s.TimestampedBy != "Test Clock" || time.Since(s.SignedAt).Abs() > time.Hour {
			t.Errorf("signature %+v", s)
		}
		pdfsig(t, file, 1)
		// The time stamp is no part of what is signed, and still cannot change.
		at := bytes.Index(file, []byte("/Contents<")) + len("/Contents<")
		end := at + bytes.IndexByte(file[at:], '>')
		step := 41
		if os.Getenv("VECCTL_LONG") != "" {
			step = 1
		}
		for i := at; i < end; i += step {
			was := file[i]
			if file[i] = '5'; was == '5' {
				file[i] = '6'
			}
			if v := mustVerify(t, file); v.Valid {
				t.Fatalf("digit %d changed from %q, and it is still %s", i-at, was, v.Sentence)
			}
			file[i] = was
		}
	}
	if sizes[1] >= sizes[0] || sizes[1] > 16<<10 {
		t.Errorf("the tails take %d bytes", sizes)
	}
}

// pdfsig demands n signatures and that poppler calls each of them valid.
func pdfsig(t testing.TB, file []byte, n int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signed.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out := string(mustTool(t, nil, "pdfsig", "-nocert", path))
	if got := strings.Count(out, "Signature is Valid"); got != n || !strings.Contains(out, "Total document signed") {
		t.Errorf("pdfsig calls %d signatures valid, not %d: %s", got, n, out)
	}
}

func TestTimestampFallback(t *testing.T) {
	answer := func(kind string, status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	const reply = "application/timestamp-reply"
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"broken":       {answer(reply, http.StatusInternalServerError, ""), "status 500"},
		"a page":       {answer("text/html", http.StatusOK, "<html>"), "which is no time stamp"},
		"noise":        {answer(reply, http.StatusOK, "noise"), "cannot be read"},
		"refused":      {answer(reply, http.StatusOK, "\x30\x05\x30\x03\x02\x01\x02"), "refused with status 2"},
		"only granted": {answer(reply, http.StatusOK, "\x30\x05\x30\x03\x02\x01\x00"), "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tt.handler)
			defer server.Close()
			original := plainObjects().table("")
			tail, err := NewStamper(testSigner(), WithTimestamps(NewTimestamper(server.Client(), time.Now, nil, server.URL))).Stamp(source(original), testMark())
			if err != nil || tail.TimestampError == nil || !strings.Contains(tail.TimestampError.Error(), tt.says) {
				t.Fatalf("%v; time stamp: %v, want %s", err, tail.TimestampError, tt.says)
			}
			v := mustVerify(t, append(original, tail.Bytes...))
			if !v.Valid || v.Signatures[0].Timestamped {
				t.Errorf("%+v", v)
			}
		})
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	tail, err := NewStamper(testSigner(), WithTimestamps(NewTimestamper(gone.Client(), time.Now, nil, gone.URL))).Stamp(source(plainObjects().table("")), testMark())
	if err != nil || tail.TimestampError == nil || !strings.Contains(tail.TimestampError.Error(), "did not answer") {
		t.Errorf("%v; time stamp: %v", err, tail.TimestampError)
	}
}

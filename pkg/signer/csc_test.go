package signer_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/signer"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

// cscServer is a signing service that speaks version 2 of the API.
type cscServer struct {
	*httptest.Server
	t    *testing.T
	key  crypto.Signer
	cert *x509.Certificate

	mu        sync.Mutex
	calls     map[string]int
	busy      map[string]int // by method: how often it still says 429
	retry     string         // Retry-After of that
	tokens    int            // how many it gave out
	token     string         // the one that is good
	sads      map[string]int // how many signatures each still allows
	multisign int
	mode      string // of the key: implicit, explicit
	pin       string
	raw       bool                                       // ECDSA signatures as two numbers
	change    func(method string, answer map[string]any) // makes an answer a wrong one
}

func newCSC(t *testing.T, key crypto.Signer) *cscServer {
	t.Helper()
	_, cert := keyFile(t, key)
	s := &cscServer{t: t, key: key, cert: cert, calls: map[string]int{}, busy: map[string]int{}, retry: "1", sads: map[string]int{}, multisign: 10, mode: "explicit", pin: "1234"}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *cscServer) algorithms() []string {
	if _, ok := s.key.(*rsa.PrivateKey); ok {
		return []string{"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"}
	}
	return []string{"1.2.840.10045.4.3.2"}
}

// cscQuestion is all that calls send.
type cscQuestion struct {
	CredentialID  string
	Certificates  string
	NumSignatures int
	Hashes        [][]byte
	HashAlgorithm string `json:"hashAlgorithmOID"`
	SignAlgo      string
	SAD           string
	AuthData      []struct{ ID, Value string }
	Hash          []byte
	HashAlgo      string
	Nonce         string
}

func (s *cscServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	method := strings.TrimPrefix(r.URL.Path, "/csc/v2/")
	s.calls[method]++
	say := func(status int, answer map[string]any) {
		if s.change != nil && status == http.StatusOK {
			s.change(method, answer)
		}
		if answer["garbage"] != nil {
			fmt.Fprint(w, answer["garbage"])
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	}
	wrong := func(status int, code, text string) {
		say(status, map[string]any{"error": code, "error_description": text})
	}
	if s.busy[method] > 0 {
		s.busy[method]--
		w.Header().Set("Retry-After", s.retry)
		wrong(http.StatusTooManyRequests, "too_many_requests", "come back later")
		return
	}
	if r.Method != http.MethodPost {
		wrong(http.StatusMethodNotAllowed, "invalid_request", "POST only")
		return
	}
	if method == "oauth2/token" {
		if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.FormValue("grant_type") != "client_credentials" {
			wrong(http.StatusBadRequest, "unsupported_grant_type", "client credentials only")
			return
		}
		if r.FormValue("client_id") != "vault" || r.FormValue("client_secret") != "s3cret" {
			wrong(http.StatusUnauthorized, "invalid_client", "who is "+r.FormValue("client_secret")+"?")
			return
		}
		s.tokens++
		s.token = "token-" + strconv.Itoa(s.tokens)
		say(http.StatusOK, map[string]any{"access_token": s.token, "token_type": "Bearer", "expires_in": 3600})
		return
	}
	var q cscQuestion
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		wrong(http.StatusBadRequest, "invalid_request", "no JSON")
		return
	}
	if method == "info" {
		say(http.StatusOK, map[string]any{"specs": "2.0.0.2", "name": "Test", "logo": s.URL + "/logo.png", "region": "EU", "lang": "en", "authType": []string{"oauth2client"},
			"oauth2": s.URL + "/csc/v2", "methods": []string{"credentials/list", "credentials/info", "credentials/authorize", "signatures/signHash", "signatures/timestamp"}})
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		wrong(http.StatusUnauthorized, "invalid_token", "the token has expired")
		return
	}
	if method != "credentials/list" && method != "signatures/timestamp" && q.CredentialID != "seal" {
		wrong(http.StatusBadRequest, "invalid_request", "Invalid parameter credentialID")
		return
	}
	s.answer(method, q, say, wrong)
}

func (s *cscServer) answer(method string, q cscQuestion, say func(int, map[string]any), wrong func(int, string, string)) {
	switch method {
	case "credentials/list":
		say(http.StatusOK, map[string]any{"credentialIDs": []string{"seal"}})
	case "credentials/info":
		auth := map[string]any{"mode": s.mode}
		if s.mode == "explicit" {
			auth["expression"], auth["objects"] = "PIN", []map[string]any{{"type": "Password", "id": "PIN", "format": "N", "label": "PIN"}}
		}
		say(http.StatusOK, map[string]any{"key": map[string]any{"status": "enabled", "algo": s.algorithms(), "len": 256}, "multisign": s.multisign, "auth": auth, "SCAL": "2",
			"cert": map[string]any{"status": "valid", "certificates": [][]byte{s.cert.Raw}}})
	case "credentials/authorize":
		if q.NumSignatures < 1 || q.NumSignatures > s.multisign || len(q.Hashes) != q.NumSignatures || q.HashAlgorithm != "2.16.840.1.101.3.4.2.1" {
			wrong(http.StatusBadRequest, "invalid_request", "Invalid parameter numSignatures")
			return
		}
		if s.mode == "explicit" && (len(q.AuthData) != 1 || q.AuthData[0].ID != "PIN" || q.AuthData[0].Value != s.pin) {
			wrong(http.StatusBadRequest, "invalid_pin", "The PIN "+q.AuthData[0].Value+" is invalid")
			return
		}
		sad := "sad-" + strconv.Itoa(s.calls[method])
		s.sads[sad] = q.NumSignatures
		say(http.StatusOK, map[string]any{"SAD": sad, "expiresIn": 60})
	case "signatures/signHash":
		if len(q.Hashes) == 0 || len(q.Hashes) > s.sads[q.SAD] {
			wrong(http.StatusBadRequest, "invalid_request", "Invalid parameter SAD")
			return
		}
		s.sads[q.SAD] -= len(q.Hashes)
		var signatures [][]byte
		for _, h := range q.Hashes {
			signature, err := s.key.Sign(rand.Reader, h, crypto.SHA256)
			if err != nil {
				s.t.Error(err)
			}
			if s.raw {
				var two struct{ R, S *big.Int }
				if _, err := asn1.Unmarshal(signature, &two); err != nil {
					s.t.Error(err)
				}
				signature = append(two.R.FillBytes(make([]byte, 32)), two.S.FillBytes(make([]byte, 32))...)
			}
			signatures = append(signatures, signature)
		}
		say(http.StatusOK, map[string]any{"signatures": signatures})
	default:
		wrong(http.StatusNotFound, "invalid_request", "no such method")
	}
}

// opener opens keys of the service.
func (s *cscServer) opener() signer.Opener {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return signer.Opener{Timeout: 10 * time.Second, ClientID: "vault", ClientSecret: signer.Secret{Value: "s3cret", Name: "signing.csc_client_secret"},
		PIN:    signer.Secret{Value: "1234", Name: "signing.pin"},
		Client: ssrf.New(ssrf.Policy{AllowPrivate: true, MaxIdle: 4, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})}
}

func (s *cscServer) record() signer.Record {
	return signer.Record{Location: "csc:" + s.URL + "/csc/v2"}
}

func (s *cscServer) count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

func (s *cscServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// signMany signs digests at the same time; the errors are those of any.
func signMany(k *signer.Key, n int) error {
	failures := make([]error, n)
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() {
			digest := sha256.Sum256([]byte(strconv.Itoa(i)))
			_, failures[i] = k.Sign(rand.Reader, digest[:], crypto.SHA256)
		})
	}
	work.Wait()
	return errors.Join(failures...)
}

// A service signs with RSA and ECDSA, at most as many digests a call as its key allows.
func TestCSCSigns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		key       crypto.Signer
		mode      string
		multisign int
		raw       bool
	}{
		{"ECDSA with a PIN", newECDSA(t), "explicit", 10, false}, {"RSA without a PIN", newRSA(t), "implicit", 1, false},
		{"ECDSA as two numbers", newECDSA(t), "implicit", 1000, true}, {"no limit stated", newECDSA(t), "implicit", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCSC(t, test.key)
			s.mode, s.raw, s.multisign = test.mode, test.raw, max(test.multisign, 1)
			s.change = func(method string, a map[string]any) {
				if method == "credentials/info" && test.multisign == 0 {
					delete(a, "multisign")
				}
			}
			k, certs, err := s.opener().Take(t.Context(), s.record())
			if err != nil || !certs[0].Equal(s.cert) {
				t.Fatal(err)
			}
			defer k.Close()
			const many = 100
			if err := signMany(k, many); err != nil {
				t.Fatal(err)
			}
			if n := s.count("signatures/signHash"); n > many || n < many/s.multisign || s.count("oauth2/token") != 1 || s.count("credentials/info") != 1 {
				t.Errorf("%v", s.calls)
			}
		})
	}
}

// A token that has ended is replaced, a service that is busy is asked again, and both cost nobody a signature.
func TestCSCTokensEndAndCallsAreLimited(t *testing.T) {
	t.Parallel()
	s := newCSC(t, newECDSA(t))
	k, _, err := s.opener().Take(t.Context(), s.record())
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for _, method := range []string{"credentials/authorize", "signatures/signHash"} {
		s.set(func() { s.token, s.busy[method] = "ended", 1 })
		if err := signMany(k, 1); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	if s.count("oauth2/token") != 3 {
		t.Errorf("%d tokens", s.count("oauth2/token"))
	}
	s.set(func() { s.retry, s.busy["signatures/signHash"] = "60", 1 })
	if err := signMany(k, 1); err == nil || !strings.Contains(err.Error(), "is busy, and asks to be called again in 1m0s") || !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if err := signMany(k, 1); err != nil {
		t.Error(err)
	}
	// A service that takes no token at all is asked for two, and no more.
	before := s.count("oauth2/token")
	s.set(func() {
		s.change = func(method string, a map[string]any) {
			if method == "oauth2/token" {
				a["access_token"] = "another"
			}
		}
		s.token = "ended"
	})
	if err := signMany(k, 1); err == nil || !strings.Contains(err.Error(), "HTTP 401 invalid_token the token has expired") {
		t.Error(err)
	}
	if got := s.count("oauth2/token") - before; got > 2 {
		t.Errorf("%d tokens for one signature", got)
	}
}

// Whatever a service answers wrongly is found, said, and never used.
func TestCSCAnswersWrongly(t *testing.T) {
	t.Parallel()
	set := func(of string, change func(a map[string]any)) func(string, map[string]any) {
		return func(method string, a map[string]any) {
			if method == of {
				change(a)
			}
		}
	}
	signatures := func(of func(have [][]byte) [][]byte) func(string, map[string]any) {
		return set("signatures/signHash", func(a map[string]any) { a["signatures"] = of(a["signatures"].([][]byte)) })
	}
	for says, change := range map[string]func(string, map[string]any){
		"speaks version \"1.0.4.0\"":                        set("info", func(a map[string]any) { a["specs"] = "1.0.4.0" }),
		"does not have signatures/signHash":                 set("info", func(a map[string]any) { a["methods"] = []string{"credentials/info", "credentials/authorize"} }),
		"does not let programs sign in":                     set("info", func(a map[string]any) { a["authType"] = []string{"oauth2code"} }),
		"no token of the kind Bearer":                       set("oauth2/token", func(a map[string]any) { a["token_type"] = "MAC" }),
		"has no key":                                        set("credentials/list", func(a map[string]any) { a["credentialIDs"] = []string{} }),
		"several keys: seal, other; name one":               set("credentials/list", func(a map[string]any) { a["credentialIDs"] = []string{"seal", "other"} }),
		"Invalid parameter credentialID":                    set("credentials/list", func(a map[string]any) { a["credentialIDs"] = []string{"gone"} }),
		"is not enabled (its state is \"disabled\")":        set("credentials/info", func(a map[string]any) { a["key"].(map[string]any)["status"] = "disabled" }),
		"is not valid (its state is \"revoked\")":           set("credentials/info", func(a map[string]any) { a["cert"].(map[string]any)["status"] = "revoked" }),
		"has no certificate of the key":                     set("credentials/info", func(a map[string]any) { a["cert"].(map[string]any)["certificates"] = [][]byte{} }),
		"cannot be read":                                    set("credentials/info", func(a map[string]any) { a["cert"].(map[string]any)["certificates"] = [][]byte{[]byte("none")} }),
		"asks a person for each signature (\"oauth2code\")": set("credentials/info", func(a map[string]any) { a["auth"].(map[string]any)["mode"] = "oauth2code" }),
		"asks a person for each signature (OTP)": set("credentials/info", func(a map[string]any) {
			a["auth"].(map[string]any)["objects"] = []map[string]any{{"type": "Password", "id": "PIN"}, {"type": "OTP", "id": "OTP"}}
		}),
		"does not sign with ecdsa-sha256":     set("credentials/info", func(a map[string]any) { a["key"].(map[string]any)["algo"] = []string{"1.2.840.113549.1.1.10"} }),
		"Invalid parameter SAD":               set("credentials/authorize", func(a map[string]any) { a["SAD"] = "another" }),
		"its answer is not what it should be": set("signatures/signHash", func(a map[string]any) { a["garbage"] = "<html>1234 s3cret</html>" }),
		"returned 0 signatures for 1":         signatures(func([][]byte) [][]byte { return nil }),
		"returned 2 signatures for 1":         signatures(func(have [][]byte) [][]byte { return append(have, have[0]) }),
		"a signature of csc:":                 signatures(func(have [][]byte) [][]byte { return [][]byte{have[0][:20]} }),
		"belong to the certificate in use": signatures(func([][]byte) [][]byte {
			other, err := newECDSA(t).Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
			if err != nil {
				t.Error(err)
			}
			return [][]byte{other}
		}),
		"so the signer has another key now": signatures(func([][]byte) [][]byte { return [][]byte{make([]byte, 64)} }),
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			s := newCSC(t, newECDSA(t))
			s.change = change
			k, _, err := s.opener().Take(t.Context(), s.record())
			if err == nil {
				defer k.Close()
				err = signMany(k, 1)
			}
			if _, ok := errors.AsType[*signer.Failure](err); !ok || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "1234") || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v", err)
			}
		})
	}
}

// Secrets that were refused are not tried again, and stand in no message.
func TestCSCRefusesSecrets(t *testing.T) {
	t.Parallel()
	s := newCSC(t, newECDSA(t))
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	r := s.record()
	r.PINFile, r.ClientSecretFile, r.Credential = write("pin", "98765"), write("secret", "guess"), "seal"
	k, err := s.opener().Key(t.Context(), r, certsOf(s.cert))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for _, secret := range []struct{ says, of, hidden string }{
		{"does not know the client ID \"vault\" with its secret; correct signing.csc_client_id or --client-secret-file", "oauth2/token", "guess"},
		{"says that the PIN is wrong; correct --pin-file", "credentials/authorize", "98765"},
	} {
		for range 3 {
			if err := signMany(k, 1); err == nil || !strings.Contains(err.Error(), secret.says) || strings.Contains(err.Error(), secret.hidden) {
				t.Errorf("%v", err)
			}
		}
		if n := s.count(secret.of); n != 1 {
			t.Errorf("%s was called %d times", secret.of, n)
		}
		write("secret", "s3cret")
		s.set(func() { s.calls = map[string]int{} })
	}
	write("pin", "1234")
	if err := signMany(k, 1); err != nil {
		t.Error(err)
	}
	o := s.opener()
	o.ClientID = ""
	if _, _, err := o.Take(t.Context(), s.record()); err == nil || !strings.Contains(err.Error(), "set signing.csc_client_id") {
		t.Error(err)
	}
}

// Services are called through the guard: not in private networks unless that is allowed, and never by redirects.
func TestCSCGoesThroughTheGuard(t *testing.T) {
	t.Parallel()
	s := newCSC(t, newECDSA(t))
	o := s.opener()
	o.Client = ssrf.New(ssrf.Policy{})
	if _, _, err := o.Take(t.Context(), s.record()); err == nil || !strings.Contains(err.Error(), "signing.allow_private opens") || s.count("info") != 0 {
		t.Error(err)
	}
	elsewhere := httptest.NewTLSServer(http.RedirectHandler(s.URL+"/csc/v2/info", http.StatusTemporaryRedirect))
	defer elsewhere.Close()
	o = s.opener()
	if _, _, err := o.Take(t.Context(), signer.Record{Location: "csc:" + elsewhere.URL}); err == nil || s.count("info") != 0 {
		t.Errorf("%v", err)
	}
}

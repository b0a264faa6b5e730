package pdf

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// tstInfo is what a time stamp says (RFC 3161, 2.4.2).
type tstInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Hash      []byte
	}
	Serial *big.Int
	Time   time.Time `asn1:"generalized"`
	Nonce  *big.Int
}

type tsQuery struct {
	Version int
	Imprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Hash      []byte
	}
	Nonce *big.Int
	Certs bool
}

// clockServer answers with time stamps that openssl signs, as a test wants them to be.
type clockServer struct {
	t      testing.TB
	key    crypto.Signer
	chain  []*x509.Certificate // the server's own first
	change func(*tstInfo)
	answer func([]byte) []byte
	asked  atomic.Int32
}

func (s *clockServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	b, _ := io.ReadAll(r.Body)
	var q tsQuery
	if _, err := asn1.Unmarshal(b, &q); err != nil {
		s.t.Error(err)
	}
	info := tstInfo{Version: 1, Policy: asn1.ObjectIdentifier{1, 2, 3, 4}, Imprint: q.Imprint, Serial: big.NewInt(7), Time: time.Now().UTC().Truncate(time.Second), Nonce: q.Nonce}
	if s.change != nil {
		s.change(&info)
	}
	content, err := asn1.Marshal(info)
	if err != nil {
		s.t.Error(err)
	}
	dir := s.t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		s.t.Error(err)
	}
	var more bytes.Buffer
	for _, c := range s.chain[1:] {
		_ = pem.Encode(&more, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	for name, body := range map[string][]byte{"content": content, "more": more.Bytes(),
		"key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.chain[0].Raw})} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			s.t.Error(err)
		}
	}
	args := []string{"cms", "-sign", "-binary", "-nodetach", "-md", "sha256", "-cades", "-econtent_type", "1.2.840.113549.1.9.16.1.4",
		"-in", dir + "/content", "-signer", dir + "/crt", "-inkey", dir + "/key", "-outform", "DER", "-out", dir + "/token"}
	if len(s.chain) > 1 {
		args = append(args, "-certfile", dir+"/more")
	}
	if out, err := tool(s.t, nil, "openssl", args...); err != nil {
		s.t.Errorf("openssl cms: %v: %s", err, out)
	}
	token, err := os.ReadFile(dir + "/token")
	if err != nil {
		s.t.Error(err)
	}
	reply, err := asn1.Marshal(struct {
		Status struct{ Status int }
		Token  asn1.RawValue
	}{Token: asn1.RawValue{FullBytes: token}})
	if err != nil {
		s.t.Error(err)
	}
	if s.answer != nil {
		reply = s.answer(reply)
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(reply)
}

// timestamping makes a certificate one for time stamps, as RFC 3161 wants it.
func timestamping(c *x509.Certificate) {
	now := time.Now()
	c.NotBefore, c.NotAfter = now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)
	value, _ := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: value}}
}

// TestWrongTimestamps is everything that a server can answer wrongly.
func TestWrongTimestamps(t *testing.T) {
	t.Parallel()
	now := time.Now()
	current := func(c *x509.Certificate) {
		authority(c)
		c.NotBefore, c.NotAfter = now.AddDate(-2, 0, 0), now.AddDate(2, 0, 0)
	}
	rootKey, root := issued(t, "Clock Root", nil, nil, current)
	middleKey, middle := issued(t, "Clock Authority", root, rootKey, current)
	_, otherRoot := issued(t, "Clock Root", nil, nil, current)
	key, leaf := issued(t, "Clock", middle, middleKey, timestamping)
	changed := func(change func(*x509.Certificate)) (crypto.Signer, []*x509.Certificate) {
		key, c := issued(t, "Clock", middle, middleKey, func(c *x509.Certificate) { timestamping(c); change(c) })
		return key, []*x509.Certificate{c, middle}
	}
	pool := func(c *x509.Certificate) *x509.CertPool {
		p := x509.NewCertPool()
		p.AddCert(c)
		return p
	}
	sound := func() *clockServer { return &clockServer{t: t, key: key, chain: []*x509.Certificate{leaf, middle}} }
	withCertificate := func(change func(*x509.Certificate)) *clockServer {
		key, chain := changed(change)
		return &clockServer{t: t, key: key, chain: chain}
	}
	with := func(change func(*clockServer)) *clockServer {
		s := sound()
		change(s)
		return s
	}
	for name, c := range map[string]struct {
		server *clockServer
		roots  *x509.CertPool
		want   string // "" where the time stamp is taken
	}{
		"sound":                  {server: sound()},
		"sound, of a known root": {sound(), pool(root), ""},
		"of another root":        {sound(), pool(otherRoot), "not to be trusted"},
		"without the middle":     {with(func(s *clockServer) { s.chain = s.chain[:1] }), pool(root), "not to be trusted"},
		"of another request":     {with(func(s *clockServer) { s.change = func(i *tstInfo) { i.Nonce = big.NewInt(1) } }), nil, "something else"},
		"of another document":    {with(func(s *clockServer) { s.change = func(i *tstInfo) { i.Imprint.Hash = make([]byte, 32) } }), nil, "something else"},
		"of another hash":        {with(func(s *clockServer) { s.change = func(i *tstInfo) { i.Imprint.Algorithm.Algorithm[8] = 2 } }), nil, "something else"},
		"of yesterday":           {with(func(s *clockServer) { s.change = func(i *tstInfo) { i.Time = i.Time.AddDate(0, 0, -1) } }), nil, "clocks is wrong"},
		"of tomorrow":            {with(func(s *clockServer) { s.change = func(i *tstInfo) { i.Time = i.Time.AddDate(0, 0, 1) } }), nil, "clocks is wrong"},
		"of an unknown version":  {with(func(s *clockServer) { s.change = func(i *tstInfo) { i.Version = 2 } }), nil, "cannot be read"},
		"altered":                {with(func(s *clockServer) { s.answer = func(b []byte) []byte { b[len(b)-5] ^= 1; return b } }), nil, ""},
		"cut off":                {with(func(s *clockServer) { s.answer = func(b []byte) []byte { return b[:len(b)-9] } }), nil, "cannot be read"},
		"too long":               {with(func(s *clockServer) { s.answer = func(b []byte) []byte { return make([]byte, 70<<10) } }), nil, "more than"},
		"certificate ended":      {withCertificate(func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 0, -1) }), nil, "not to be trusted"},
		"certificate not yet":    {withCertificate(func(c *x509.Certificate) { c.NotBefore = now.AddDate(0, 0, 1) }), nil, "not to be trusted"},
		"certificate for all":    {withCertificate(func(c *x509.Certificate) { c.ExtraExtensions = nil }), nil, "cannot be read"},
		"usage is not critical":  {withCertificate(func(c *x509.Certificate) { c.ExtraExtensions[0].Critical = false }), nil, "for time stamps alone"},
		"certificate of a server": {withCertificate(func(c *x509.Certificate) {
			c.ExtraExtensions = nil
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}), nil, "cannot be read"},
		"usage is one of several": {withCertificate(func(c *x509.Certificate) {
			c.ExtraExtensions = nil
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageServerAuth}
		}), nil, "for time stamps alone"},
	} {
		if name == "altered" {
			c.want = "altered"
		}
		server := httptest.NewServer(c.server)
		_, _, err := NewTimestamper(server.Client(), time.Now, c.roots, server.URL).request(sha256.Sum256([]byte(name)))
		server.Close()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Servers are asked in order, and one that failed is left alone for a while.
func TestTimestampServersInOrder(t *testing.T) {
	t.Parallel()
	key, leaf := issued(t, "Clock", nil, nil, timestamping)
	clock := &clockServer{t: t, key: key, chain: []*x509.Certificate{leaf}}
	var broken atomic.Int32
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		broken.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer first.Close()
	second := httptest.NewServer(clock)
	defer second.Close()
	now := time.Now()
	s := NewTimestamper(first.Client(), func() time.Time { return now }, nil, first.URL, second.URL)
	for range 3 {
		if _, _, err := s.request(sha256.Sum256(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if broken.Load() != 1 || clock.asked.Load() != 3 {
		t.Errorf("the servers were asked %d and %d times", broken.Load(), clock.asked.Load())
	}
	checks := s.Check()
	if len(checks) != 2 || checks[0].Err == nil || checks[0].URL != first.URL || checks[1].Err != nil || broken.Load() != 2 {
		t.Errorf("the check says %v after %d questions", checks, broken.Load())
	}
	second.Close()
	if _, _, err := s.request(sha256.Sum256(nil)); err == nil || !s.Paused().After(now) {
		t.Errorf("no server is left: %v, paused until %s", err, s.Paused())
	}
	now = now.Add(time.Minute)
	if until := s.Paused(); !until.IsZero() {
		t.Errorf("after a minute it still is paused until %s", until)
	}
}

// A time stamp that is added later leaves the file's length, the signature and the log proof
// as they are.
func TestTimestampAddedLater(t *testing.T) {
	t.Parallel()
	key, leaf := issued(t, "Clock", nil, nil, timestamping)
	gone := httptest.NewServer(nil)
	gone.Close()
	original := plainObjects().table("")
	u, err := NewStamper(testSigner(), WithTimestamps(NewTimestamper(gone.Client(), time.Now, nil, gone.URL))).Stamp(source(original), testMark())
	if err != nil || u.TimestampError == nil {
		t.Fatal(err, u.TimestampError)
	}
	server := httptest.NewServer(&clockServer{t: t, key: key, chain: []*x509.Certificate{leaf}})
	defer server.Close()
	s := NewTimestamper(server.Client(), time.Now, nil, server.URL)
	stamped, sum, until, err := s.Stamp(bytes.NewReader(original), u.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	file := slices.Concat(original, stamped)
	if len(stamped) != len(u.Bytes) || sha256.Sum256(file) != sum || !until.Equal(leaf.NotAfter) {
		t.Errorf("%d bytes of %d, hash %x", len(stamped), len(u.Bytes), sum)
	}
	v := mustVerify(t, file)
	if !v.Valid || !v.Signatures[0].Timestamped || v.Signatures[0].TimestampedBy != "Clock" {
		t.Errorf("%+v", v)
	}
	pdfsig(t, file, 1)

	k := testLogKey(t, 1)
	l := logged(t, k, original)
	with := withProof(t, l, prove(t, k, l))
	// This update has no room for a time stamp but what is kept for proofs.
	if stamped, _, _, err = s.Stamp(bytes.NewReader(original), with.Bytes); err != nil {
		t.Fatal(err)
	}
	if v := mustVerify(t, slices.Concat(original, stamped)); !v.Valid || v.Signatures[0].Log.Proof == nil || !v.Signatures[0].Timestamped {
		t.Errorf("with a log proof: %+v", v)
	}
	if _, _, _, err := s.Stamp(bytes.NewReader(original), []byte("nonsense")); err == nil {
		t.Error("nonsense was given a time stamp")
	}
}

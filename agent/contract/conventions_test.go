package contract

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

func clientSettings(name string) adminclient.Settings { return adminclient.Settings{Institution: name} }

func TestTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	uuid := s.want(s.upload("a@example.com"), http.StatusCreated).text("data.uuid")
	calls := []struct{ method, path, needs string }{
		{"GET", vaultPath, "list"}, {"POST", vaultPath, "create"}, {"POST", filePath, "create"}, {"POST", bulkPath, "create"},
		{"GET", vaultPath + "/" + uuid, "view"}, {"GET", vaultPath + "/" + uuid + "/download", "download"},
		{"POST", vaultPath + "/" + uuid + "/retry", "update"}, {"GET", "/business/certificate-templates", ""},
		{"GET", "/business/batches", "list"}, {"GET", "/business/certificates", "list"},
	}
	revoked, err := s.agent.Admin.CreateToken(t.Context(), adminclient.NewToken{Name: "revoked", Permissions: permissions()})
	s.check(err)
	_, err = s.agent.Admin.RevokeToken(t.Context(), revoked.ID)
	s.check(err)
	soon := s.clock.now().Add(time.Minute)
	expired, err := s.agent.Admin.CreateToken(t.Context(), adminclient.NewToken{Name: "expired", Permissions: permissions(), ExpiresAt: &soon})
	s.check(err)
	s.clock.advance(time.Hour)
	for _, c := range calls {
		for name, credentials := range map[string]string{
			"none": "", "another scheme": "Basic " + s.token, "no scheme": s.token, "unknown": "Bearer vec_x", "empty": "Bearer ",
			"revoked": "Bearer " + revoked.Secret, "expired": "Bearer " + expired.Secret, "two": "Bearer " + s.token + " x",
		} {
			a := s.want(s.as("").call(c.method, c.path, nil, header("Authorization", credentials)), http.StatusUnauthorized)
			if got := strings.TrimSpace(string(a.body)); got != `{"message":"Unauthorized - Invalid API token"}` {
				t.Errorf("%s %s, %s: %s", c.method, c.path, name, got)
			}
		}
		for _, p := range permissions() {
			a := s.as(s.newToken(p)).call(c.method, c.path, nil)
			if p == "certificate-vault:"+c.needs || c.needs == "" {
				if a.status == http.StatusForbidden {
					t.Errorf("%s %s: forbidden to %s", c.method, c.path, p)
				}
				continue
			}
			want := fmt.Sprintf(`{"message":"Forbidden - Insufficient permissions","required_permission":"certificate-vault:%s"}`, c.needs)
			if s.want(a, http.StatusForbidden); string(a.body) != want {
				t.Errorf("%s %s with %s: %v", c.method, c.path, p, a)
			}
		}
	}
}

// TestIsolation looks for one institution's things with another's token.
func TestIsolation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := s.second()
	mine := s.want(s.upload("a@example.com", header("Idempotency-Key", "k")), http.StatusCreated)
	uuid, reference := mine.text("data.uuid"), mine.text("data.reference_id")
	s.settled(uuid)
	for _, name := range []string{uuid, reference, "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15"} {
		other.want(other.get(vaultPath+"/"+name), http.StatusNotFound)
		other.want(other.get(vaultPath+"/"+name+"/download"), http.StatusNotFound)
		other.want(other.call(http.MethodPost, vaultPath+"/"+name+"/retry", nil), http.StatusNotFound)
	}
	for _, query := range []string{"", "?search=" + reference, "?search=Ann", "?applicant_email=a@example.com", "?status=approved", "?from=2026-01-01"} {
		if a := other.want(other.get(vaultPath+query), http.StatusOK); a.get("meta.total") != 0.0 {
			t.Errorf("%s: %v", query, a)
		}
	}
	// The same certificate and the same key are another's own.
	theirs := other.want(other.upload("a@example.com", header("Idempotency-Key", "k")), http.StatusCreated)
	if theirs.text("data.uuid") == uuid {
		t.Error("an answer went to another institution")
	}
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key := func(k string) func(*http.Request) { return header("Idempotency-Key", k) }
	first := s.want(s.upload("a@example.com", key("one")), http.StatusCreated)
	again := s.want(s.upload("a@example.com", key("one")), http.StatusCreated)
	if !bytes.Equal(first.body, again.body) || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("the second answer is another one: %v", again)
	}
	s.want(s.upload("b@example.com", key("one")), http.StatusUnprocessableEntity)
	file := func(body string) answer {
		return s.post(filePath, newForm().file("file", "c.pdf", smallPDF(body)), key("two"))
	}
	kept := s.want(file("x"), http.StatusCreated)
	if again := s.want(file("x"), http.StatusCreated); !bytes.Equal(kept.body, again.body) {
		t.Errorf("the second answer is another one: %v", again)
	}
	s.want(file("y"), http.StatusUnprocessableEntity)
	batch := func(edit ...func(*http.Request)) answer {
		return s.bulkJSON(entries{"entries": []any{entry("c@example.com", kept.text("data.file_id"))}}, edit...)
	}
	accepted := s.want(batch(key("three")), http.StatusAccepted)
	if again := s.want(batch(key("three")), http.StatusAccepted); !bytes.Equal(accepted.body, again.body) {
		t.Errorf("the second answer is another one: %v", again)
	}
	s.want(batch(), http.StatusUnprocessableEntity)
	s.want(batch(key("one")), http.StatusUnprocessableEntity)
	s.want(batch(key(strings.Repeat("x", 256))), http.StatusUnprocessableEntity)
	if n := s.total(); n != 2 {
		t.Errorf("%d certificates, want 2", n)
	}
	// A refused call leaves its key free.
	s.want(s.post(vaultPath, newForm(), key("four")), http.StatusUnprocessableEntity)
	s.want(s.upload("d@example.com", key("four")), http.StatusCreated)
}

// TestExpiredKeys lets a key be used anew when its answer is forgotten.
func TestExpiredKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	key := header("Idempotency-Key", "k")
	first := s.want(s.upload("a@example.com", key), http.StatusCreated).text("data.uuid")
	s.clock.advance(apiaccess.StoredResponseTTL - time.Minute)
	if again := s.want(s.upload("a@example.com", key), http.StatusCreated); again.text("data.uuid") != first {
		t.Errorf("before its time the key made %v", again)
	}
	s.want(s.upload("b@example.com", key), http.StatusUnprocessableEntity)
	s.clock.advance(2 * time.Minute)
	second := s.want(s.upload("b@example.com", key), http.StatusCreated).text("data.uuid")
	if again := s.want(s.upload("b@example.com", key), http.StatusCreated); again.text("data.uuid") != second || second == first {
		t.Errorf("the key that was used anew made %v", again)
	}
	s.want(s.upload("a@example.com", key), http.StatusUnprocessableEntity)
}

// TestInFlight sends a call while one with the same key is being read.
func TestInFlight(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for n := 0; !s.refusedInFlight(fmt.Sprintf("k%d", n)); n++ {
		if n == 20 {
			t.Fatal("no call was refused because of another with its key")
		}
	}
}

// refusedInFlight sends calls with a key until one is refused because the first is
// being read; false when none is: the first may have come in while another was read.
func (s *site) refusedInFlight(key string) bool {
	s.Helper()
	f := person(key+"@example.com").file("certificate_file", "c.pdf", smallPDF("x"))
	s.check(f.Close())
	r, w := io.Pipe()
	done := make(chan answer, 1)
	edit := []func(*http.Request){header("Idempotency-Key", key), header("Content-Type", f.FormDataContentType())}
	go func() { done <- s.call(http.MethodPost, vaultPath, r, edit...) }()
	_, err := w.Write(f.Bytes()[:100])
	s.check(err)
	refused := false
	for n := 0; n < 100 && !refused; n++ {
		a := s.call(http.MethodPost, vaultPath, bytes.NewReader(f.Bytes()[:50]), edit...)
		if refused = a.status == http.StatusConflict; !refused {
			s.want(a, http.StatusBadRequest) // the first is not there yet
		}
	}
	if refused {
		_, err = w.Write(f.Bytes()[100:])
		s.check(err)
	}
	s.check(w.Close()) // only then is a first that was refused itself answered
	if first := <-done; refused {
		s.want(first, http.StatusCreated)
	}
	return refused
}

func TestConventions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	uuid := s.want(s.upload("a@example.com"), http.StatusCreated).text("data.uuid")
	s.settled(uuid)
	if a := s.get(vaultPath, header("X-Request-ID", "my.call-1")); a.header.Get("X-Request-ID") != "my.call-1" {
		t.Errorf("the request's ID became %q", a.header.Get("X-Request-ID"))
	}
	for _, insane := range []string{strings.Repeat("x", 101), "a b", `"><script>`} {
		if a := s.get(vaultPath, header("X-Request-ID", insane)); a.header.Get("X-Request-ID") == insane {
			t.Errorf("the request's ID %q was taken", insane)
		}
	}
	if a := s.want(s.call(http.MethodDelete, vaultPath, nil), http.StatusMethodNotAllowed); a.header.Get("Allow") != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
	if a := s.want(s.call(http.MethodOptions, bulkPath, nil), http.StatusNoContent); a.header.Get("Allow") != "OPTIONS, POST" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
	for _, path := range []string{"/nothing", "/business", "/panel/status", vaultPath + "/" + uuid + "/x"} {
		s.want(s.get(path), http.StatusNotFound)
	}
	for _, path := range []string{vaultPath, vaultPath + "/", vaultPath + "/" + uuid, "/business/batches", "/openapi.json", "/docs"} {
		got, head := s.want(s.get(path), http.StatusOK), s.want(s.call(http.MethodHead, path, nil), http.StatusOK)
		if len(head.body) != 0 || head.header.Get("Content-Length") != fmt.Sprint(len(got.body)) {
			t.Errorf("HEAD %s: %v %v", path, head.header, head)
		}
	}
	for _, query := range []string{"?page=0", "?page=-1", "?page=x", "?per_page=0", "?per_page=1000", "?status=lost", "?status[]=failed", "?search[0]=x", "?from=x", "?search=%ff", "?search=" + strings.Repeat("x", 2000)} {
		s.want(s.get(vaultPath+query), http.StatusUnprocessableEntity)
	}
	if a := s.want(s.get(vaultPath+"?page=1000000"), http.StatusOK); a.get("meta.from") != nil || a.get("meta.total") != 1.0 {
		t.Errorf("page a million: %v", a)
	}
	// What is no query to Go is one to PHP: nothing is left out of it in silence.
	for query, want := range map[string]float64{
		"?search=ann;x": 0, "?search=50%": 0, "?search=%zz": 0, "?search=%%61nn": 0, "?search=%6": 0,
		"?search=%61nn": 1, "?status=approved&search=a%6En&x=%": 1, "?x=;&search=ann": 1, "?status=failed&%=;": 0,
	} {
		if a := s.want(s.get(vaultPath+query), http.StatusOK); a.get("meta.total") != want {
			t.Errorf("%s finds %v, want %v", query, a.get("meta.total"), want)
		}
	}
	page := s.want(s.get(vaultPath+"?search=ann&page=1"), http.StatusOK)
	if got := page.text("links.first"); got != s.base+vaultPath+"?page=1&search=ann" {
		t.Errorf("the first page's address is %s", got)
	}
}

// TestSlashes answers a client whose base URL ends with a slash, without sending it
// elsewhere.
func TestSlashes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/" + vaultPath, "//business//certificate-vault", vaultPath} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+path, nil)
		s.check(err)
		req.Header.Set("Authorization", "Bearer "+s.token)
		resp, err := http.DefaultTransport.RoundTrip(req)
		s.check(err)
		if s.check(resp.Body.Close()); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

func TestDownloads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := vaultPath + "/" + s.want(s.upload("a@example.com"), http.StatusCreated).text("data.uuid")
	seen := s.settled(strings.TrimPrefix(path, vaultPath+"/"))
	path += "/download"
	whole := s.want(s.get(path), http.StatusOK)
	tag := whole.header.Get("ETag")
	if tag != `"`+seen.text("data.verified.sha256")+`"` || whole.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("headers %v", whole.header)
	}
	document := len(smallPDF("a@example.com"))
	for _, r := range [][2]int{{0, 0}, {5, 20}, {document - 3, document + 3}, {document, len(whole.body) - 1}} {
		a := s.want(s.get(path, header("Range", fmt.Sprintf("bytes=%d-%d", r[0], r[1]))), http.StatusPartialContent)
		if !bytes.Equal(a.body, whole.body[r[0]:r[1]+1]) {
			t.Errorf("bytes %d to %d differ", r[0], r[1])
		}
	}
	if a := s.want(s.get(path, header("Range", "bytes=-7")), http.StatusPartialContent); !bytes.Equal(a.body, whole.body[len(whole.body)-7:]) {
		t.Error("the last bytes differ")
	}
	for _, none := range []string{"bytes=99999999-", "bytes=-0", "bytes=5-2", "bytes=x"} {
		a := s.want(s.get(path, header("Range", none)), http.StatusRequestedRangeNotSatisfiable)
		if got := a.header.Get("Content-Range"); got != fmt.Sprintf("bytes */%d", len(whole.body)) || a.message() == "" || a.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %v, Content-Range %q", none, a, got)
		}
	}
	s.want(s.get(path, header("Range", "items=0-1")), http.StatusOK)
	s.want(s.call(http.MethodHead, path, nil, header("Range", "bytes=0-1")), http.StatusOK)
	if a := s.want(s.get(path, header("If-Match", `"x"`)), http.StatusPreconditionFailed); a.message() == "" || a.header.Get("ETag") != "" {
		t.Errorf("another document: %v %v", a.header, a)
	}
	s.want(s.get(path, header("If-None-Match", tag)), http.StatusNotModified)
	s.want(s.get(path, header("If-None-Match", `"x"`)), http.StatusOK)
	s.want(s.get(path, header("Range", "bytes=0-3"), header("If-Range", `"x"`)), http.StatusOK)
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, func(c *config.Config) { c.Limits.PerMinute = 3 })
	// A minute has just begun, so that no other begins meanwhile.
	s.clock.advance(s.clock.now().Truncate(time.Minute).Add(time.Minute + time.Second).Sub(s.clock.now()))
	for left := 2; left >= 0; left-- {
		if a := s.want(s.get(vaultPath), http.StatusOK); a.header.Get("RateLimit-Remaining") != fmt.Sprint(left) || a.header.Get("RateLimit-Limit") != "3" {
			t.Errorf("headers %v", a.header)
		}
	}
	if a := s.want(s.get(vaultPath), http.StatusTooManyRequests); a.header.Get("Retry-After") == "" {
		t.Errorf("headers %v", a.header)
	}
	s.as(s.newToken("certificate-vault:list")).want(s.as(s.newToken("certificate-vault:list")).get(vaultPath), http.StatusOK)
	s.clock.advance(time.Minute)
	s.want(s.get(vaultPath), http.StatusOK)
}

// TestIdleConnections serves while a thousand others hold their connections open,
// some of them in the middle of a request. How soon is held to a bound only where the
// test has the machine to itself.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	patience := time.Minute
	if os.Getenv("VECCTL_ALONE") != "" {
		patience = 250 * time.Millisecond
	}
	said := []string{"", "GET " + vaultPath + " HTTP/1.1\r\nHost: x\r\n",
		"POST " + vaultPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\nContent-Type: application/json\r\n\r\n{"}
	for i := range 1000 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		s.check(err)
		defer conn.Close()
		_, err = io.WriteString(conn, said[i%len(said)])
		s.check(err)
	}
	begun := time.Now()
	s.want(s.get(vaultPath), http.StatusOK)
	s.want(s.upload("a@example.com"), http.StatusCreated)
	if took := time.Since(begun); took > 2*patience {
		t.Errorf("two answers took %v", took)
	}
}

// TestManyUploads hands large documents in, many at once.
func TestManyUploads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := 50
	if testing.Short() {
		n = 5
	}
	large := append(smallPDF("x"), bytes.Repeat([]byte("\n"), 4<<20)...)
	var crew sync.WaitGroup
	for i := range n {
		crew.Go(func() {
			a := s.post(vaultPath, person(fmt.Sprintf("p%d@example.com", i)).file("certificate_file", "c.pdf", large))
			if a.status != http.StatusCreated {
				t.Errorf("upload %d: %v", i, a)
			}
		})
	}
	crew.Wait()
	s.noTemporaryFiles()
}

package agent_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

var changing = regexp.MustCompile(`"(POST|PUT|PATCH|DELETE) `)

// changingRoutes finds, in the sources of everything that answers staff and
// programs, each route by which something may be changed, as it is written there.
// The public's pages and what mail servers and other vaults tell are no acts.
func changingRoutes(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, dir := range []string{"adminapi", "api", "../authority/api"} {
		files := token.NewFileSet()
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					found = append(found, routesOf(files, strings.TrimPrefix(dir, "../"), call)...)
				}
				return true
			})
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// routesOf reads a call that routes: mux.HandleFunc("POST /x", ...),
// a.route(mux, "/x", methods{http.MethodPost: ...}), handle("x", stores(http.MethodPost, ...)).
func routesOf(files *token.FileSet, room string, call *ast.CallExpr) (found []string) {
	text := func(n ast.Node) string {
		var b bytes.Buffer
		_ = printer.Fprint(&b, files, n)
		return b.String()
	}
	name := text(call.Fun)
	name = name[strings.LastIndexByte(name, '.')+1:]
	if len(call.Args) < 2 {
		return nil
	}
	path := text(call.Args[0])
	switch name {
	case "HandleFunc", "Handle":
		if changing.MatchString(path) {
			return []string{room + " " + path}
		}
		return nil
	case "route":
		path = text(call.Args[1])
	case "handle":
	default:
		return nil
	}
	for _, method := range []string{"Post", "Put", "Patch", "Delete"} {
		for _, arg := range call.Args[1:] {
			if strings.Contains(text(arg), "http.Method"+method) {
				found = append(found, room+" "+strings.ToUpper(method)+" "+path)
			}
		}
	}
	return found
}

// ofHome are the calls that are about no institution.
var ofHome = regexp.MustCompile(`/panel/(retention/run|authority|backup|erasures|keys|mails/send)|/api/certify/`)

// watched is a vault of which every call that changes something is compared with
// the audit trail.
type watched struct {
	*testing.T
	agent  *agent.Agent
	staff  *adminclient.Client // whose calls are watched
	quiet  *adminclient.Client // whose calls are not
	mu     sync.Mutex
	calls  int
	who    string // who the caller should be found to be
	report client.BulkReport
}

func (x *watched) check(err error) {
	x.Helper()
	if err != nil {
		x.Error(err)
	}
}

// acts is the audit trail.
func (x *watched) acts() []audit.Entry {
	x.Helper()
	var all []audit.Entry
	for {
		last := uint64(0)
		if len(all) > 0 {
			last = all[len(all)-1].Seq
		}
		piece, err := x.quiet.AuditTrail(context.Background(), last)
		if x.check(err); err != nil || len(piece) == 0 {
			return all
		}
		all = append(all, piece...)
	}
}

// watch wants an entry for each call that is not refused, and none for the others.
func (x *watched) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		before := len(x.acts())
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		defer func() { // at the end: who has the answer goes on
			maps.Copy(w.Header(), rec.Header())
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		}()
		found := x.acts()[before:]
		what := r.Method + " " + r.URL.Path
		if strings.HasPrefix(r.URL.Path, "/panel/recipients/") {
			what = r.Method + " /panel/recipients/(erased)"
			if strings.HasSuffix(r.URL.Path, "/export") {
				what = r.Method + " /panel/recipients/(recipient)/export"
			}
		}
		switch {
		case rec.Code >= http.StatusBadRequest:
			x.Errorf("%s was refused: %d %s", what, rec.Code, rec.Body)
		case len(found) != 1 || found[0].Request != what:
			x.Errorf("%s left %+v in the audit trail, want one entry", what, found)
		case found[0].Object == "" || (found[0].Institution == "" && !ofHome.MatchString(what)):
			x.Errorf("%s does not say what it was about: %+v", what, found[0])
		case found[0].Actor != x.who || found[0].At.IsZero() || (found[0].RemoteAddr == "local") != (x.who == "staff (registrar)"):
			x.Errorf("%s was done by %q, it says %+v", what, x.who, found[0])
		}
		x.calls++
	})
}

// call makes a call from the network; who it is by is what the trail should say.
func (x *watched) call(who, path, body string, headers map[string]string) map[string]any {
	x.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	x.who = who
	defer func() { x.who = "staff (registrar)" }()
	w := httptest.NewRecorder()
	x.watch(x.agent.PublicHandler()).ServeHTTP(w, r)
	var answer map[string]any
	x.check(json.Unmarshal(w.Body.Bytes(), &answer))
	return answer
}

// newWatched makes a vault whose workers rest; work has them begin.
func newWatched(t *testing.T) (x *watched, work func()) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	settings := levelSettings(newAuthority(t), "t")
	settings["VECCTL_MAIL_HOLD"] = "1h"
	a, err := agent.Open(t.Context(), agent.Options{
		Home: home.Dir(dir), Config: configWith(t, dir, settings), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC", Sender: "r@example.org"},
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	x = &watched{T: t, agent: a, who: "staff (registrar)"}
	named := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set(adminclient.UserHeader, "registrar")
			next.ServeHTTP(w, r)
		})
	}
	for to, h := range map[**adminclient.Client]http.Handler{&x.quiet: a.Handler(), &x.staff: x.watch(a.Handler())} {
		*to, err = adminclient.New("http://vecctl.test", client.InProcess(named(h)))
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() {
		stop()
		running.Wait()
		x.check(a.Close())
	})
	return x, func() {
		running.Go(func() { x.check(a.Run(ctx)) })
		waitFor(t, "certificates to be done", func() bool {
			s, err := x.quiet.AgentStatus(t.Context())
			return err == nil && s.Certificates["processing"] == 0
		})
	}
}

// Whatever changes something leaves its entry in the audit trail: who, when, what
// and from where. A route that is added without a case here is found in the sources.
func TestEveryActIsWrittenDown(t *testing.T) {
	x, work := newWatched(t)
	left := changingRoutes(t)
	run := func(cases []auditCase) {
		for _, one := range cases {
			i := slices.Index(left, one.route)
			if i < 0 {
				t.Errorf("there is no route %s any more", one.route)
				continue
			}
			left = slices.Delete(left, i, i+1)
			before := x.calls
			one.do(x)
			if x.calls == before {
				t.Errorf("%s was not tried", one.route)
			}
		}
	}
	run(resting())
	work()
	run(working())
	run(ofPrograms())
	run(ofTheAuthority())
	for _, route := range left {
		t.Errorf("%s has no case here: show that it leaves its entry in the audit trail", route)
	}
	last, err := x.quiet.EachAuditEntry(t.Context(), func(audit.Entry) error { return nil })
	if err != nil || last.Seq == 0 {
		t.Errorf("the trail ends with %+v, %v", last, err)
	}
}

// Package health reports how an agent is: what is wrong now, its metrics, and
// whether its disk has room.
package health

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Problem is something that is wrong now.
type Problem struct {
	Name    string `json:"name"`    // a stable word, such as "disk"
	Message string `json:"message"` // what, and what to do, for a person
	// Blocking says that nothing new is taken as long as it lasts.
	Blocking bool `json:"blocking"`
}

// Health is how an agent is. It is safe for concurrent use.
type Health struct {
	mu       sync.Mutex
	problems []Problem
	running  bool
	metrics  *metrics
}

// New makes one of what it may ask. The agent is not ready yet.
func New(source Source, build Build) *Health {
	h := &Health{}
	h.metrics = newMetrics(source, build, h.Ready)
	return h
}

// SetRunning says whether the agent answers and works.
func (h *Health) SetRunning(is bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running = is
}

// Raise notes a problem; it is true when that was not known yet.
func (h *Health) Raise(p Problem) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.problems, func(q Problem) bool { return q.Name == p.Name })
	if i >= 0 {
		h.problems[i] = p
		return false
	}
	h.problems = append(h.problems, p)
	return true
}

// Clear notes that a problem is gone; it is true when there was one.
func (h *Health) Clear(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := len(h.problems)
	h.problems = slices.DeleteFunc(h.problems, func(p Problem) bool { return p.Name == name })
	return len(h.problems) < before
}

// Problems lists what is wrong now.
func (h *Health) Problems() []Problem {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.problems)
}

// Find returns a problem that is there now.
func (h *Health) Find(name string) (Problem, bool) {
	for _, p := range h.Problems() {
		if p.Name == name {
			return p, true
		}
	}
	return Problem{}, false
}

// Alarm raises and clears one problem, for the part that finds it.
type Alarm struct {
	Health   *Health
	Name     string
	Blocking bool
}

// Raise shows the problem and reports whether that is new.
func (a Alarm) Raise(message string) bool {
	return a.Health.Raise(Problem{Name: a.Name, Message: message, Blocking: a.Blocking})
}

// Clear ends the problem and reports whether there was one.
func (a Alarm) Clear() bool { return a.Health.Clear(a.Name) }

// Find is what the problem says, where there is one.
func (a Alarm) Find() (message string, found bool) {
	p, found := a.Health.Find(a.Name)
	return p.Message, found
}

// Ready reports whether the agent runs and nothing keeps it from taking more.
func (h *Health) Ready() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.running && !slices.ContainsFunc(h.problems, func(p Problem) bool { return p.Blocking })
}

// ServeHTTP answers at Paths.
func (h *Health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case livePath:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	case readyPath:
		h.readyz(w, r)
	case metricsPath:
		h.metrics.handler().ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (h *Health) readyz(w http.ResponseWriter, _ *http.Request) {
	body := struct {
		Ready    bool      `json:"ready"`
		Problems []Problem `json:"problems"`
	}{h.Ready(), append([]Problem{}, h.Problems()...)}
	raw, err := json.Marshal(body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if !body.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(raw, '\n'))
}

// The paths of Health.
const (
	livePath    = "/livez"
	readyPath   = "/readyz"
	metricsPath = "/metrics"
)

// Paths lists where Health answers.
func Paths() []string { return []string{livePath, readyPath, metricsPath} }

// LocalOnly answers this machine's own clients at Paths; for others there is nothing
// there. A call that a proxy passed on comes from elsewhere.
func (h *Health) LocalOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(Paths(), r.URL.Path) && isLocal(r) {
			h.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLocal(r *http.Request) bool {
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || strings.HasPrefix(name, "X-Forwarded-") || name == "X-Real-Ip" {
			return false
		}
	}
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

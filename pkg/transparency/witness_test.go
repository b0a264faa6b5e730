package transparency_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/transparency"
)

// growing is a log that is witnessed.
type growing struct {
	*stored
	key  *transparency.Key
	size int64
}

// checkpoint grows the log to a size with entries of a history, and signs it.
func (g *growing) checkpoint(t *testing.T, history string, size int64) []byte {
	t.Helper()
	for ; g.size < size; g.size++ {
		g.grow(t, g.size, fmt.Appendf(nil, "%s %d", history, g.size))
	}
	root, err := tlog.TreeHash(size, g)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := g.key.Sign(size, root)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// ask asks a witness about the log at a size.
func (g *growing) ask(t *testing.T, c transparency.Cosigner, history string, old, size int64) ([]byte, error) {
	t.Helper()
	signed := g.checkpoint(t, history, size)
	proof, err := transparency.ProveGrowth(size, old, g)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := c.Ask(t.Context(), http.DefaultTransport, old, proof, signed)
	if err == nil {
		all := append(signed, lines...)
		if _, err := transparency.OpenCheckpoint(all, g.key.Public()); err != nil {
			t.Errorf("the cosigned checkpoint: %v", err)
		}
		if found := transparency.Cosignatures(all, []transparency.Cosigner{c}); len(found) != 1 || found[0].At.IsZero() || found[0].Name != c.Name() {
			t.Errorf("the cosignatures are %+v", found)
		}
	}
	return lines, err
}

// openWitness runs a witness in a folder.
func openWitness(t *testing.T, folder, name string, k *transparency.Key) transparency.Cosigner {
	t.Helper()
	w, err := transparency.OpenWitness(folder, name, random(), []string{k.Public()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	c, err := transparency.ParseCosigner(w.PublicKey() + " " + server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWitnessFollowsALog(t *testing.T) {
	k := newKey(t, "University")
	folder := filepath.Join(t.TempDir(), "witness")
	c := openWitness(t, folder, "archive.example.edu", k)
	log := &growing{stored: &stored{}, key: k}
	for _, step := range [][2]int64{{0, 3}, {3, 3}, {3, 10}, {10, 300}} {
		if _, err := log.ask(t, c, "a", step[0], step[1]); err != nil {
			t.Fatalf("from %d to %d: %v", step[0], step[1], err)
		}
	}
	_, err := log.ask(t, c, "a", 10, 300)
	if stale, ok := errors.AsType[*transparency.StaleError](err); !ok || stale.Known != 300 {
		t.Errorf("an old size that is not the last: %v", err)
	}
	_, err = log.ask(t, c, "a", 5, 5)
	if stale, ok := errors.AsType[*transparency.StaleError](err); !ok || stale.Known != 300 {
		t.Errorf("a log that has shrunk: %v", err)
	}
	// The witness is started again, and has forgotten nothing.
	again := openWitness(t, folder, "", k)
	if again.Key != c.Key {
		t.Errorf("the key is %s, and was %s", again.Key, c.Key)
	}
	fork := &growing{stored: &stored{}, key: k}
	if _, err := fork.ask(t, again, "b", 300, 400); !errors.Is(err, transparency.ErrNotContinued) {
		t.Errorf("another history: %v", err)
	}
	_, err = fork.ask(t, again, "b", 300, 300)
	if stale, ok := errors.AsType[*transparency.StaleError](err); !ok || stale.Known != 300 {
		t.Errorf("another history of the same size: %v", err)
	}
	if _, err := log.ask(t, again, "a", 300, 301); err != nil {
		t.Errorf("the log afterwards: %v", err)
	}
	if _, err := transparency.OpenWitness(folder, "other", random(), nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("another name: %v", err)
	}
}

func TestWitnessRefuses(t *testing.T) {
	k := newKey(t, "University")
	other, err := transparency.NewKey(strings.NewReader(strings.Repeat("y", 100)), "University")
	if err != nil {
		t.Fatal(err)
	}
	c := openWitness(t, filepath.Join(t.TempDir(), "witness"), "archive.example.edu", k)
	signed := string((&growing{stored: &stored{}, key: k}).checkpoint(t, "a", 3))
	foreign := string((&growing{stored: &stored{}, key: other}).checkpoint(t, "a", 3))
	for _, one := range []struct {
		name, body string
		want       int
	}{
		{"no request", "", http.StatusBadRequest},
		{"no size", "old x\n\n" + signed, http.StatusBadRequest},
		{"a negative size", "old -1\n\n" + signed, http.StatusBadRequest},
		{"a size with a zero", "old 00\n\n" + signed, http.StatusBadRequest},
		{"an old size beyond", "old 4\n\n" + signed, http.StatusBadRequest},
		{"a proof of a first", "old 0\n" + strings.Repeat("A", 43) + "=\n\n" + signed, http.StatusBadRequest},
		{"too long a proof", "old 0\n" + strings.Repeat(strings.Repeat("A", 43)+"=\n", 64) + "\n" + signed, http.StatusBadRequest},
		{"no hash", "old 0\nx\n\n" + signed, http.StatusBadRequest},
		{"another log", "old 0\n\n" + foreign, http.StatusNotFound},
		{"another key's mark", "old 0\n\n" + strings.Replace(foreign, other.Origin()+"\n", k.Origin()+"\n", 1), http.StatusForbidden},
		{"an edited checkpoint", "old 0\n\n" + strings.Replace(signed, "\n3\n", "\n4\n", 1), http.StatusForbidden},
		{"an old size not known", "old 2\n\n" + signed, http.StatusConflict},
		{"a first", "old 0\n\n" + signed, http.StatusOK},
	} {
		response, err := http.Post(c.URL+"/add-checkpoint", "text/plain", strings.NewReader(one.body))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.Body.Close() != nil {
			t.Fatal(err)
		}
		if response.StatusCode != one.want {
			t.Errorf("%s: status %d %s, want %d", one.name, response.StatusCode, body, one.want)
		}
	}
	for path, want := range map[string]int{"/add-checkpoint": http.StatusMethodNotAllowed, "/other": http.StatusNotFound} {
		response, err := http.Get(c.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != want {
			t.Errorf("GET %s: status %d", path, response.StatusCode)
		}
	}
	for _, text := range []string{"", "x", k.Public(), c.Key + " ftp://x"} {
		if _, err := transparency.ParseCosigner(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is taken for a witness: %v", text, err)
		}
	}
}

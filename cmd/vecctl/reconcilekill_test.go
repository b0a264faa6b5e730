package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/clienttest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// killer stands between a command and a vault. At a call it kills the command, or the vault:
// then it loses the answer and refuses the next calls.
type killer struct {
	mu      sync.Mutex
	left    int  // calls until it kills; below 1 it does not
	after   bool // the vault has done what it was asked for
	vault   bool // it kills the vault, not the command
	down    int  // calls that a killed vault refuses
	killed  bool
	command *exec.Cmd
	under   sync.WaitGroup // the calls that the vault has not answered
}

var errKilled = errors.New("killed")

func (k *killer) RoundTrip(r *http.Request) (*http.Response, error) {
	k.under.Add(1)
	defer k.under.Done()
	k.mu.Lock()
	refused := k.down > 0
	if refused {
		k.down--
	}
	k.left--
	due := !refused && k.left == 0
	after, vaultKilled, command := k.after, k.vault, k.command
	k.mu.Unlock()
	if refused {
		return nil, errKilled
	}
	var resp *http.Response
	var err error
	if !due || after {
		resp, err = http.DefaultTransport.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	}
	if !due {
		return resp, err
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.killed = true
	if vaultKilled {
		k.down = 2
	} else {
		_ = command.Process.Kill()
	}
	return nil, errKilled
}

func (k *killer) before(t *testing.T, vault string) string {
	t.Helper()
	to, err := url.Parse(vault)
	must(t, err)
	server := httptest.NewServer(&httputil.ReverseProxy{Transport: k, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }})
	t.Cleanup(server.Close)
	return server.URL
}

// TestBulkKilled kills the command and the vault, again and again, while a manifest is
// issued on a vault of either dialect: every row is issued once, and the last report says so.
// In the long form there are 300 rows, 200 kills of the command and 50 of the vault.
func TestBulkKilled(t *testing.T) {
	t.Parallel()
	eachKilled(t, 6, func(here *site, address, manifest string) *exec.Cmd {
		return here.command("bulk", manifest, "--api", address, "--token", clienttest.Token, "-o", "json", "--out", here.out)
	})
}

// TestRelayKilled does the same to a home in front of the vault. The command is the agent there.
func TestRelayKilled(t *testing.T) {
	t.Parallel()
	eachKilled(t, 60, func(here *site, address, manifest string) *exec.Cmd {
		command := here.command("bulk", manifest, "-o", "json", "--out", here.out)
		command.Env = append(command.Env, "VECCTL_RELAY_URL="+address, "VECCTL_RELAY_TOKEN="+clienttest.Token)
		return command
	})
}

// eachKilled kills a command, or the vault, at one of the next calls, until that was done often
// enough and the command has ended by itself, for a vault of either dialect.
func eachKilled(t *testing.T, within int, make func(here *site, address, manifest string) *exec.Cmd) {
	rows, kills := 40, 10
	if long() {
		rows, kills = 300, 250
	}
	for name, vaultOf := range map[string]func(testing.TB) *clienttest.Server{"guide": clienttest.Guide, "reference": clienttest.Reference} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there, here := vaultOf(t), newSite(t)
			there.Set(clienttest.Faults{OneDuplicate: true, HideFor: 1, ProcessFor: 1})
			k := &killer{}
			address := k.before(t, there.URL)
			random := rand.New(rand.NewPCG(7, 11))
			run := func(manifest string, left int, after, vaultKilled bool) result {
				command := make(here, address, manifest)
				k.mu.Lock() // until it is started, it has no process to be killed
				k.left, k.after, k.vault, k.down, k.killed, k.command = left, after, vaultKilled, 0, false, command
				output := here.start(command)
				k.mu.Unlock()
				done := here.finish(command, output)
				k.under.Wait()
				return done
			}
			issued, commands, vaults := 0, 0, 0
			for round := 0; commands+vaults < kills; round++ {
				manifest := here.numbered(round, rows)
				for done := false; !done; {
					vaultKilled := (commands+vaults)%5 == 4
					left := 2 + random.IntN(within)
					if commands+vaults >= kills {
						left = 0
					}
					r := run(manifest, left, random.IntN(2) == 0, vaultKilled)
					k.mu.Lock()
					killed := k.killed
					k.mu.Unlock()
					switch {
					case killed && vaultKilled:
						vaults++
					case killed:
						commands++
					}
					if done = r.code == 0; !done {
						continue
					}
					var report client.BulkReport
					must(t, json.Unmarshal([]byte(r.stdout), &report))
					if report.Issued+report.Unchanged != rows || report.Failed != 0 {
						t.Fatalf("round %d: %v", round, r)
					}
					issued += rows
				}
			}
			once := map[vault.Key]int{}
			for _, c := range there.Issued() {
				if once[c.Key()]++; once[c.Key()] > 1 {
					t.Errorf("%s was issued twice", c.Email)
				}
			}
			if len(once) != issued {
				t.Errorf("%d certificates, want %d", len(once), issued)
			}
			t.Logf("%d rows issued once after %d kills of the command and %d of the vault", issued, commands, vaults)
		})
	}
}

// numbered writes a manifest whose rows share one document.
func (s *site) numbered(round, rows int) string {
	s.t.Helper()
	s.file("all.pdf", smallPDF("all", 0))
	var b strings.Builder
	b.WriteString("title,name,email,date,file\n")
	for i := range rows {
		fmt.Fprintf(&b, "Round %d,Person %d,p%d@example.org,2026-05-31,all.pdf\n", round, i, i)
	}
	return s.file(fmt.Sprintf("numbered-%d.csv", round), []byte(b.String()))
}

package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/service"
	"github.com/vecctl/vecctl/authority/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
)

const (
	certifications = 100_000
	certifyCallers = 64
	certifyTime    = 4 * time.Second
	limitAddresses = 1_000_000
)

// benchCertify asks a running agent about badges, many callers at once, against a
// bare handler in a process of its own that writes the same body.
func benchCertify(s setup, t *table) error {
	home := filepath.Join(s.dir, fmt.Sprintf("certify-%d", certifications))
	hashes, err := fillAuthority(s, home)
	if err != nil {
		return err
	}
	agent, address, err := startAt(exec.Command(s.vecctl, "agent", "--home", home, "--listen", "127.0.0.1:0", "--proxies", "127.0.0.1"))
	if err != nil {
		return err
	}
	defer stopAgent(agent)
	body, err := oneAnswer(address, hashes[0])
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	peer := exec.Command(self)
	peer.Env = append(os.Environ(), bareBody+"="+body)
	peer, peerAddress, err := startAt(peer)
	if err != nil {
		return err
	}
	defer stopAgent(peer)
	var ours, theirs, ourWork, theirWork []float64
	for range s.repeat {
		mine, work, err := askMany(agent.Process.Pid, address, hashes)
		if err != nil {
			return err
		}
		bare, bareWork, err := askMany(peer.Process.Pid, peerAddress, hashes)
		if err != nil {
			return err
		}
		ours, theirs = append(ours, mine), append(theirs, bare)
		ourWork, theirWork = append(ourWork, work), append(theirWork, bareWork)
	}
	t.rate("verify of 100,000 badges, calls a second", ours, theirs, 0.6, plain)
	// On a machine with other work to do, this says more.
	t.told("processor time of such a call", ourWork, millis)
	t.told("that of the bare handler", theirWork, millis)
	t.below("memory of the limit for 1,000,000 addresses", once(limitMemory()), 10<<20, megas)
	return nil
}

// fillAuthority makes a home with certifications and returns their hashes.
func fillAuthority(s setup, home string) ([]string, error) {
	if err := quiet(s.vecctl, "init", "--no-input", "--home", home); err != nil {
		return nil, err
	}
	db, err := bolt.Open(filepath.Join(home, "vault.db"), time.Second)
	if err != nil {
		return nil, err
	}
	rows, err := db.Rows(store.Tables()...)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	keys, err := service.OpenKeyring(filepath.Join(home, "keys", "authority.json"), rand.Reader, time.Now)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	secret, err := keys.Current()
	hashes := make([]string, 0, certifications)
	book := store.New(rows, time.Now)
	for from := 0; from < certifications && err == nil; from += 1000 {
		err = book.Write(context.Background(), func(w *store.Writer) error {
			for i := from; i < from+1000; i++ {
				c, err := newCertification(secret, i)
				if err != nil {
					return err
				}
				hashes = append(hashes, c.Hash)
				if err := w.PutLatest(c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return hashes, errors.Join(err, db.Close())
}

func newCertification(secret authority.Secret, i int) (authority.Certification, error) {
	nonce, err := authority.NewNonce(rand.Reader)
	if err != nil {
		return authority.Certification{}, err
	}
	claim := authority.Claim{Domain: fmt.Sprintf("store%d.example.com", i), Project: fmt.Sprintf("Store number %d", i), Snapshot: authority.Snapshot{
		SDKVersion: "1.9.0",
		Features:   authority.Features{Base: true, ReferenceStrict: true, Governance: true, Financial: true},
		Services:   authority.Services{TransactionVerifier: true, ReferenceGovernor: true, FinancialRecordManager: true, CurrencyNormalizer: true},
		Config: authority.Config{APIKeySet: true, StoreSlugSet: true, ReferenceStrictMode: true, ReferenceGovernanceEnabled: true,
			FinancialReconciliationEnabled: true, BaseCurrencySet: true},
	}}
	now := time.Now()
	c, err := claim.NewRequest(fmt.Sprintf("req_%024x", i), authority.Account{Slug: fmt.Sprintf("store-%d", i)}, authority.DefaultMinSDK, now)
	if err != nil {
		return c, err
	}
	return c.Grant(secret, nonce, now)
}

// bareBody is the variable that makes this program serve a body and nothing else.
const bareBody = "VECCTL_BENCH_BARE"

// serveBare is the peer: net/http and a handler that writes one body.
func serveBare(body string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("bare handler ready: http://" + l.Addr().String())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
}

// startAt starts a server and returns the address that it says it is ready at.
func startAt(server *exec.Cmd) (*exec.Cmd, string, error) {
	out, err := server.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := server.Start(); err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), "http://")
	if err != nil || !ok {
		stopAgent(server)
		return nil, "", fmt.Errorf("a server did not say where it is: %q, %w", line, err)
	}
	return server, address, nil
}

func oneAnswer(address, hash string) (string, error) {
	resp, err := http.Get("http://" + address + "/api/certify/verify/" + hash)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("a badge is answered with %s: %s", resp.Status, body)
	}
	return string(body), err
}

// askMany returns calls a second, and seconds of a server's processor time a call,
// of many callers at once, each call from another
// address, as a proxy passes it on. The callers speak HTTP by hand, so that most of
// the work is the server's.
func askMany(pid int, address string, hashes []string) (rate, work float64, err error) {
	before, err := processorTime(pid)
	if err != nil {
		return 0, 0, err
	}
	var calls atomic.Int64
	var callers sync.WaitGroup
	failed := make(chan error, certifyCallers)
	begun := time.Now()
	for n := range certifyCallers {
		callers.Go(func() {
			if err := askOver(address, hashes, uint64(n), begun.Add(certifyTime), &calls); err != nil {
				failed <- err
			}
		})
	}
	callers.Wait()
	took := time.Since(begun).Seconds()
	close(failed)
	after, err := processorTime(pid)
	n := float64(calls.Load())
	return n / took, (after - before) / n, errors.Join(err, <-failed)
}

func askOver(address string, hashes []string, seed uint64, until time.Time, calls *atomic.Int64) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	random := mathrand.New(mathrand.NewPCG(seed, uint64(until.UnixNano())))
	in := bufio.NewReader(conn)
	var ip [4]byte
	for time.Now().Before(until) {
		binary.BigEndian.PutUint32(ip[:], random.Uint32())
		_, err := fmt.Fprintf(conn, "GET /api/certify/verify/%s HTTP/1.1\r\nHost: bench\r\nX-Forwarded-For: %d.%d.%d.%d\r\nX-Forwarded-Proto: https\r\n\r\n",
			hashes[random.IntN(len(hashes))], ip[0], ip[1], ip[2], ip[3])
		if err != nil {
			return err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("a badge is answered with %s", resp.Status)
		}
		calls.Add(1)
	}
	return nil
}

// limitMemory is what the limit of verify takes when so many addresses call within
// its minute.
func limitMemory() float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	table := service.NewRateLimiter(100, time.Minute, 1<<20)
	now := time.Now()
	for i := range uint32(limitAddresses) {
		table.Admit(binary.BigEndian.AppendUint32(nil, i), now)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(table)
	return float64(after.HeapAlloc) - float64(before.HeapAlloc)
}

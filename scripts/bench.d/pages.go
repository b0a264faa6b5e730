package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
)

const (
	pagesCallers = 16
	pagesTime    = 3 * time.Second
)

// benchPages asks for the verification pages of many certificates at random, each of
// which was asked for before, and
// for the same number of bytes of a handler that does nothing but write them. Both
// are served in this process, one after the other.
func benchPages(s setup, t *table) error {
	dir := filepath.Join(s.dir, fmt.Sprintf("idle-%d", idleCertificates))
	if err := fillHome(s, dir); err != nil {
		return err
	}
	references, err := referencesIn(filepath.Join(dir, "vault.db"))
	if err != nil {
		return err
	}
	set, err := config.Load(config.Source{Home: dir, File: config.File(home.Dir(dir).Config())})
	if err != nil {
		return err
	}
	set.Listen = "127.0.0.1:0"
	a, err := agent.Open(context.Background(), agent.Options{
		Home: home.Dir(dir), Config: &set, Command: "bench", LockWait: time.Second, Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	ours, page, err := pagesOf(a, references, s.repeat)
	if err = errors.Join(err, a.Close()); err != nil {
		return err
	}
	peer, err := bareOf(page, references, s.repeat)
	if err != nil {
		return err
	}
	t.rate("verification pages a second, 100,000", ours.rate, peer.rate, 0.5, plain)
	// The wall clock counts what else runs on the machine; this does not.
	t.rate("the same, a second of a processor", ours.perSecond, peer.perSecond, 0.5, plain)
	return nil
}

// referencesIn lists the reference IDs of a database's certificates.
func referencesIn(path string) (all []string, err error) {
	db, err := bolt.Open(path, time.Second)
	if err != nil {
		return nil, err
	}
	for n := 1; err == nil && len(all) < idleCertificates; n++ {
		var page store.Page
		if page, err = db.List(context.Background(), store.Filter{Institution: 1}, n, 1000); len(page.Certificates) == 0 {
			break
		}
		for _, c := range page.Certificates {
			all = append(all, c.Reference)
		}
	}
	return all, errors.Join(err, db.Close())
}

// pagesOf measures an agent, and returns a page of its.
func pagesOf(a *agent.Agent, references []string, repeat int) (done pace, page []byte, err error) {
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- a.Serve(ctx, func(_, public string) { ready <- public })
	}()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	var at string
	select {
	case at = <-ready:
	case err := <-ended:
		ended <- nil
		return done, nil, err
	}
	resp, err := http.Get(at + "/v/" + references[0])
	if err != nil {
		return done, nil, err
	}
	defer resp.Body.Close()
	if page, err = io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		return done, nil, errors.Join(err, fmt.Errorf("a verification page answers %s", resp.Status))
	}
	at = at[len("http://"):]
	first, firstPerSecond, err := paceOf(at, references)
	if err != nil {
		return done, nil, err
	}
	fmt.Fprintf(os.Stderr, "bench: the first pages come at %.0f a second, %.0f a second of a processor\n", first, firstPerSecond)
	if err := visitAll(at, references); err != nil {
		return done, nil, err
	}
	done, err = paces(at, references, repeat)
	return done, page, err
}

// bareOf measures a handler that writes a page's bytes.
func bareOf(page []byte, references []string, repeat int) (pace, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return pace{}, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	done, err := paces(l.Addr().String(), references, repeat)
	err = errors.Join(err, server.Close())
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return done, err
}

// pace is how many pages came in a second, and in a second of a processor, the
// caller's part included, in each run.
type pace struct{ rate, perSecond []float64 }

func paces(at string, references []string, repeat int) (pace, error) {
	rates, perSecond := make([]float64, repeat), make([]float64, repeat)
	for i := range rates {
		var err error
		if rates[i], perSecond[i], err = paceOf(at, references); err != nil {
			return pace{}, err
		}
	}
	return pace{rates, perSecond}, nil
}

// paceOf asks for pages over a few connections for a while.
func paceOf(at string, references []string) (rate, perSecond float64, err error) {
	var done atomic.Int64
	failed := make([]error, pagesCallers)
	before, err := processorTime(os.Getpid())
	if err != nil {
		return 0, 0, err
	}
	end := time.Now().Add(pagesTime)
	var all sync.WaitGroup
	took, err := timed(func() error {
		for i := range pagesCallers {
			all.Go(func() { failed[i] = callPages(at, references, end, &done) })
		}
		all.Wait()
		return errors.Join(failed...)
	})
	if err != nil {
		return 0, 0, err
	}
	after, err := processorTime(os.Getpid())
	n := float64(done.Load())
	return n / took, n / (after - before), err
}

// callPages asks for pages at random until the end.
func callPages(at string, references []string, end time.Time, done *atomic.Int64) error {
	return callEach(at, func(yield func(string) bool) {
		for time.Now().Before(end) && yield(references[mathrand.IntN(len(references))]) {
			done.Add(1)
		}
	})
}

// visitAll asks for every page once, so that what follows measures a vault that has
// been up for a while.
func visitAll(at string, references []string) error {
	failed := make([]error, pagesCallers)
	var all sync.WaitGroup
	part := (len(references) + pagesCallers - 1) / pagesCallers
	for i := range pagesCallers {
		mine := references[min(i*part, len(references)):min((i+1)*part, len(references))]
		all.Go(func() { failed[i] = callEach(at, slices.Values(mine)) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// callEach asks for pages over one connection.
func callEach(at string, references iter.Seq[string]) error {
	conn, err := net.Dial("tcp", at)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for reference := range references {
		if _, err := fmt.Fprintf(conn, "GET /v/%s HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\nAccept-Language: en-GB,en;q=0.8\r\n\r\n", reference, at); err != nil {
			return err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || n < 1000 {
			return errors.Join(err, fmt.Errorf("a page answers %s with %d bytes", resp.Status, n))
		}
	}
	return nil
}

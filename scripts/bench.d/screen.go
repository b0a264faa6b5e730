package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// Sizes of the screen's bench.
const (
	screenRows   = 1_000_000
	screenRate   = 500 // certificates finished a second
	screenKeys   = 200
	screenWidth  = 110
	screenHeight = 35
)

// benchScreen runs the terminal screen on a terminal of ours, over a stand-in for
// the agent, whose certificates are made up. So nothing but the screen is measured.
func benchScreen(s setup, t *table) error {
	dir, err := os.MkdirTemp("", "screen") // a socket's path must be short
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	v := &standIn{}
	stop, err := v.serve(home.Dir(dir))
	if err != nil {
		return err
	}
	defer stop()
	cmd := exec.Command(s.vecctl, "tui", "--home", dir)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "TMUX=", "NO_COLOR=", "VECCTL_API=")
	tty, err := startOnTerminal(cmd, screenWidth, screenHeight)
	if err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if err := tty.sees("graduation", time.Minute); err != nil {
		return err
	}
	if err := tty.press("2"); err != nil {
		return err
	}
	if err := tty.sees("Person 999", time.Minute); err != nil {
		return err
	}
	v.run.Store(true)
	time.Sleep(2 * time.Second)
	if err := watchWhileBusy(t, cmd.Process.Pid); err != nil {
		return err
	}
	if err := keysWhileBusy(t, cmd.Process.Pid, tty, v); err != nil {
		return err
	}
	return throughAll(t, cmd.Process.Pid, tty)
}

// watchWhileBusy leaves the screen alone while certificates are finished.
func watchWhileBusy(t *table, pid int) error {
	const span = 10 * time.Second
	before, err := processorTime(pid)
	if err != nil {
		return err
	}
	time.Sleep(span)
	after, err := processorTime(pid)
	t.below("screen: of a core, being watched", once((after-before)/span.Seconds()), 0.05, percent)
	return err
}

// keysWhileBusy presses keys while certificates are finished.
func keysWhileBusy(t *table, pid int, tty *terminal, v *standIn) error {
	before, err := processorTime(pid)
	if err != nil {
		return err
	}
	begun, frames, finished := time.Now(), tty.frames.Load(), v.finished.Load()
	var late []float64
	for i := range screenKeys {
		key := "j"
		if i%20 >= 10 {
			key = "k"
		}
		took, err := tty.answer(key)
		if err != nil {
			return err
		}
		late = append(late, took.Seconds())
		time.Sleep(100*time.Millisecond + time.Duration(i%7)*5*time.Millisecond)
	}
	after, err := processorTime(pid)
	if err != nil {
		return err
	}
	took := time.Since(begun).Seconds()
	slices.Sort(late)
	t.told("screen: certificates finished a second", once(float64(v.finished.Load()-finished)/took), plain)
	t.below("screen: frames a second", once(float64(tty.frames.Load()-frames)/took), 30.5, plain)
	t.told("screen: of a core, with a key every 0.1 s", once((after-before)/took), percent)
	t.told("screen: a key is answered, median", once(late[len(late)/2]), millis)
	t.below("screen: a key is answered, 99th percentile", once(late[len(late)*99/100]), 0.05, millis)
	return nil
}

// throughAll goes through the list of all certificates.
func throughAll(t *table, pid int, tty *terminal) error {
	if err := tty.press("3"); err != nil {
		return err
	}
	if err := tty.sees("1,000,000", time.Minute); err != nil {
		return err
	}
	for range 20 {
		for _, key := range []string{"\x1b[6~", "\x1b[6~", "G", "\x1b[5~", "\x1b[5~", "g"} {
			if err := tty.press(key); err != nil {
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	memory, err := resident(pid)
	if err != nil {
		return err
	}
	t.below("screen: memory, 1,000,000 certificates", once(memory), 60<<20, megas)
	return nil
}

// standIn answers a screen as an agent would that finishes certificates at a
// steady rate.
type standIn struct {
	run      atomic.Bool
	finished atomic.Int64
}

func (v *standIn) serve(dir home.Dir) (stop func(), err error) {
	path := filepath.Join(string(dir), "agent.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	err = dir.WriteLockInfo(home.LockInfo{PID: os.Getpid(), Command: "bench", Since: time.Now(), Endpoint: &home.Endpoint{Network: "unix", Address: path}})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	go v.finish(ctx)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /panel/status", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v.status()) })
	mux.HandleFunc("GET /panel/events", v.events)
	mux.HandleFunc("/business/certificate-vault", v.list)
	mux.HandleFunc("/business/batches", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(client.Page[client.Batch]{Data: []client.Batch{v.batch()}, Meta: client.Meta{LastPage: 1, Total: 1}})
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	return func() {
		cancel()
		_ = server.Close()
	}, nil
}

// finish finishes certificates in small groups, as a vault's transactions do.
func (v *standIn) finish(ctx context.Context) {
	const step = 20 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if v.run.Load() {
				v.finished.Add(screenRate * int64(step) / int64(time.Second))
			}
		}
	}
}

func (v *standIn) status() adminclient.AgentStatus {
	n := int(v.finished.Load())
	return adminclient.AgentStatus{Institution: "Bench", Certificates: map[string]int{"approved": n, "processing": screenRows - n},
		Jobs: map[string]adminclient.Queue{}, Problems: []adminclient.Problem{}}
}

func (v *standIn) batch() client.Batch {
	n := int(v.finished.Load())
	return client.Batch{BatchID: "b", Name: "graduation", Status: "processing", Total: screenRows, Processing: screenRows - n, Approved: n,
		CreatedAt: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
}

// events streams a snapshot, then what happens, as the agent does.
func (v *standIn) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	send := func(kind string, id uint64, body any) {
		raw, _ := json.Marshal(body) // texts and numbers
		_, _ = fmt.Fprintf(w, "event: %s\nid: %d\ndata: %s\n\n", kind, id, raw)
	}
	seq := uint64(2 * v.finished.Load())
	send("snapshot", seq, adminclient.Snapshot{Status: v.status(), Batches: []client.Batch{v.batch()}})
	for r.Context().Err() == nil {
		if last := v.send(send, seq); last > seq {
			send("batch", last, v.batch())
			seq = last
			continue
		}
		if control.Flush() != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// send sends the events after one, up to a group of them, and returns the number of
// the last: each certificate is created and approved.
func (v *standIn) send(send func(kind string, id uint64, body any), seq uint64) uint64 {
	const group = 256
	last := min(uint64(2*v.finished.Load()), seq+group)
	for n := seq + 1; n <= last; n++ {
		c := made(int(screenRows - n/2))
		e := adminclient.CertificateEvent{Event: "certificate_application.created", UUID: c.UUID, ReferenceID: c.ReferenceID, BatchID: "b",
			Title: c.Title, Name: c.Name, Email: c.Email, Trigger: "bulk_upload", At: time.Now()}
		if n%2 == 0 {
			e.Event = "certificate_application.approved"
		}
		send("certificate", n, e)
	}
	return last
}

func made(i int) client.Certificate {
	batch := "b"
	c := client.Certificate{
		ID: uint64(i), UUID: fmt.Sprintf("0198b1a4-0000-7000-8000-%012d", i), ReferenceID: fmt.Sprintf("VEC-IC-2026%013X", i),
		Content: client.Content{Title: "Certificate of Achievement", Name: fmt.Sprintf("Person %d", i), Email: fmt.Sprintf("person%d@example.org", i), IssueDate: "2026-06-01"},
		Status:  client.Status{Value: "processing", Label: "Processing", Description: "Certificate is being processed"}, BatchID: &batch,
		File:      client.File{Name: fmt.Sprintf("certificate-%d.pdf", i), Size: 50_000, SHA256: fmt.Sprintf("%064x", i)},
		VerifyURL: fmt.Sprintf("https://vec.example.edu/v/VEC-IC-2026%013X", i),
	}
	c.ShareURL = c.VerifyURL
	return c
}

func (v *standIn) list(w http.ResponseWriter, r *http.Request) {
	page, err1 := strconv.Atoi(r.URL.Query().Get("page"))
	perPage, err2 := strconv.Atoi(r.URL.Query().Get("per_page"))
	if err1 != nil || err2 != nil {
		http.Error(w, "page and per_page are numbers", http.StatusUnprocessableEntity)
		return
	}
	found := client.Page[client.Certificate]{Meta: client.Meta{Total: screenRows, CurrentPage: page, LastPage: screenRows / perPage}}
	for i := (page - 1) * perPage; i < min(page*perPage, screenRows); i++ {
		found.Data = append(found.Data, made(screenRows-i))
	}
	_ = json.NewEncoder(w).Encode(found)
}

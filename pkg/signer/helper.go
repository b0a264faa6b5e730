package signer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// helper is a process that signs.
type helper struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	lines  chan []byte // what it wrote; closed at the end of its output
	stderr lastBytes
	pin    string
	lastID int64

	readErr error         // set before lines is closed
	ended   chan struct{} // closed when the process is gone
	kills   sync.Once
	killed  chan struct{}
}

// maxAnswer bounds a line: signatures of 256 digests with RSA-8192 take a third of it.
const maxAnswer = 1 << 20

// endWait is how long a helper may take to end by itself.
const endWait = 2 * time.Second

func startHelper(command, environ []string, pin string) (*helper, error) {
	cmd := exec.Command(command[0], command[1:]...) //nolint:gosec // the operator names the helper
	h := &helper{cmd: cmd, lines: make(chan []byte, 1), pin: pin, ended: make(chan struct{}), killed: make(chan struct{})}
	cmd.Env, cmd.Stderr, cmd.WaitDelay = environ, &h.stderr, endWait
	var err error
	if h.in, err = cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	if h.out, err = cmd.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, err //nolint:wrapcheck // names the program
	}
	go func() {
		h.readErr = h.read()
		close(h.lines)
		_ = cmd.Wait() // how it ended does not matter: it failed already, or is not needed
		close(h.ended)
	}()
	return h, nil
}

// read passes on what the helper writes, until its output ends.
func (h *helper) read() error {
	in := bufio.NewReaderSize(h.out, maxAnswer)
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("it wrote a line of more than %d bytes", maxAnswer)
		case err != nil && len(line) == 0:
			return nil //nolint:nilerr // the end of the output is told by the channel
		}
		select {
		case h.lines <- append([]byte(nil), line...):
		case <-h.killed:
			return nil
		}
	}
}

// call sends a request and returns the answer to it. After an error the helper is of no more use.
func (h *helper) call(ctx context.Context, q execRequest) (a execAnswer, err error) {
	select {
	case line, more := <-h.lines:
		if more {
			return a, fmt.Errorf("it wrote %.60q without being asked", h.redact(string(line)))
		}
		return a, h.endError()
	default:
	}
	h.lastID++
	q.ID = h.lastID
	text, err := json.Marshal(q)
	if err != nil {
		return a, fmt.Errorf("write a request: %w", err)
	}
	defer context.AfterFunc(ctx, h.kill)()
	if _, err := h.in.Write(append(text, '\n')); err != nil {
		return a, h.endError()
	}
	select {
	case line, more := <-h.lines:
		if !more {
			return a, h.endError()
		}
		if err := json.Unmarshal(line, &a); err != nil {
			return a, fmt.Errorf("it wrote %.60q, which is no answer", h.redact(string(line)))
		}
	case <-ctx.Done():
		return a, ctx.Err()
	}
	if a.ID != q.ID {
		return a, fmt.Errorf("it answered request %d, and request %d was asked", a.ID, q.ID)
	}
	return a, nil
}

// endError says that the helper's output has ended.
func (h *helper) endError() error {
	if h.readErr != nil {
		return h.readErr
	}
	patience := time.NewTimer(endWait)
	defer patience.Stop()
	select { // what it wrote last is there when it is gone
	case <-h.ended:
	case <-patience.C:
	}
	return errors.New("it has ended")
}

// explain returns the text of an error, and what the helper wrote last to its standard error.
func (h *helper) explain(err error) string {
	text := err.Error()
	if last := h.stderr.String(); last != "" {
		text += "; its last words are: " + last
	}
	return h.redact(text)
}

// redact returns a text of the helper as one line without the PIN.
func (h *helper) redact(text string) string {
	if h.pin != "" {
		text = strings.ReplaceAll(text, h.pin, "****")
	}
	const most = 400
	text = strings.Join(strings.Fields(text), " ")
	return strings.ToValidUTF8(text[:min(len(text), most)], "?")
}

func (h *helper) hasEnded() bool {
	select {
	case <-h.ended:
		return true
	default:
		return false
	}
}

// kill ends the helper at once. It may be called more than once.
func (h *helper) kill() {
	h.kills.Do(func() {
		close(h.killed)
		_ = h.cmd.Process.Kill() // it may be gone already
		h.in.Close()
		h.out.Close()
	})
}

// end has the helper end, which the end of its input asks it for.
func (h *helper) end() {
	h.in.Close()
	patience := time.NewTimer(endWait)
	defer patience.Stop()
	select {
	case <-h.ended:
	case <-patience.C:
	}
	h.kill()
}

// lastBytes keeps the end of what is written to it.
type lastBytes struct {
	mu   sync.Mutex
	kept []byte
}

func (l *lastBytes) Write(p []byte) (int, error) {
	const most = 512
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, p...)
	if over := len(l.kept) - most; over > 0 {
		l.kept = append(l.kept[:0], l.kept[over:]...)
	}
	return len(p), nil
}

func (l *lastBytes) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.kept)
}

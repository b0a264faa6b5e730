package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a terminal with a program on it: what it draws is counted and
// searched, and forgotten.
type terminal struct {
	master *os.File
	frames atomic.Int64
	mu     sync.Mutex
	recent []byte
	moved  chan time.Time // when the sign of the selected row was drawn
}

// Sequences of terminals: each frame of a program that was told that they are known
// begins with one (the terminal-wg's synchronized updates, mode 2026).
var (
	askSync    = []byte("\x1b[?2026$p")
	knowSync   = []byte("\x1b[?2026;2$y")
	beginFrame = []byte("\x1b[?2026h")
	selected   = []byte(">")
)

// startOnTerminal starts a program on a new terminal (pts(4)).
func startOnTerminal(cmd *exec.Cmd, width, height uint16) (*terminal, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, fmt.Errorf("unlocking a terminal: %w", err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, fmt.Errorf("naming a terminal: %w", err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width}); err != nil {
		return nil, fmt.Errorf("sizing a terminal: %w", err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer slave.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	t := &terminal{master: master, moved: make(chan time.Time, 1)}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go t.read()
	return t, nil
}

// read reads what is drawn, until the program has gone.
func (t *terminal) read() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := t.master.Read(buffer)
		if err != nil {
			return
		}
		now, drawn := time.Now(), buffer[:n]
		if bytes.Contains(drawn, askSync) {
			_, _ = t.master.Write(knowSync)
		}
		t.frames.Add(int64(bytes.Count(drawn, beginFrame)))
		if bytes.Contains(drawn, selected) {
			select {
			case t.moved <- now:
			default:
			}
		}
		t.mu.Lock()
		t.recent = append(t.recent, drawn...)
		t.recent = t.recent[max(0, len(t.recent)-(256<<10)):]
		t.mu.Unlock()
	}
}

func (t *terminal) press(keys string) error {
	_, err := t.master.WriteString(keys)
	return err
}

// answer presses a key that selects another row and returns how long it is until
// that is drawn.
func (t *terminal) answer(key string) (time.Duration, error) {
	select {
	case <-t.moved:
	default:
	}
	begun := time.Now()
	if err := t.press(key); err != nil {
		return 0, err
	}
	select {
	case at := <-t.moved:
		return at.Sub(begun), nil
	case <-time.After(10 * time.Second):
		return 0, fmt.Errorf("the key %q is not answered", key)
	}
}

// sees waits until something has been drawn.
func (t *terminal) sees(text string, patience time.Duration) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		t.mu.Lock()
		there := bytes.Contains(t.recent, []byte(text))
		t.mu.Unlock()
		if there {
			return nil
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Errorf("%q is not drawn; the last was %q", text, t.recent[max(0, len(t.recent)-2000):])
}

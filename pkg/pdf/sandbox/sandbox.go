// Package sandbox makes pages of images in a process of its own. Pixels are passed
// to libraries that were not written for hostile ones; what they do with memory
// and time there hurts nobody: the process has little of both, and only one runs
// at a time.
package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/image"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// Arg is the only argument of a program that is to serve as a sandbox.
const Arg = "page-of-image"

const (
	maxMemory = 1 << 30 // bytes beyond those that the program itself takes
	softLimit = 3 << 28 // from which on the garbage collector makes an effort
	maxTime   = time.Minute
	maxOutput = 512 << 20 // 40 megapixels of which nothing could be compressed
	// exitRefused says that a refusal is on stderr: its reason and, on the next
	// line, what is wrong.
	exitRefused = 3
)

// Sandbox starts a program that calls Serve when its only argument is Arg.
type Sandbox struct {
	program string
	name    string
	env     []string
	time    time.Duration
	output  int // bytes
	slot    chan struct{}
}

// New makes a sandbox of the program that is running, which was started as name.
func New(name string) (*Sandbox, error) {
	program, err := executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's own file: %w", err)
	}
	return &Sandbox{program: program, name: name, env: os.Environ(), time: maxTime, output: maxOutput, slot: make(chan struct{}, 1)}, nil
}

// Convert does what pdf.FromImage does. An image that does not get ready within
// the sandbox's bounds is refused.
func (c *Sandbox) Convert(w io.Writer, r io.ReaderAt, size int64) error {
	if _, err := image.Measure(r, size); err != nil {
		return err // most of what is bad is found without a process
	}
	c.slot <- struct{}{}
	defer func() { <-c.slot }()
	ctx, cancel := context.WithTimeout(context.Background(), c.time) //nolint:forbidigo // bounded by itself: an image is a page or none
	defer cancel()
	out, complaint := limitedBuffer{left: c.output}, limitedBuffer{left: 64 << 10}
	cmd := c.command(ctx, io.NewSectionReader(r, 0, size))
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil && cmd.ProcessState.ExitCode() == exitRefused {
		reason, what, _ := strings.Cut(complaint.all.String(), "\n")
		return reject.New(reject.Reason(reason), what)
	} else if ok {
		return reject.New(reject.ImageTooLarge, "Making a page of the image takes more memory or time than it may")
	}
	if err != nil {
		return fmt.Errorf("make a page of an image: %w", err)
	}
	if _, err := w.Write(out.all.Bytes()); err != nil {
		return fmt.Errorf("write the image's page: %w", err)
	}
	return nil
}

func (c *Sandbox) command(ctx context.Context, data io.Reader) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.program, Arg)
	cmd.Args[0], cmd.Env, cmd.Stdin = c.name, c.env, data
	return cmd
}

// limitedBuffer keeps what is written as far as it may be.
type limitedBuffer struct {
	all  bytes.Buffer // not embedded: its ReadFrom knows no bounds
	left int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, io.ErrShortWrite
	}
	return b.all.Write(p)
}

// Serve is what the program in the sandbox does, with its own streams; it returns
// the exit code.
func Serve(in io.Reader, out, complaint io.Writer) int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // who started it decides
	debug.SetMemoryLimit(softLimit)
	if err := setLimits(maxMemory, maxTime); err != nil {
		fmt.Fprintln(complaint, err)
		return 1
	}
	data, err := io.ReadAll(in)
	if err == nil {
		err = image.ToPDF(out, bytes.NewReader(data), int64(len(data)))
	}
	if r, ok := errors.AsType[*reject.Rejection](err); ok {
		fmt.Fprintf(complaint, "%s\n%s", r.Reason, strings.TrimSuffix(r.Message, ". "+r.Reason.Remedy()))
		return exitRefused
	}
	if err != nil {
		fmt.Fprintln(complaint, err)
		return 1
	}
	return 0
}

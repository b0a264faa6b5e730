// Package readback reads a code back from a stamped page, as a phone would.
package readback

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	pixelsPerModule = 5
	maxDPI          = 3000
	maxSeconds      = 30      // of processor time for drawing a page
	maxKilobytes    = 2 << 20 // of address space for it
)

// Place is where the code lies: parts of the page's width and height as a
// reader sees it, from the top left corner.
type Place struct {
	Page       int // from 1
	X, Y, W, H float64
	Modules    int
}

// CanRender reports whether the programs are here that draw a page and read the code
// from the picture: pdftoppm of poppler, and zbarimg.
func CanRender() bool {
	for _, name := range [2]string{"pdftoppm", "zbarimg"} {
		if _, err := exec.LookPath(name); err != nil {
			return false
		}
	}
	return true
}

// CheckRendered draws the part of the page around the code and reads it. The error
// says what was read instead of want.
func CheckRendered(ctx context.Context, r io.ReaderAt, size int64, at Place, want string) error {
	v, err := cropArgs(r, size, at)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "scan")
	if err != nil {
		return fmt.Errorf("scan a code back: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // in the system's temporary folder, which is swept
	file := filepath.Join(dir, "page.pdf")
	if err := saveFile(file, r, size); err != nil {
		return fmt.Errorf("scan a code back: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*maxSeconds*time.Second)
	defer cancel()
	args := slices.Concat(v, []string{"-cropbox", "-gray", "-singlefile", "-f", strconv.Itoa(at.Page), "-l", strconv.Itoa(at.Page), file, filepath.Join(dir, "page")})
	if _, err := runBounded(ctx, "pdftoppm", args...); err != nil {
		return fault.Wrap(fault.Invalid, err, "The stamped page cannot be drawn to read its code back.")
	}
	out, err := runBounded(ctx, "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", filepath.Join(dir, "page.pgm"))
	if got := strings.TrimSuffix(string(out), "\n"); err == nil && got == want {
		return nil
	} else if got != "" {
		return fault.Newf(fault.Invalid, "The code on the page says %.200q and not %.200q.", got, want)
	}
	return fault.Wrap(fault.Invalid, fmt.Errorf("zbarimg: %w", err), "The code on the page cannot be read: something lies over it.")
}

// cropArgs are pdftoppm's arguments for the part of the page around the code. It
// draws in units of the page, whatever UserUnit says.
func cropArgs(r io.ReaderAt, size int64, at Place) ([]string, error) {
	f, err := xref.Open(r, size)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := page.Find(f, at.Page)
	if err != nil {
		return nil, err
	}
	w, h := p.VisibleSize()
	w, h = w/p.UserUnit, h/p.UserUnit
	module := at.W * w / float64(at.Modules) // in points
	dpi := min(math.Ceil(72*pixelsPerModule/module), maxDPI)
	k, edge := dpi/72, qr.QuietZone*module
	pixels := func(name string, x float64) []string { return []string{name, strconv.Itoa(int(max(0, x*k)))} }
	args := []string{"-r", strconv.Itoa(int(dpi))}
	for _, a := range [][]string{
		pixels("-x", at.X*w-edge), pixels("-y", at.Y*h-edge),
		pixels("-W", at.W*w+2*edge), pixels("-H", at.H*h+2*edge),
	} {
		args = append(args, a...)
	}
	return args, nil
}

func saveFile(name string, r io.ReaderAt, size int64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.NewSectionReader(r, 0, size))
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

// runBounded runs a program that may meet a hostile file, with limits of time and
// memory where the system has a shell to set them.
func runBounded(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	if runtime.GOOS == "linux" {
		limits := fmt.Sprintf(`ulimit -t %d; ulimit -v %d; exec "$0" "$@"`, maxSeconds, maxKilobytes)
		cmd = exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", limits, name}, args...)...)
	}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &limitedWriter{to: &out}, &limitedWriter{to: &errs}
	if err := cmd.Run(); err != nil {
		return []byte(out.String()), fmt.Errorf("%s: %w: %.300s", name, err, errs.String())
	}
	return []byte(out.String()), nil
}

// limitedWriter drops what is beyond a few kilobytes.
type limitedWriter struct{ to *strings.Builder }

func (l *limitedWriter) Write(b []byte) (int, error) {
	l.to.Write(b[:min(len(b), max(0, 8192-l.to.Len()))])
	return len(b), nil
}

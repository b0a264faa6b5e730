package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	pdfimage "github.com/vecctl/vecctl/pkg/pdf/image"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

const role = "VECCTL_TEST_CAGE"

// TestMain makes the test binary serve as a sandbox, and as what may go wrong in one.
func TestMain(m *testing.M) {
	if len(os.Args) != 2 || os.Args[1] != Arg {
		os.Exit(m.Run())
	}
	switch os.Getenv(role) {
	case "memory":
		if err := setLimits(maxMemory, maxTime); err != nil {
			panic(err)
		}
		var all [][]byte
		for range 64 {
			all = append(all, bytes.Repeat([]byte{1}, 64<<20))
		}
		fmt.Print(len(all))
	case "time":
		time.Sleep(time.Hour)
	case "crash":
		panic("as an index out of range would")
	case "output":
		for {
			if _, err := os.Stdout.Write(make([]byte, 1<<20)); err != nil {
				os.Exit(1)
			}
		}
	default:
		os.Exit(Serve(os.Stdin, os.Stdout, os.Stderr))
	}
}

func caged(t *testing.T, as string) *Sandbox {
	t.Helper()
	c, err := New(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	c.env = append(c.env, role+"="+as)
	return c
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA64(image.Rect(0, 0, 90, 60))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestConvert(t *testing.T) {
	file := picture(t)
	var got, want bytes.Buffer
	if err := caged(t, "").Convert(&got, bytes.NewReader(file), int64(len(file))); err != nil {
		t.Fatal(err)
	}
	if err := pdfimage.ToPDF(&want, bytes.NewReader(file), int64(len(file))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes in the cage, %d outside", got.Len(), want.Len())
	}
}

// TestRefusals shows that a refusal is the same from within the sandbox.
func TestRefusals(t *testing.T) {
	file := picture(t)
	at := bytes.Index(file, []byte("IDAT"))
	cut := file[:at+10]
	lies := slices.Concat(file[:at-4], file[len(file)-12:]) // no pixels, and all sums right
	for _, bad := range [][]byte{cut, lies, nil} {
		want := pdfimage.ToPDF(&bytes.Buffer{}, bytes.NewReader(bad), int64(len(bad)))
		got := caged(t, "").Convert(&bytes.Buffer{}, bytes.NewReader(bad), int64(len(bad)))
		if want == nil || got == nil || got.Error() != want.Error() {
			t.Errorf("%v, want %v", got, want)
		}
		var complaint bytes.Buffer
		if code := serveAlone(t, bad, &complaint); code != exitRefused || !strings.HasPrefix(complaint.String(), string(reject.DamagedImage)+"\n") {
			t.Errorf("the cage itself says %d, %s", code, complaint.String())
		}
	}
}

// serveAlone is what a process in the sandbox does, without being one.
func serveAlone(t *testing.T, file []byte, complaint *bytes.Buffer) int {
	t.Helper()
	c := caged(t, "")
	cmd := c.command(t.Context(), bytes.NewReader(file))
	cmd.Stderr = complaint
	_ = cmd.Run() // the exit code tells
	return cmd.ProcessState.ExitCode()
}

// TestBounds shows that what runs wild in the sandbox ends there.
func TestBounds(t *testing.T) {
	file := picture(t)
	for as, limit := range map[string]time.Duration{"memory": maxTime, "time": 50 * time.Millisecond, "crash": maxTime, "output": maxTime} {
		t.Run(as, func(t *testing.T) {
			if as == "memory" && runtime.GOOS != "linux" {
				t.Skip("memory cannot be bounded here")
			}
			c := caged(t, as)
			c.time, c.output = limit, 8<<20
			err := c.Convert(&bytes.Buffer{}, bytes.NewReader(file), int64(len(file)))
			if r, ok := errors.AsType[*reject.Rejection](err); !ok || r.Reason != reject.ImageTooLarge {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestLargest makes a page of the largest image that is taken, in the sandbox's
// bounds, in the form that takes the most memory.
func TestLargest(t *testing.T) {
	if os.Getenv("VECCTL_ALONE") == "" {
		t.Skip("set VECCTL_ALONE=1: it takes a gigabyte and, under the race detector, more processor time than the cage gives")
	}
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewNRGBA64(image.Rect(0, 0, 8000, 5000))); err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	c := caged(t, "")
	c.time *= 10 // others may have the machine; the bound of processor time stays
	if err := c.Convert(&page, bytes.NewReader(file.Bytes()), int64(file.Len())); err != nil || page.Len() == 0 {
		t.Errorf("%v, %d bytes", err, page.Len())
	}
}

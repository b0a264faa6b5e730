package health_test

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
)

// light is an alarm of its own.
type light struct {
	mu  sync.Mutex
	why string
}

func (l *light) Raise(why string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := l.why == ""
	l.why = why
	return fresh
}

func (l *light) Clear() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	lit := l.why != ""
	l.why = ""
	return lit
}

func (l *light) Find() (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why, l.why != ""
}

// fullDisk is a disk with so much room as a test says.
type fullDisk struct {
	free  atomic.Uint64
	total uint64
}

func (d *fullDisk) Disk() (home.Disk, error) {
	return home.Disk{Free: d.free.Load(), Total: d.total}, nil
}

// counter counts how often it is woken.
type counter int

func (c *counter) Wake() { *c++ }

// TestIntakeWaitsForRoom lets a disk run full, get a little room, and then enough.
func TestIntakeWaitsForRoom(t *testing.T) {
	t.Parallel()
	dir := home.Dir(t.TempDir())
	if err := os.MkdirAll(filepath.Join(dir.Blobs(), "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		const total = 1 << 30
		disk := &fullDisk{total: total}
		free := &disk.free
		var woken counter
		var bus events.Bus
		staff := bus.Subscribe()
		defer staff.Stop()
		s := health.NewDiskMonitor(health.DiskMonitorOptions{
			Home: dir, Disk: disk, Alarm: &light{}, Events: &bus, Work: &woken,
			Now: time.Now, Log: slog.New(slog.DiscardHandler),
		})
		answer := func(method string) int {
			next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
			w := httptest.NewRecorder()
			s.RejectWhenFull(func(w http.ResponseWriter, _ *http.Request, err error) {
				if !fault.Is(err, fault.Full) {
					t.Errorf("refused with %v", err)
				}
				w.WriteHeader(http.StatusInsufficientStorage)
			})(next).ServeHTTP(w, httptest.NewRequest(method, "/", nil))
			return w.Code
		}
		free.Store(total)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Watch(ctx) }()
		for _, step := range []struct {
			free uint64
			post int
		}{
			{total, 200}, {8 << 20, 507}, {20 << 20, 507}, {40 << 20, 200}, {20 << 20, 200},
		} {
			free.Store(step.free)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if got := answer(http.MethodPost); got != step.post {
				t.Errorf("with %d MB free: %d, want %d", step.free>>20, got, step.post)
			}
			if got := answer(http.MethodGet); got != 200 {
				t.Errorf("with %d MB free, reading: %d", step.free>>20, got)
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		var told []string
		notices, _ := staff.TakeNotices()
		for _, n := range notices {
			told = append(told, n.Level)
		}
		if woken != 1 || len(told) != 2 || told[0] != "error" || told[1] != "info" {
			t.Errorf("woken %d times, told %v", woken, told)
		}
	})
}

// What pauses intake is named, so that nobody makes room where files are lacking.
func TestHeldSaysWhy(t *testing.T) {
	t.Parallel()
	for says, err := range map[string]error{
		"disk is full":        &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC},
		"too many files open": &fs.PathError{Op: "open", Path: "x", Err: syscall.EMFILE},
	} {
		full := &light{}
		s := health.NewDiskMonitor(health.DiskMonitorOptions{Alarm: full, Events: &events.Bus{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		s.ReportError(err)
		if why, _ := full.Find(); !strings.Contains(why, says) {
			t.Errorf("%v: intake pauses since %q", err, why)
		}
	}
}

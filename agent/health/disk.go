package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Room on the home's disk. Below the reserve nothing new is taken, so that what
// was taken can still be finished; above twice the reserve it goes on.
const (
	maxDiskReserve    = 16 << 20
	diskReservePart   = 20 // of the whole disk, where that is less
	diskCheckInterval = 5 * time.Second
	// probeSize is what is written to see whether the disk takes it.
	probeSize = 64 << 10
)

// DiskAlarm is a problem that staff see as long as it lasts.
type DiskAlarm interface {
	// Raise and Clear report whether that is new.
	Raise(message string) bool
	Clear() bool
	Find() (message string, found bool)
}

// Disk reports the room on a disk. home.Dir is one.
type Disk interface {
	Disk() (home.Disk, error)
}

// DiskMonitorOptions are what is needed to watch a disk.
type DiskMonitorOptions struct {
	Home   home.Dir
	Disk   Disk        // the home's
	Alarm  DiskAlarm   // that the disk is full
	Events *events.Bus // is told what holds up work
	Work   wake.Waker  // is woken when work goes on
	Now    func() time.Time
	Log    *slog.Logger
}

// DiskMonitor keeps watch over the room on a home's disk.
type DiskMonitor struct {
	DiskMonitorOptions
	notices repeatFilter
}

// NewDiskMonitor makes a watch; it starts nothing.
func NewDiskMonitor(o DiskMonitorOptions) *DiskMonitor { return &DiskMonitor{DiskMonitorOptions: o} }

func reserveOf(total uint64) uint64 { return min(maxDiskReserve, total/diskReservePart) }

// Accepting is nil when the agent takes what is new, else the reason, of kind
// fault.Full.
func (s *DiskMonitor) Accepting() error {
	s.Check()
	if why, found := s.Alarm.Find(); found {
		return fault.New(fault.Full, why)
	}
	return nil
}

// Check pauses intake when the disk is nearly full.
func (s *DiskMonitor) Check() {
	disk, err := s.Disk.Disk()
	if err != nil || disk.Free >= reserveOf(disk.Total) {
		return // a disk that cannot be asked is judged by what writing says
	}
	// Callers from elsewhere read this too: it names no folder.
	s.pause(fmt.Sprintf("nothing new is taken: the disk is full; make room, then run the same command again (%d MB are left; an agent goes on by itself)",
		disk.Free>>20))
}

// ReportError is told of what holds up work. A full disk pauses intake, and so do too many
// open files; all of it is logged, and the same thing once a minute at most.
func (s *DiskMonitor) ReportError(err error) {
	err = fsutil.DiskError(err, "working on certificates")
	if s.notices.isNew(err.Error(), s.Now()) {
		s.Log.Error("work is held up", "error", err)
	}
	switch {
	case fsutil.TooManyOpenFiles(err):
		s.pause("nothing new is taken: the agent has too many files open; raise its limit (ulimit -n, or LimitNOFILE of the service), or wait, since it goes on by itself")
	case fault.Is(err, fault.Full):
		s.pause("nothing new is taken: the home's disk is full or cannot be written; make room, then run the same command again (an agent goes on by itself)")
	}
	s.Events.PublishError(err)
}

func (s *DiskMonitor) pause(why string) {
	if !s.Alarm.Raise(why) {
		return
	}
	s.Log.Error("intake is paused", "home", string(s.Home), "reason", why)
	s.Events.PublishNotice(adminclient.Notice{Level: "error", Message: why})
}

// Watch pauses intake when the disk runs full, and resumes it when there is
// room again.
func (s *DiskMonitor) Watch(ctx context.Context) error {
	tick := time.NewTicker(diskCheckInterval)
	defer tick.Stop()
	for {
		if _, paused := s.Alarm.Find(); paused {
			s.resume()
		} else {
			s.Check()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *DiskMonitor) resume() {
	if disk, err := s.Disk.Disk(); err == nil && disk.Free < 2*reserveOf(disk.Total) {
		return
	}
	if err := s.probe(); err != nil {
		s.Log.Debug("the disk does not take anything yet", "error", err)
		return
	}
	if s.Alarm.Clear() {
		s.Log.Info("intake goes on: there is room on the disk again")
		s.Events.PublishNotice(adminclient.Notice{Level: "info", Message: "there is room on the disk again; intake goes on"})
		s.Work.Wake()
	}
}

// probe writes and removes a small file.
func (s *DiskMonitor) probe() error {
	// What a crash leaves there is removed at the next start.
	f, err := os.CreateTemp(filepath.Join(s.Home.Blobs(), "tmp"), "probe-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, probeSize))
	return errors.Join(err, f.Sync(), f.Close())
}

// RejectWhenFull answers calls that would bring something new with 507 while the disk
// is full.
func (s *DiskMonitor) RejectWhenFull(fail func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				if err := s.Accepting(); err != nil {
					fail(w, r, err)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// repeatFilter remembers what was said last, so that it is not said all the time.
type repeatFilter struct {
	mu      sync.Mutex
	message string
	at      time.Time
}

// isNew is true for what was not said within the last minute.
func (l *repeatFilter) isNew(what string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if what == l.message && now.Sub(l.at) < time.Minute {
		return false
	}
	l.message, l.at = what, now
	return true
}

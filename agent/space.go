package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
)

// Room on the home's disk. Below the reserve nothing new is taken, so that what
// was taken can still be finished; above twice the reserve it goes on.
const (
	largestReserve = 16 << 20
	reservePart    = 20 // of the whole disk, where that is less
	spaceTick      = 5 * time.Second
	// probeSize is what is written to see whether the disk takes it.
	probeSize = 64 << 10
)

const diskProblem = "disk"

func reserveOf(d home.Disk) uint64 { return min(largestReserve, d.Total/reservePart) }

// Accepting is nil when the agent takes what is new, else the reason, of kind
// fault.Full.
func (a *Agent) Accepting() error {
	a.checkSpace()
	if p, found := a.health.Find(diskProblem); found {
		return fault.New(fault.Full, p.Message)
	}
	return nil
}

// checkSpace pauses intake when the disk is nearly full.
func (a *Agent) checkSpace() {
	d, err := a.Home.Disk()
	if err != nil || d.Free >= reserveOf(d) {
		return // a disk that cannot be asked is judged by what writing says
	}
	// Callers from elsewhere read this too: it names no folder.
	a.pauseIntake(fmt.Sprintf("nothing new is taken: the disk is full; make room, then run the same command again (%d MB are left; an agent goes on by itself)",
		d.Free>>20))
}

// held is told of what holds up work. A full disk pauses intake; all of it is
// logged, and the same thing once a minute at most.
func (a *Agent) held(err error) {
	err = blob.DiskError(err, "working on certificates")
	if a.lastHeld.isNews(err.Error(), a.Now()) {
		a.Log.Error("work is held up", "error", err)
	}
	if fault.Is(err, fault.Full) {
		a.pauseIntake("nothing new is taken: the home's disk is full or cannot be written; make room, then run the same command again (an agent goes on by itself)")
	}
	a.feed.Trouble(err)
}

func (a *Agent) pauseIntake(why string) {
	if !a.health.Raise(health.Problem{Name: diskProblem, Message: why, Blocking: true}) {
		return
	}
	a.Log.Error("intake is paused", "home", string(a.Home), "reason", why)
	a.feed.Notice(client.Notice{Level: "error", Message: why})
}

// watchSpace pauses intake when the disk runs full, and resumes it when there is
// room again.
func (a *Agent) watchSpace(ctx context.Context) error {
	tick := time.NewTicker(spaceTick)
	defer tick.Stop()
	for {
		if _, paused := a.health.Find(diskProblem); paused {
			a.resumeIntake()
		} else {
			a.checkSpace()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *Agent) resumeIntake() {
	if d, err := a.Home.Disk(); err == nil && d.Free < 2*reserveOf(d) {
		return
	}
	if err := a.probeDisk(); err != nil {
		a.Log.Debug("the disk does not take anything yet", "error", err)
		return
	}
	if a.health.Clear(diskProblem) {
		a.Log.Info("intake goes on: there is room on the disk again")
		a.feed.Notice(client.Notice{Level: "info", Message: "there is room on the disk again; intake goes on"})
		a.processor.Wake()
	}
}

// probeDisk writes and removes a small file.
func (a *Agent) probeDisk() error {
	// What a crash leaves there is removed at the next start.
	f, err := os.CreateTemp(filepath.Join(a.Home.Blobs(), "tmp"), "probe-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, probeSize))
	return errors.Join(err, f.Sync(), f.Close())
}

// whileRoom answers calls that would bring something new with 507 while the disk
// is full.
func (a *Agent) whileRoom(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			if err := a.Accepting(); err != nil {
				fail(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/vecctl/vecctl/pkg/fsutil"
)

// permissions looks for what others could read.
func (p Target) permissions(context.Context) []Finding {
	const check = "permissions"
	if runtime.GOOS == "windows" {
		return nil // access there is a matter of the folder that the home lies in
	}
	var found []Finding
	for _, path := range p.Secrets {
		info, err := os.Stat(path) // a link has no rights of its own
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			found = append(found, failure(check, "run vecctl as the home's owner", "%s cannot be looked at: %v", path, err)...)
			continue
		}
		want := fs.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			found = append(found, failure(check, fmt.Sprintf("chmod %o '%s'", want, path),
				"%s is open to others (%04o, want %04o)", path, mode, want)...)
		}
	}
	if found == nil {
		return ok(check, "the home is closed to others")
	}
	return found
}

// owners looks for what belongs to somebody else than the home does, as what root
// made there: the home's user, and so the agent, cannot open it.
func (p Target) owners(context.Context) []Finding {
	owner := fsutil.Owner(p.Home)
	if owner == "" {
		return nil // a system without owners of this kind, or no home
	}
	// What is made further down lies in folders that are made together with it.
	for _, path := range append(glob(p.Home, "*"), glob(p.Home, filepath.Join("*", "*"))...) {
		if other := fsutil.Owner(path); other != "" && other != owner {
			return failure("owner", fmt.Sprintf("as root: chown -R %s '%s'", owner, p.Home),
				"%s belongs to the user %s, who is not the home's, %s: an agent of that user may not be able to open it", path, other, owner)
		}
	}
	return nil
}

// glob are the paths in a folder that match a pattern, in order.
func glob(folder, pattern string) []string {
	found, err := fs.Glob(os.DirFS(folder), filepath.ToSlash(pattern))
	if err != nil {
		return nil // the patterns above are sound
	}
	for i, name := range found {
		found[i] = filepath.Join(folder, filepath.FromSlash(name))
	}
	return found
}

// Room on the home's disk below which it is said.
const (
	lowSpace      = 2 << 30
	criticalSpace = 256 << 20
)

func (p Target) disk(context.Context) []Finding {
	d, err := p.DiskOf(p.Home)
	if err != nil {
		return warning("disk", "", "the free space of the home's disk cannot be read: %v", err)
	}
	room := fmt.Sprintf("%.1f GB of %.1f GB are free", float64(d.Free)/(1<<30), float64(d.Total)/(1<<30))
	const fix = "remove what is not needed, or move the home to a larger disk"
	var found []Finding
	switch {
	case d.Free < criticalSpace:
		found = failure("space", fix, "%s on the home's disk", room)
	case d.Free < lowSpace:
		found = warning("space", fix, "%s on the home's disk", room)
	default:
		found = ok("space", "%s on the home's disk", room)
	}
	switch {
	case d.Network:
		return append(found, failure("disk", "move the home to a local disk; people can still drop files over the network with --drop",
			"the home lies on a network share (%s), where locks and flushes cannot be relied on", kindName(d.Kind))...)
	case d.Kind == "tmpfs":
		return append(found, warning("disk", "move the home to a disk that outlives a restart of the machine", "the home lies in memory (tmpfs)")...)
	}
	return append(found, ok("disk", "the home lies on a local disk (%s)", kindName(d.Kind))...)
}

// drop checks who can write the drop folder, and makes a file beside it to see whether that is
// announced.
func (p Target) drop(ctx context.Context) []Finding {
	return append(p.dropWriters(), p.dropEvents(ctx)...)
}

// dropWriters warns of a drop folder that people besides the agent's user can write: whatever
// they put there is signed in the institution's name. Windows keeps no such bits, so nothing is checked there.
func (p Target) dropWriters() []Finding {
	info, err := os.Stat(p.Drop)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o022 == 0 {
		return nil
	}
	who := "every user of this machine"
	if info.Mode().Perm()&0o002 == 0 {
		who = "every member of its group"
	}
	return warning("drop", fmt.Sprintf("if only some people may issue certificates: chmod go-w '%s', or a group of just these people", p.Drop),
		"%s can write the drop folder %s (%v), and so have certificates issued", who, p.Drop, info.Mode().Perm())
}

// dropEvents checks that files in the drop folder are announced.
func (p Target) dropEvents(ctx context.Context) []Finding {
	const check = "drop"
	if p.Poll {
		return ok(check, "the drop folder %s is read at intervals, without file system events", p.Drop)
	}
	beside := filepath.Dir(p.Drop)
	if _, err := os.Stat(p.Drop); err == nil {
		if d, err := p.DiskOf(p.Drop); err == nil && d.Network {
			return failure(check, "set drop.poll: true, or start the agent with --poll",
				"the drop folder %s lies on a network share (%s), which does not announce files of other machines", p.Drop, kindName(d.Kind))
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return failure(check, "let vecctl's user read and write it", "the drop folder %s cannot be looked at: %v", p.Drop, err)
	}
	seen, err := sendsEvents(ctx, beside)
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return warning(check, "", "whether files in %s are announced could not be tried: %v", p.Drop, err)
	case noSpace(err):
		return warning(check, "make room on the disk", "whether files in %s are announced could not be tried: %v", p.Drop, err)
	case err != nil:
		return failure(check, "raise the system's limit (sysctl fs.inotify.max_user_instances, fs.inotify.max_user_watches), or set drop.poll: true",
			"folders cannot be watched: %v", err)
	case !seen:
		return failure(check, "set drop.poll: true, or start the agent with --poll", "new files in %s are not announced", beside)
	}
	return ok(check, "new files in %s are announced", p.Drop)
}

// noSpace tells a full disk from a full table of watches: the system has one word for
// both, but only what is done to files names a path.
func noSpace(err error) bool {
	_, file := errors.AsType[*fs.PathError](err)
	return file && errors.Is(err, syscall.ENOSPC)
}

func sendsEvents(ctx context.Context, beside string) (seen bool, err error) {
	const patience = 2 * time.Second
	probe, err := os.MkdirTemp(beside, ".vecctl-probe-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(probe)
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return false, err
	}
	defer w.Close()
	if err := w.Add(probe); err != nil {
		return false, err
	}
	if err := os.WriteFile(filepath.Join(probe, "file"), []byte("x"), 0o600); err != nil {
		return false, err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.Events:
		return true, nil
	case err := <-w.Errors:
		return false, err
	case <-timer.C:
	case <-ctx.Done():
	}
	return false, ctx.Err()
}

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// volume is a file system of its own on a loop device.
type volume struct {
	kind  string
	image string
	at    string // where it is mounted
}

// newVolume makes and mounts one; cannotRun says why that is not possible here.
func newVolume(ctx context.Context, dir, kind string, size int64) (*volume, error) {
	v := &volume{kind: kind, image: filepath.Join(dir, kind+".img"), at: filepath.Join(dir, kind)}
	if err := os.MkdirAll(v.at, 0o700); err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		return nil, cannotRun("file systems can be mounted by root only")
	}
	image, err := os.Create(v.image)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(image.Truncate(size), image.Close()); err != nil {
		return nil, err
	}
	args := []string{"-q", v.image}
	if kind == "ext4" {
		args = []string{"-q", "-F", "-m", "0", v.image}
	}
	if out, err := exec.CommandContext(ctx, "mkfs."+kind, args...).CombinedOutput(); err != nil {
		return nil, cannotRun(fmt.Sprintf("mkfs.%s: %v %s", kind, err, out))
	}
	if err := v.mount(ctx); err != nil {
		return nil, cannotRun(err.Error())
	}
	return v, nil
}

func (v *volume) mount(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "mount", "-o", "loop", v.image, v.at).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mounting %s: %w: %s", v.kind, err, out)
	}
	return nil
}

// unmount waits until nobody uses the file system any more.
func (v *volume) unmount() error {
	var err error
	for range 100 {
		if err = unix.Unmount(v.at, 0); err == nil || errors.Is(err, unix.EINVAL) { // it is not mounted
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("unmounting %s: %w", v.at, err)
}

// The request that ends a file system at once, which ext4 has from XFS: _IOR('X', 125, __u32).
// With this flag nothing of the log is written any more, as when the power is cut.
const (
	ioctlShutdown     = 0x8004587d
	shutdownNoLogging = 2
)

// cut ends the file system as a power cut would: what was not flushed is gone.
func (v *volume) cut() error {
	f, err := os.Open(v.at)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := uint32(shutdownNoLogging)
	if _, _, code := unix.Syscall(unix.SYS_IOCTL, f.Fd(), ioctlShutdown, uintptr(unsafe.Pointer(&flags))); code != 0 {
		return cannotRun(fmt.Sprintf("the shutdown request of %s: %v", v.kind, code))
	}
	return nil
}

// restart mounts the file system anew after a cut.
func (v *volume) restart(ctx context.Context) error {
	if err := v.unmount(); err != nil {
		return err
	}
	return v.mount(ctx)
}

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// command finds a program by its path or its name, and installs the Debian
// packages that bring it where it is missing.
func command(path string, packages ...string) (string, error) {
	if found, err := exec.LookPath(path); err == nil {
		return found, nil
	}
	fmt.Fprintf(os.Stderr, "bench: installing %v\n", packages)
	as := []string{"env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"} // nothing is started
	if os.Getuid() != 0 {
		as = append([]string{"sudo"}, as...)
	}
	for _, args := range [][]string{{"update", "-q"}, append([]string{"install", "-q", "-y", "--no-install-recommends"}, packages...)} {
		all := append(append(as, "apt-get"), args...)
		if err := quiet(all[0], all[1:]...); err != nil {
			return "", fmt.Errorf("%w; install %v by hand and run again", err, packages)
		}
	}
	return exec.LookPath(path)
}

// unprivileged makes a command run as a user who may do nothing, when this process
// is root's. It returns the user's number, or -1.
func unprivileged(c *exec.Cmd) (int, error) {
	if os.Getuid() != 0 {
		return -1, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return -1, err
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		return -1, err
	}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	return uid, nil
}

// until waits for something to work.
func until(what string, f func() error) error {
	const patience = time.Minute
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := f()
		if err == nil {
			return nil
		}
		if time.Since(begun) > patience {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

// stop ends a process that this one started.
func stop(c *exec.Cmd) {
	_ = c.Process.Signal(syscall.SIGINT)
	_ = c.Wait()
}

// lendDir makes a directory that another user owns; -1 is this one.
func lendDir(parent, name string, uid int) (string, error) {
	dir, err := os.MkdirTemp(parent, name)
	if err != nil || uid < 0 {
		return dir, err
	}
	return dir, errors.Join(os.Chown(dir, uid, uid), os.Chmod(filepath.Clean(dir), 0o700))
}

package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

const (
	idleCertificates = 100_000
	idleTime         = 20 * time.Second
	idleTail         = 4000
)

// benchIdle starts an agent over many certificates and lets it be.
func benchIdle(s setup, t *table) error {
	home := filepath.Join(s.dir, fmt.Sprintf("idle-%d", idleCertificates))
	if err := fillHome(s, home); err != nil {
		return err
	}
	agent, started, err := startAgent(s, home)
	if err != nil {
		return err
	}
	defer stopAgent(agent)
	before, err := processorTime(agent.Process.Pid)
	if err != nil {
		return err
	}
	time.Sleep(idleTime)
	after, err := processorTime(agent.Process.Pid)
	if err != nil {
		return err
	}
	resident, err := resident(agent.Process.Pid)
	if err != nil {
		return err
	}
	t.below("idle agent, 100,000 certificates: start", once(started), 0.3, millis)
	t.below("idle agent, 100,000 certificates: memory", once(resident), 60<<20, megas)
	t.below("idle agent, 100,000 certificates: of a core", once((after-before)/idleTime.Seconds()), 0.005, percent)
	return nil
}

// startAgent runs the agent on a home until it is ready, and returns how long
// that took, in seconds.
func startAgent(s setup, home string, env ...string) (*exec.Cmd, float64, error) {
	agent, _, started, err := startAgentAt(s, home, env...)
	return agent, started, err
}

// startAgentAt is startAgent that also returns the agent's address.
func startAgentAt(s setup, home string, env ...string) (agent *exec.Cmd, address string, took float64, err error) {
	agent = exec.Command(s.vecctl, "agent", "--home", home, "--listen", "127.0.0.1:0")
	agent.Env = append(os.Environ(), env...)
	out, err := agent.StdoutPipe()
	if err != nil {
		return nil, "", 0, err
	}
	took, err = timed(func() error {
		if err := agent.Start(); err != nil {
			return err
		}
		address, err = bufio.NewReader(out).ReadString('\n')
		return err
	})
	if err != nil {
		return nil, "", 0, fmt.Errorf("starting the agent: %w", err)
	}
	fields := strings.Fields(address)
	return agent, fields[len(fields)-1], took, nil
}

func stopAgent(agent *exec.Cmd) {
	_ = agent.Process.Signal(syscall.SIGTERM)
	_ = agent.Wait()
}

// fillHome makes a home with many certificates that are approved and told of.
func fillHome(s setup, home string) error {
	if _, err := os.Stat(filepath.Join(home, "vault.db")); err == nil {
		return nil
	}
	if err := quiet(s.vecctl, "init", "--no-input", "--home", home); err != nil {
		return err
	}
	db, err := bolt.Open(filepath.Join(home, "vault.db"), time.Second)
	if err != nil {
		return err
	}
	ctx := context.Background()
	all, err := db.Institutions(ctx)
	for done := 0; done < idleCertificates && err == nil; done += 500 {
		err = fillGroup(ctx, db, all[0], done, 500)
	}
	return errors.Join(err, db.Close(), fillDocuments(filepath.Join(home, "blobs")))
}

// fillDocuments makes the documents' files, since an agent looks through them now
// and then. Small ones will do: it looks at names and times.
func fillDocuments(blobs string) error {
	old := time.Now().Add(-48 * time.Hour)
	for i := range 256 {
		if err := os.MkdirAll(filepath.Join(blobs, fmt.Sprintf("%02x", i)), 0o700); err != nil {
			return err
		}
	}
	for i := range idleCertificates {
		sum := vault.HashSecret(strconv.Itoa(i))
		path := filepath.Join(blobs, sum[:2], sum)
		if err := errors.Join(os.WriteFile(path, []byte(strconv.Itoa(i)), 0o600), os.Chtimes(path, old, old)); err != nil {
			return err
		}
	}
	return os.MkdirAll(filepath.Join(blobs, "tmp"), 0o700)
}

func fillGroup(ctx context.Context, db *bolt.Store, inst vault.Institution, from, n int) error {
	now := time.Now()
	rows := make([]store.NewCertificate, n)
	for i := range rows {
		id, err := vault.NewIdentity(rand.Reader, now, 2026)
		if err != nil {
			return err
		}
		c, fx := vault.Accept(vault.Draft{
			Content: vault.Content{Title: "Certificate of Achievement", Name: fmt.Sprintf("Person Number %d", from+i),
				Email: fmt.Sprintf("person%d@example.org", from+i), IssueDate: "2026-06-01"}, Trigger: vault.BulkUpload,
			File: vault.File{Name: "certificate.pdf", Format: "pdf", Size: 50_000, SHA256: vault.HashSecret(strconv.Itoa(from + i))},
		}, inst.ID, id, now)
		rows[i] = store.NewCertificate{Certificate: c, Effects: fx}
	}
	if _, err := db.Insert(ctx, rows); err != nil {
		return err
	}
	approve := func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Approve(vault.Verified{
			Document: vault.Document{SHA256: c.File.SHA256, Size: c.File.Size}, TailSize: idleTail, SHA256: c.File.SHA256,
		}, make([]byte, idleTail), now)
	}
	if err := settleAll(ctx, db, vault.JobSign, n, approve); err != nil {
		return err
	}
	return settleAll(ctx, db, vault.JobMail, n, nil)
}

func settleAll(ctx context.Context, db *bolt.Store, kind vault.JobKind, n int, change store.Change) error {
	jobs, err := db.Claim(ctx, store.Lane{Kind: kind}, "bench", n, time.Now())
	if err != nil {
		return err
	}
	settlements := make([]store.JobResult, len(jobs))
	for i, j := range jobs {
		settlements[i] = store.JobResult{Job: j.Job, Change: change}
	}
	outcomes, err := db.Complete(ctx, settlements)
	return errors.Join(append(outcomes, err)...)
}

// processorTime is what a process has used of the processors, in seconds
// (proc(5), /proc/PID/stat, fields 14 and 15).
func processorTime(pid int) (float64, error) {
	const ticksPerSecond = 100
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticksPerSecond, errors.Join(err1, err2)
}

// peakMemory is the most that a process ever held, in bytes (proc(5),
// /proc/PID/status).
func peakMemory(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, after, ok := strings.Cut(string(raw), "VmHWM:")
	if !ok {
		return 0, errors.New("the system does not tell how much memory a process held")
	}
	kilobytes, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	return kilobytes * 1024, err
}

// resident is a process's memory, in bytes.
func resident(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(raw))[1], 64)
	return pages * float64(os.Getpagesize()), err
}

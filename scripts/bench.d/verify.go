package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/pdf"
)

// benchVerify verifies issued certificates offline: one in this process, and a folder of them by
// the command, against hashing the folder and against pdfsig.
func benchVerify(s setup, t *table) error {
	seal, err := newSeal()
	if err != nil {
		return err
	}
	one, err := issuedFile(seal, 0)
	if err != nil {
		return err
	}
	verifier := pdf.NewVerifier(pdf.WithDigest(), pdf.WithTime(time.Now()))
	took, err := interleaved(s.shortRounds(), contender{300, func() error {
		v, err := verifier.Verify(bytes.NewReader(one), int64(len(one)))
		if err == nil && (!v.Valid || len(v.SHA256) == 0) {
			err = errors.New(v.Sentence)
		}
		return err
	}})
	if err != nil {
		return err
	}
	t.below("verify a certificate of 50 KB, in process", took[0], 0.002, millis)
	folder := filepath.Join(s.dir, fmt.Sprintf("issued-%d", s.rows))
	if err := issueFolder(seal, folder, s.rows); err != nil {
		return err
	}
	return s.verifyFolder(t, folder)
}

// issuedFile is a certificate as a vault issues it.
func issuedFile(seal *pdf.Stamper, seed uint64) ([]byte, error) {
	o := newOriginal(seed, stampSmall)
	u, err := seal.Stamp(pdf.Source{R: bytes.NewReader(o.body), Size: int64(len(o.body)), HashState: o.state},
		pdf.Stamp{URL: link, Caption: "VEC-IC-202667DAE48425BAD", SignedAt: time.Now()})
	return slices.Concat(o.body, u.Bytes), err
}

func issueFolder(seal *pdf.Stamper, folder string, n int) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		work.Go(func() error {
			file, err := issuedFile(seal, uint64(i))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.pdf", i)), file, 0o600)
		})
	}
	return work.Wait()
}

func (s setup) verifyFolder(t *table, folder string) error {
	var ours, hashing, spent, spentHashing []float64
	for range s.repeat {
		before := ownProcessorTime()
		took, err := timed(func() error { return hashFolder(folder) })
		if err != nil {
			return err
		}
		hashing, spentHashing = append(hashing, took), append(spentHashing, ownProcessorTime()-before)
		var processor float64
		took, err = timed(func() (err error) {
			processor, err = s.verifyCommand(folder)
			return err
		})
		if err != nil {
			return err
		}
		ours, spent = append(ours, took), append(spent, processor)
	}
	t.atMost(fmt.Sprintf("verify %d certificates, against hashing", s.rows), ours, hashing, 2, seconds)
	t.atMost("the same, processor time", spent, spentHashing, 2, seconds)
	tool, err := exec.LookPath("pdfsig")
	if err != nil {
		t.told("verify, a certificate of the folder", over(ours, float64(s.rows)), millis)
		return nil
	}
	next := 0
	peer, err := interleaved(s.shortRounds(), contender{10, func() error {
		out, err := exec.Command(tool, "-nocert", filepath.Join(folder, fmt.Sprintf("%d.pdf", next%s.rows))).Output()
		if next++; err == nil && !strings.Contains(string(out), "Signature is Valid") {
			err = fmt.Errorf("pdfsig says %s", out)
		}
		return err
	}})
	if err != nil {
		return err
	}
	t.faster("verify, a certificate of the folder, against pdfsig", over(ours, float64(s.rows)), peer[0], 1, millis)
	return nil
}

// ownProcessorTime is what this process has spent.
func ownProcessorTime() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// verifyCommand runs the command where there is no home, and returns the processor time that it
// took.
func (s setup) verifyCommand(folder string) (float64, error) {
	c := exec.Command(s.vecctl, "verify", "-r", folder, "-o", "csv")
	c.Env = append(os.Environ(), "VECCTL_HOME="+filepath.Join(s.dir, "no-home"))
	out, err := c.Output()
	if err != nil {
		return 0, fmt.Errorf("vecctl verify: %w", err)
	}
	if n := bytes.Count(out, []byte(",valid,")); n != s.rows {
		return 0, fmt.Errorf("of %d certificates %d are valid", s.rows, n)
	}
	return (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), nil
}

// hashFolder computes the SHA-256 of each file, as many at once as there are processors.
func hashFolder(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.pdf"))
	if err != nil {
		return err
	}
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for _, name := range files {
		work.Go(func() error {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(sha256.New(), f)
			return err
		})
	}
	return work.Wait()
}

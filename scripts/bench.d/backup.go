package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// benchBackup keeps a home and brings it back, against tar of the same files, and
// uploads to its agent meanwhile. With --rows 100000 the home has 5 GB.
func benchBackup(s setup, t *table) error {
	// A home is a third larger than its documents; in each run there are two copies in
	// one file, two in many, and one beside uploads.
	const each = 5
	if err := room(s.dir, (1+each*int64(s.repeat))*int64(s.rows)*bulkSize*4/3); err != nil {
		return err
	}
	folder, err := batch(s.dir, s.rows, bulkSize)
	if err != nil {
		return err
	}
	home := filepath.Join(s.dir, fmt.Sprintf("backup-%d", os.Getpid()))
	if _, err := issue(s, home, folder); err != nil {
		return err
	}
	// Neither keeps what is made anew, nor what it was made of. From here nothing is removed: a disk that is told
	// of free space is slow for a while, and that would slow the next measure down.
	if err := errors.Join(os.RemoveAll(filepath.Join(home, "verified")), os.RemoveAll(folder)); err != nil {
		return err
	}
	if err := settle(); err != nil {
		return err
	}
	var ours, peers, back, peersBack []float64
	for i := range s.repeat {
		at := func(name string) string { return filepath.Join(s.dir, fmt.Sprintf("%s-%d-%d", name, os.Getpid(), i)) }
		for _, step := range []struct {
			into    *[]float64
			command string
		}{
			{&peers, fmt.Sprintf("tar -C %q -cf %q . && sync %q", home, at("t.tar"), at("t.tar"))},
			{&peersBack, fmt.Sprintf("mkdir %q && tar -C %q -xf %q && sync -f %q", at("t"), at("t"), at("t.tar"), at("t"))},
			{&ours, fmt.Sprintf("%q backup %q --home %q", s.vecctl, at("b.tar.zst"), home)},
			{&back, fmt.Sprintf("%q restore %q --home %q", s.vecctl, at("b.tar.zst"), at("b"))},
		} {
			if err := quiet("sync"); err != nil {
				return err
			}
			took, err := timed(func() error { return quiet("sh", "-c", step.command) })
			if err != nil {
				return err
			}
			*step.into = append(*step.into, took)
		}
	}
	t.atMost(fmt.Sprintf("backup of %d certificates of 50 KB, tar", s.rows), ours, peers, 1.3, seconds)
	t.atMost("restore of them, tar", back, peersBack, 1.3, seconds)
	return benchUploadsMeanwhile(s, t, home)
}

// settle waits until the disk is done with what was removed.
func settle() error {
	const long = 40 * time.Second
	err := quiet("sync")
	time.Sleep(long)
	return err
}

// room refuses a measure for which the disk is too small, before it begins.
func room(dir string, need int64) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return fmt.Errorf("looking at the disk of %s: %w", dir, err)
	}
	if free := int64(disk.Bavail) * int64(disk.Bsize); free < need {
		return fmt.Errorf("%s has %d MB free and this needs about %d; take fewer --rows, or another --dir", dir, free>>20, need>>20)
	}
	return nil
}

// benchUploadsMeanwhile measures uploads without and during backups, in turns.
func benchUploadsMeanwhile(s setup, t *table, home string) error {
	agent, _, err := startAgent(s, home)
	if err != nil {
		return err
	}
	defer stopAgent(agent)
	var alone, during []float64
	uploads := 0
	for i := range s.repeat {
		one, err := uploadFor(home, &uploads, func() error { time.Sleep(3 * time.Second); return nil })
		if err != nil {
			return err
		}
		path := filepath.Join(s.dir, fmt.Sprintf("during-%d-%d", os.Getpid(), i))
		two, err := uploadFor(home, &uploads, func() error {
			return quiet(s.vecctl, "backup", path, "--home", home)
		})
		if err != nil {
			return err
		}
		alone, during = append(alone, one...), append(during, two...)
	}
	t.atMost("upload during a backup, 99th percentile", once(percentile(during, 99)), once(percentile(alone, 99)), 2, millis)
	return nil
}

// uploadFor uploads documents, two at a time, for as long as something takes, and
// returns how long each upload took, in seconds.
func uploadFor(home string, n *int, meanwhile func() error) ([]float64, error) {
	c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(home, "agent.sock"))
	}}}
	done := make(chan struct{})
	var mu sync.Mutex
	var took []float64
	var failed error
	var work sync.WaitGroup
	for range 2 {
		work.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				mu.Lock()
				*n++
				i := *n
				mu.Unlock()
				one, err := timed(func() error { return uploadOne(c, i) })
				mu.Lock()
				took, failed = append(took, one), errors.Join(failed, err)
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	err := meanwhile()
	close(done)
	work.Wait()
	return took, errors.Join(err, failed)
}

func uploadOne(c *http.Client, i int) error {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range map[string]string{"certificate_title": "Upload", "full_name": "Someone",
		"applicant_email": fmt.Sprintf("upload%d@example.org", i)} {
		if err := w.WriteField(name, value); err != nil {
			return err
		}
	}
	file, err := w.CreateFormFile("certificate_file", "d.pdf")
	if err == nil {
		_, err = file.Write(document(uint64(1_000_000+i), bulkSize))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	resp, err := c.Post("http://vecctl.local/business/certificate-vault", w.FormDataContentType(), &form)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("an upload: %s %s", resp.Status, body)
	}
	return err
}

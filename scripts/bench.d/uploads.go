package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

const uploadsAtOnce = 32

// benchUploads hands certificates in one by one, many at once, against nginx that
// takes the same bodies to disk.
func benchUploads(s setup, t *table) error {
	home := filepath.Join(s.dir, fmt.Sprintf("uploads-%d", os.Getpid()))
	if err := quiet(s.vecctl, "init", "--no-input", "--home", home); err != nil {
		return err
	}
	agent, err := newCaller(s, home)
	if err != nil {
		return err
	}
	defer agent.close()
	peer, err := startNginx()
	if peer != nil {
		defer peer.close()
	}
	if err != nil {
		return err
	}
	form := newUploadForm(document(1, bulkSize))
	var ours, theirs []float64
	for round := range s.repeat {
		first := round * s.uploads
		if err := quiet("sync"); err != nil {
			return err
		}
		rate, err := together(s.uploads, func(n int) error { return peer.put(first+n, form.body(first+n)) })
		if err != nil {
			return fmt.Errorf("nginx: %w", err)
		}
		theirs = append(theirs, rate)
		// What nginx left to the system is not ours to flush.
		if err := quiet("sync"); err != nil {
			return err
		}
		if rate, err = together(s.uploads, func(n int) error {
			_, err := agent.do(http.MethodPost, "/business/certificate-vault", form.kind, bytes.NewReader(form.body(first+n)))
			return err
		}); err != nil {
			return err
		}
		ours = append(ours, rate)
		if err := agent.settled(first + s.uploads); err != nil {
			return err
		}
	}
	spent, err := processorTime(agent.process.Process.Pid)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.w, "uploads: %d at once, a second; ours are flushed to the disk, kept in the database and then stamped and signed, nginx leaves its files to the system\n", uploadsAtOnce)
	t.rate("uploads of 50 KB, against nginx with DAV", ours, theirs, 1.0/3, plain)
	t.told("  processor time an upload, stamping included", once(spent/float64(s.repeat*s.uploads)), millis)
	return nil
}

// together runs n calls, 32 at once, and returns how many a second there were.
func together(n int, call func(n int) error) (float64, error) {
	var next atomic.Int64
	failed := make([]error, uploadsAtOnce)
	var all sync.WaitGroup
	took, err := timed(func() error {
		for w := range uploadsAtOnce {
			all.Go(func() {
				for i := int(next.Add(1)) - 1; i < n && failed[w] == nil; i = int(next.Add(1)) - 1 {
					failed[w] = call(i)
				}
			})
		}
		all.Wait()
		return errors.Join(failed...)
	})
	return float64(n) / took, err
}

// settled waits until so many certificates are approved.
func (c *caller) settled(n int) error {
	return until("the uploads' approval", func() error {
		done, err := c.total(url.Values{"status": {"approved"}})
		if err == nil && done < n {
			err = fmt.Errorf("%d of %d", done, n)
		}
		return err
	})
}

// uploadForm makes the bodies of uploads, all of one length, each with another
// document for another person.
type uploadForm struct {
	kind         string
	whole        []byte
	email, bytes int // where what differs stands
}

func newUploadForm(document []byte) uploadForm {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range [][2]string{{"certificate_title", "Certificate of Achievement"}, {"full_name", "John Smith"},
		{"applicant_email", "person00000000@example.org"}, {"issue_date", "2026-06-01"}} {
		_ = w.WriteField(f[0], f[1])
	}
	part, _ := w.CreateFormFile("certificate_file", "certificate.pdf")
	at := b.Len()
	_, _ = part.Write(document)
	_ = w.Close()
	return uploadForm{kind: w.FormDataContentType(), whole: b.Bytes(),
		email: bytes.Index(b.Bytes(), []byte("person00000000")) + len("person"), bytes: at + len(document)/2}
}

func (f uploadForm) body(n int) []byte {
	b := bytes.Clone(f.whole)
	copy(b[f.email:], fmt.Sprintf("%08d", n))
	binary.BigEndian.PutUint64(b[f.bytes:], uint64(n)+1<<40)
	return b
}

// nginx is a server of our own that writes what is put to disk.
type nginx struct {
	dir    string
	base   string
	server *exec.Cmd
}

const nginxSettings = `
daemon off; worker_processes auto; pid %[1]s/pid; error_log stderr;
events { worker_connections 512; }
http {
	access_log off; client_max_body_size 0;
	client_body_temp_path %[1]s/temp; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	server { listen %[2]s; location / { root %[1]s/files; dav_methods PUT; } }
}
`

func startNginx() (*nginx, error) {
	program, err := command("nginx", "nginx-light")
	if err != nil {
		if program, err = command("/usr/sbin/nginx", "nginx-light"); err != nil {
			return nil, err
		}
	}
	n := &nginx{server: exec.Command(program)}
	uid, err := unprivileged(n.server)
	if err != nil {
		return nil, err
	}
	if n.dir, err = lendDir("", "vecctl-bench-nginx-", uid); err != nil {
		return n, err
	}
	files := filepath.Join(n.dir, "files")
	settings := filepath.Join(n.dir, "nginx.conf")
	address, err := freeAddress()
	if err != nil {
		return n, err
	}
	n.base = "http://" + address
	if err := errors.Join(os.Mkdir(files, 0o700), os.WriteFile(settings, fmt.Appendf(nil, nginxSettings, n.dir, address), 0o600)); err != nil {
		return n, err
	}
	if uid >= 0 {
		if err := errors.Join(os.Chown(files, uid, uid), os.Chown(settings, uid, uid)); err != nil {
			return n, err
		}
	}
	n.server.Args = append(n.server.Args, "-p", n.dir, "-e", "stderr", "-c", settings)
	n.server.Stderr = os.Stderr
	if err := n.server.Start(); err != nil {
		return n, fmt.Errorf("nginx: %w", err)
	}
	return n, until("nginx", func() error { return n.put(0, []byte("one")) })
}

// freeAddress is one that nobody listens on now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (n *nginx) put(name int, body []byte) error {
	r, err := http.NewRequest(http.MethodPut, n.base+"/"+strconv.Itoa(name), bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("PUT: %s", answer.Status)
	}
	return nil
}

func (n *nginx) close() {
	if n.server.Process != nil {
		_ = n.server.Process.Signal(os.Interrupt)
		_ = n.server.Wait()
	}
	_ = os.RemoveAll(n.dir)
}

const (
	largeUploads = 50
	largeSize    = 20 << 20
)

// benchLarge uploads fifty documents of 20 MB at once, and looks at the agent's
// memory and at what is left on the disk.
func benchLarge(s setup, t *table) error {
	home := filepath.Join(s.dir, fmt.Sprintf("large-%d", os.Getpid()))
	if err := quiet(s.vecctl, "init", "--no-input", "--home", home); err != nil {
		return err
	}
	agent, err := newCaller(s, home)
	if err != nil {
		return err
	}
	defer agent.close()
	form := newUploadForm(document(1, largeSize))
	failed := make([]error, largeUploads)
	took, err := timed(func() error {
		var all sync.WaitGroup
		for n := range largeUploads {
			all.Go(func() {
				_, failed[n] = agent.do(http.MethodPost, "/business/certificate-vault", form.kind, form.stream(n))
			})
		}
		all.Wait()
		return errors.Join(failed...)
	})
	if err != nil {
		return err
	}
	if err := agent.settled(largeUploads); err != nil {
		return err
	}
	most, err := peakMemory(agent.process.Process.Pid)
	if err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(home, "blobs", "tmp", "*"))
	if err != nil {
		return err
	}
	t.told("fifty uploads of 20 MB at once", once(took), seconds)
	t.below("  memory", once(most), 256<<20, megas)
	t.below("  temporary files left", once(float64(len(left))), 1, plain)
	return nil
}

// stream is body without a copy of it.
func (f uploadForm) stream(n int) io.Reader {
	own := binary.BigEndian.AppendUint64(nil, uint64(n)+1<<40)
	return io.MultiReader(
		bytes.NewReader(f.whole[:f.email]), bytes.NewReader(fmt.Appendf(nil, "%08d", n)),
		bytes.NewReader(f.whole[f.email+8:f.bytes]), bytes.NewReader(own), bytes.NewReader(f.whole[f.bytes+8:]))
}

const (
	idleConnections = 1000
	idleAsked       = 200
)

// benchConnections asks an agent to which a thousand others hold idle connections.
func benchConnections(s setup, t *table) error {
	home := filepath.Join(s.dir, fmt.Sprintf("connections-%d", os.Getpid()))
	if err := quiet(s.vecctl, "init", "--no-input", "--home", home); err != nil {
		return err
	}
	agent, err := newCaller(s, home)
	if err != nil {
		return err
	}
	defer agent.close()
	for range idleConnections {
		idle, err := net.Dial("tcp", strings.TrimPrefix(agent.base, "http://"))
		if err != nil {
			return err
		}
		defer idle.Close()
	}
	var took []float64
	for range idleAsked {
		one, err := timed(func() error { _, err := agent.total(url.Values{}); return err })
		if err != nil {
			return err
		}
		took = append(took, one)
	}
	t.below("an answer beside 1,000 idle connections, slowest", once(slices.Max(took)), 0.25, millis)
	return nil
}

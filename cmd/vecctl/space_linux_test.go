package main

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An agent whose disk runs full says so on every face, takes nothing new, and goes
// on by itself when there is room.
func TestAnAgentOnAFullDisk(t *testing.T) {
	t.Parallel()
	small := disk(t, "size=48m")
	s := newSite(t)
	s.home = filepath.Join(small, "home")
	s.env = append(s.env, "VECCTL_HOME="+s.home)
	d := s.daemon()
	s.bulk(0, s.batch(5))
	made := strings.Fields(s.done("token", "create", "t", "--permission", "certificate-vault:create").stdout)
	token := made[len(made)-1]
	watch := s.command("watch")
	watched := s.start(watch)
	until(t, 2*time.Minute, "watcher", func() bool { return strings.Contains(watched.out.String(), "watching ") })

	fill := filepath.Join(small, "fill")
	fillUp(t, fill)
	until(t, 2*time.Minute, "word of the full disk", func() bool {
		status, body := d.get("/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, "the disk is full")
	})
	if status, body := upload(t, d, token); status != http.StatusInsufficientStorage || !strings.Contains(body, "the disk is full; make room") {
		t.Errorf("an upload: %d %s", status, body)
	}
	s.done("status").says(t, "the disk is full")
	s.env = append(s.env, "VECCTL_DROP="+filepath.Join(s.dir, "elsewhere"))
	s.want(1, "doctor").says(t, "wrong  disk", "the disk is full")
	s.want(1, "bulk", s.batch(6), "--out", s.out).says(t, "the disk is full; make room, then run the same command again")

	must(t, os.Remove(fill))
	until(t, 2*time.Minute, "readiness", func() bool {
		status, _ := d.get("/readyz")
		return status == http.StatusOK
	})
	if status, body := upload(t, d, token); status != http.StatusCreated && status != http.StatusOK {
		t.Errorf("an upload when there is room: %d %s", status, body)
	}
	if r := s.bulk(0, filepath.Join(s.docs, "batch.csv")); r.Issued+r.Unchanged != 6 {
		t.Errorf("%+v", r)
	}
	until(t, 2*time.Minute, "word of the room", func() bool {
		return strings.Contains(watched.out.String(), "info: there is room on the disk again")
	})
	must(t, watch.Process.Kill())
	s.finish(watch, watched).says(t, "error: ", "the disk is full")
	d.end()
}

// On a full disk, without an agent, what is there can be looked at.
func TestLookingAtAFullDisk(t *testing.T) {
	t.Parallel()
	small := disk(t, "size=16m")
	s := newSite(t)
	s.home = filepath.Join(small, "home")
	s.env = append(s.env, "VECCTL_HOME="+s.home)
	reference := s.bulk(0, s.batch(3)).Rows[0].ReferenceID
	fillUp(t, filepath.Join(small, "fill"))
	s.done("list").says(t, reference)
	s.done("view", reference).says(t, "approved")
	s.done("status").says(t, "approved           3")
	s.done("download", reference, "--out", filepath.Join(s.dir, "one.pdf"))
	s.want(1, "upload", filepath.Join(s.docs, "f00001.pdf"), "--title", "T", "--name", "N", "--email", "n@example.org").says(t, "the disk is full; make room")
	r := s.want(1, "doctor")
	r.says(t, "wrong  space", "make room on the disk")
	if strings.Contains(r.stdout, "max_user_watches") {
		t.Errorf("the doctor blames the wrong thing: %v", r)
	}
}

func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	for chunk := 1 << 20; chunk > 0; {
		if _, err := f.Write(make([]byte, chunk)); err != nil {
			chunk /= 2
		}
	}
}

func upload(t *testing.T, d *daemon, token string) (status int, body string) {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range map[string]string{"certificate_title": "Diploma", "full_name": "Anna", "applicant_email": "anna@example.org"} {
		must(t, w.WriteField(name, value))
	}
	file, err := w.CreateFormFile("certificate_file", "anna.pdf")
	must(t, err)
	_, err = file.Write(smallPDF("Anna", 0))
	must(t, err)
	must(t, w.Close())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.public+"/business/certificate-vault", &form)
	must(t, err)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	defer resp.Body.Close()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(resp.Body)
	must(t, err)
	return resp.StatusCode, answer.String()
}

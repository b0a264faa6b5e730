package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// samplesRun are the calls whose samples are run, in an order in which each finds what it needs.
func samplesRun() []string {
	return []string{"uploadVaultCertificate", "uploadFile", "submitBulk", "createBatch", "listVaultCertificates", "listCertificates", "listBatches", "listCertificateTemplates",
		"viewVaultCertificate", "viewAnyCertificate", "viewBatch", "viewCertificateTemplate", "downloadVaultCertificate", "downloadVaultCertificates", "getVaultCertificateBadge", "verifyFileByHash", "retryVaultCertificate"}
}

// interpreters are the programs that run the samples, each with the name of its file.
var interpreters = map[string]struct {
	file  string
	run   []string
	needs []string // a command that fails where something is missing
}{
	"curl":   {"sample.sh", []string{"bash", "-eu", "sample.sh"}, []string{"curl", "--version"}},
	"php":    {"sample.php", []string{"php", "sample.php"}, []string{"php", "-r", "exit(extension_loaded('curl') ? 0 : 1);"}},
	"node":   {"sample.mjs", []string{"node", "sample.mjs"}, []string{"node", "-e", "fetch; FormData"}},
	"python": {"sample.py", []string{"python3", "sample.py"}, []string{"python3", "-c", "import requests"}},
}

func (s *site) samples() map[string]map[string]string {
	s.Helper()
	all := map[string]map[string]string{}
	s.check(json.Unmarshal(s.as("").fetch(http.MethodGet, "/docs/samples.json", "*/*").body, &all))
	return all
}

// long reports whether tests that take long are asked for.
func long() bool { return os.Getenv("VECCTL_LONG") != "" }

// TestSamples runs the code samples of the page against the agent: those of curl, and in a long run
// those of every language that this machine has.
func TestSamples(t *testing.T) {
	t.Parallel()
	for name, with := range interpreters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "curl" && !long() {
				t.Skip("starting an interpreter for each call takes long; VECCTL_LONG=1 runs them")
			}
			if _, err := exec.LookPath(with.needs[0]); err != nil {
				t.Skip(err)
			}
			if err := exec.CommandContext(t.Context(), with.needs[0], with.needs[1:]...).Run(); err != nil {
				t.Skipf("%s: %v", strings.Join(with.needs, " "), err)
			}
			newTemplatedSite(t).runSamples(name)
		})
	}
}

func (s *site) runSamples(name string) {
	s.Helper()
	dir := s.TempDir()
	s.check(os.WriteFile(filepath.Join(dir, "certificate.pdf"), smallPDF("sample"), 0o600))
	s.check(os.WriteFile(filepath.Join(dir, "people.csv"), []byte("RecipientsEmail,RecipientsName\njane@example.com,Jane Doe\n"), 0o600))
	replace := []string{"BASE_URL", s.base, "YOUR_API_TOKEN", s.token}
	all := s.samples()
	for _, id := range samplesRun() {
		text := strings.NewReplacer(replace...).Replace(all[id][name])
		if id == "submitBulk" { // another certificate than the upload's
			text = strings.ReplaceAll(text, "john@example.com", "bulk@example.com")
		}
		out, err := s.runSample(dir, name, text)

		if id == "retryVaultCertificate" || id == "verifyFileByHash" { // of one that is not failed, and of no file
			if err == nil || !strings.Contains(out, map[string]string{"retryVaultCertificate": "400", "verifyFileByHash": "404"}[id]) {
				s.Errorf("%s: %v\n%s", id, err, out)
			}
			continue
		}
		if err != nil {
			s.Fatalf("%s: %v\n%s\n%s", id, err, text, out)
		}
		switch id {
		case "uploadVaultCertificate":
			one := s.settled(s.want(s.get(vaultPath), http.StatusOK).text("data.0.uuid"))
			replace = append(replace, "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15", one.text("data.uuid"))
		case "uploadFile":
			replace = append(replace, "9e3b101f-c264-4f97-945f-20dfa7163768", s.uploadFile())
		case "createBatch":
			replace = append(replace, "8f7d6e5c-4b3a-4910-8987-654321fedcba", s.want(s.get("/business/batches"), http.StatusOK).text("data.0.id"))
		}
	}
	if n := s.total(); n != 3 {
		s.Errorf("the samples issued %d certificates", n)
	}
	for file, begins := range map[string]string{"verified.pdf": "%PDF", "certificates.zip": "PK"} {
		if body, err := os.ReadFile(filepath.Join(dir, file)); err != nil || !strings.HasPrefix(string(body), begins) {
			s.Errorf("%s: %.20q %v", file, body, err)
		}
	}
}

func (s *site) runSample(dir, name, text string) (string, error) {
	with := interpreters[name]
	s.check(os.WriteFile(filepath.Join(dir, with.file), []byte(text), 0o600))
	cmd := exec.CommandContext(s.Context(), with.run[0], with.run[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil && name == "php" && strings.Contains(string(out), "Warning") {
		err = fmt.Errorf("PHP warns")
	}
	return string(out), err
}

// TestSamplesOfEveryCall has each call of the description in each language, and in the collection.
func TestSamplesOfEveryCall(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all := s.samples()
	if len(all) != len(samplesRun()) {
		t.Errorf("%d calls have samples, %d are run", len(all), len(samplesRun()))
	}
	php, _ := exec.LookPath("php")
	dir := t.TempDir()
	for id, texts := range all {
		if !slices.Contains(samplesRun(), id) {
			t.Errorf("the samples of %s are not run", id)
		}
		for name := range interpreters {
			if !strings.Contains(texts[name], "BASE_URL/") {
				t.Errorf("%s in %s: %q", id, name, texts[name])
			}
		}
		if php == "" || !long() {
			continue
		}
		file := filepath.Join(dir, id+".php")
		s.check(os.WriteFile(file, []byte(texts["php"]), 0o600))
		if out, err := exec.CommandContext(t.Context(), php, "-l", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", id, out)
		}
	}
	a := s.as("").fetch(http.MethodGet, "/docs/collection.json", "*/*")
	var c struct {
		Info     struct{ Schema string }
		Variable []struct{ Key, Value string }
		Item     []struct {
			Name    string
			Request struct {
				Method string
				URL    struct{ Raw string }
				Body   struct {
					Mode     string
					FormData []struct{ Key, Type, Src string }
				}
			}
		}
	}
	s.check(json.Unmarshal(a.body, &c))
	if len(c.Item) != len(all) || !strings.Contains(c.Info.Schema, "/v2.1.0/") || c.Variable[0].Value != s.base || !strings.Contains(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the collection: %d calls, %+v %v", len(c.Item), c.Variable, a.header)
	}
	files := 0
	for _, item := range c.Item {
		if !strings.HasPrefix(item.Request.URL.Raw, "{{baseUrl}}/") || item.Name == "" || strings.Contains(item.Request.URL.Raw, "{uuid}") {
			t.Errorf("%+v", item)
		}
		for _, f := range item.Request.Body.FormData {
			if f.Type == "file" && f.Src != "" {
				files++
			}
		}
	}
	if files != 3 {
		t.Errorf("%d documents are sent", files)
	}
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var pythonBlock = regexp.MustCompile("(?s)```python\n(.*?)```")

// needs skips a test where a program is missing.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

// shell runs a line of the shell in the site's folder.
func (s *site) shell(env []string, line string) {
	s.t.Helper()
	cmd := exec.Command("sh", "-euc", line)
	cmd.Dir, cmd.Env = s.dir, append(append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir}, s.env...), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// batchOf writes a manifest with one document for each of n people.
func (s *site) batchOf(title string, n int) string {
	s.t.Helper()
	table := "title,name,email,file\n"
	for i := range n {
		name := fmt.Sprintf("%s-%d.pdf", title, i)
		table += fmt.Sprintf("%s,Person %d,p%d@example.org,%s\n", title, i, i, name)
		must(s.t, os.WriteFile(filepath.Join(s.docs, name), smallPDF(name, 0), 0o644))
	}
	path := filepath.Join(s.docs, title+".csv")
	must(s.t, os.WriteFile(path, []byte(table), 0o644))
	return path
}

// wants wants a run to end with an exit code, and to say something.
func (s *site) wants(code int, says string, args ...string) result {
	s.t.Helper()
	r := s.run(args...)
	if r.code != code || !strings.Contains(r.stdout+r.stderr, says) {
		s.t.Fatalf("vecctl %s: want exit code %d and %q\n%s", strings.Join(args, " "), code, says, r)
	}
	return r
}

// The helper in the documentation signs as it is printed there, with both kinds of keys. One that
// cannot sign pauses issuing, and the same run goes on when it can.
func TestTheHelperOfTheDocs(t *testing.T) {
	t.Parallel()
	needs(t, "python3", "openssl")
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "signers.md"))
	must(t, err)
	block := pythonBlock.FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/signers.md has no helper in Python")
	}
	if lines := strings.Count(string(block[1]), "\n"); lines > 22 {
		t.Errorf("the helper has %d lines", lines)
	}
	for name, kind := range map[string]string{"P-256": "ec -pkeyopt ec_paramgen_curve:P-256", "RSA-3072": "rsa:3072"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "P-256" && !long() {
				t.Skip("takes seconds; pkg/signer tests both kinds of keys")
			}
			s := newSite(t)
			helper := filepath.Join(s.dir, "helper.py")
			must(t, os.WriteFile(helper, block[1], 0o755))
			s.shell(nil, "openssl req -x509 -nodes -days 700 -subj '/CN=Seal of the University' -newkey "+kind+" -keyout key.pem -out cert.pem")
			s.wants(0, name, "key", "use", "exec:"+helper)
			s.wants(0, "exec:"+helper, "key", "list")
			s.wants(0, "", "bulk", s.batchOf("Diploma", 5), "--out", s.out)
			files, err := filepath.Glob(filepath.Join(s.out, "*.pdf"))
			must(t, err)
			s.wants(0, "Seal of the University", append([]string{"verify"}, files...)...)
			s.wants(exitFailed, "the signing key of My Institution signs", "doctor") // no name of this test can be resolved
			s.shell(nil, "mv key.pem away.pem")
			later := s.batchOf("Award", 5)
			s.wants(exitUnreachable, "issuing is paused: the helper "+helper+" failed", "bulk", later, "--out", s.out)
			if r := s.wants(exitFailed, "does not sign", "doctor"); !strings.Contains(r.stdout, "signer") {
				t.Error(r)
			}
			s.wants(exitUnreachable, helper, "key", "test")
			s.shell(nil, "mv away.pem key.pem")
			s.wants(0, "", "bulk", later, "--out", s.out)
			s.wants(0, "file", "key", "use", "file")
			s.wants(0, "My Institution", "key", "show")
		})
	}
}

// softHSM are where distributions put SoftHSM's module.
var softHSM = []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/libsofthsm2.so"}

// The helper for PKCS#11 tokens signs batches with a key on a token. A wrong PIN and a token that is
// taken away pause issuing; the PIN stands nowhere.
func TestKeysOnTokens(t *testing.T) {
	t.Parallel()
	if !long() {
		t.Skip("builds a program and takes seconds; cmd/vecctl-pkcs11 has tests of its own")
	}
	needs(t, "softhsm2-util", "openssl", "go")
	module := ""
	for _, path := range softHSM {
		if _, err := os.Stat(path); err == nil {
			module = path
		}
	}
	if module == "" {
		t.Skip("SoftHSM's module is not where it is looked for")
	}
	s := newSite(t)
	helper := filepath.Join(s.dir, "vecctl-pkcs11")
	build := exec.Command("go", "build", "-C", filepath.Join("..", "vecctl-pkcs11"), "-o", helper, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	must(t, os.Mkdir(filepath.Join(s.dir, "tokens"), 0o700))
	must(t, os.WriteFile(filepath.Join(s.dir, "conf"), []byte("directories.tokendir = "+filepath.Join(s.dir, "tokens")+"\n"), 0o600))
	s.env = append(s.env, "SOFTHSM2_CONF="+filepath.Join(s.dir, "conf"))
	for token, kind := range map[string]string{"law": "ec -pkeyopt ec_paramgen_curve:P-256", "medicine": "rsa:3072"} {
		s.shell(nil, fmt.Sprintf(`softhsm2-util --init-token --free --label %[1]s --pin 271828 --so-pin 5678
openssl req -x509 -nodes -days 700 -subj '/CN=Seal of %[1]s' -newkey %[2]s -keyout %[1]s.key -out %[1]s.crt
softhsm2-util --import %[1]s.key --token %[1]s --label seal --id 01 --pin 271828
rm %[1]s.key`, token, kind))
	}
	place := func(token string) string {
		return fmt.Sprintf("exec:%s --module %s --token %s --certificates %s", helper, module, token, filepath.Join(s.dir, token+".crt"))
	}
	pin := filepath.Join(s.dir, "pin")
	must(t, os.WriteFile(pin, []byte("314159\n"), 0o600))
	said := s.wants(exitUnreachable, "the PIN is wrong; correct --pin-file", "key", "use", place("law"), "--pin-file", "pin").String()
	s.env = append(s.env, "VECCTL_SIGNING_PIN=271828", "VECCTL_LOG_LEVEL=debug")
	for token, algorithm := range map[string]string{"law": "P-256", "medicine": "RSA-3072"} {
		said += s.wants(0, algorithm, "key", "use", place(token)).String()
		said += s.wants(0, "", "bulk", s.batchOf("Degree-"+token, 12), "--out", filepath.Join(s.out, token)).String()
		files, err := filepath.Glob(filepath.Join(s.out, token, "*.pdf"))
		must(t, err)
		if len(files) != 12 {
			t.Errorf("%d files", len(files))
		}
		s.wants(0, "Seal of "+token, append([]string{"verify"}, files...)...)
	}
	s.shell(nil, "mv tokens away && mkdir tokens")
	later := s.batchOf("Award", 3)
	said += s.wants(exitUnreachable, "is not present", "bulk", later, "--out", s.out).String()
	s.shell(nil, "rmdir tokens && mv away tokens")
	said += s.wants(0, "", "bulk", later, "--out", s.out).String()
	said += s.wants(0, "********", "config", "show").String()
	if strings.Contains(said, "271828") || strings.Contains(said, "314159") {
		t.Errorf("a PIN stands in what was said:\n%s", said)
	}
	s.shell(nil, `! grep -rqs -e 271828 -e 314159 home/config.yaml home/keys home/vault.db`)
}

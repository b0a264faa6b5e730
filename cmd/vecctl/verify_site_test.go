package main

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// derElements splits DER into its elements.
func derElements(t *testing.T, der []byte) (all []asn1.RawValue) {
	t.Helper()
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		must(t, err)
		all, der = append(all, v), rest
	}
	return all
}

func derBytes(t *testing.T, all []asn1.RawValue) (out []byte) {
	t.Helper()
	for _, v := range all {
		v.FullBytes = nil
		one, err := asn1.Marshal(v)
		must(t, err)
		out = append(out, one...)
	}
	return out
}

// withoutUnsigned returns a CMS signature without the unsigned attributes of its last element, down
// a path of last elements: ContentInfo, SignedData, signer infos, signer.
func withoutUnsigned(t *testing.T, der []byte, depth int) []byte {
	t.Helper()
	all := derElements(t, der)
	last := len(all) - 1
	if depth == 0 {
		if all[last].Class != asn1.ClassContextSpecific || all[last].Tag != 1 {
			t.Fatal("the signature has no unsigned attributes")
		}
		return derBytes(t, all[:last])
	}
	all[last].Bytes = withoutUnsigned(t, all[last].Bytes, depth-1)
	return derBytes(t, all)
}

// stripped returns a PDF without the unsigned attributes of its signature. Its length stays.
func stripped(t *testing.T, file []byte) []byte {
	t.Helper()
	m := regexp.MustCompile(`/ByteRange *\[ *0 +(\d+) +(\d+) +\d+ *\]`).FindSubmatch(file)
	if m == nil {
		t.Fatal("the file has no signature")
	}
	from, _ := strconv.Atoi(string(m[1]))
	to, _ := strconv.Atoi(string(m[2]))
	der := make([]byte, (to-from-2)/2)
	_, err := hex.Decode(der, file[from+1:to-1])
	must(t, err)
	var whole asn1.RawValue
	_, err = asn1.Unmarshal(der, &whole)
	must(t, err)
	// ContentInfo, [0], SignedData, signer infos, signer
	const depth = 5
	bare := withoutUnsigned(t, whole.FullBytes, depth)
	file = bytes.Clone(file)
	copy(file[from+1:], hex.EncodeToString(append(bare, make([]byte, len(der)-len(bare))...)))
	return file
}

// What somebody did to a file's proof, or to the log that is published, is found.
func TestVerifyAgainstWhatIsPublished(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.bulk(0, "--files", s.docs, s.batch(3))
	issued := s.all()
	path := func(name string) string { return filepath.Join(s.dir, name) }
	s.done("download", issued[0].UUID, "--out", path("a.pdf"))
	s.done("export", "site", path("site"))
	must(t, os.CopyFS(path("copied"), os.DirFS(s.home)))
	must(t, os.Chmod(path("copied"), 0o700))

	genuine, err := os.ReadFile(path("a.pdf"))
	must(t, err)
	write := func(name string, body []byte) string {
		must(t, os.WriteFile(path(name), body, 0o600))
		return path(name)
	}
	bare := write("stripped.pdf", stripped(t, genuine))
	none := "--home=" + path("none")

	s.done("verify", path("a.pdf"), "--site", path("site"), none).says(t, "of the published log, which has 3 entries now", "No list of revocations is published")
	s.done("verify", bare, none).says(t, "carries no log proof, although its signature names a log")
	s.want(1, "verify", bare, none, "--site", path("site")).says(t, "carries no log proof although it should", "proof_removed")
	s.want(1, "verify", bare).says(t, "carries no log proof although it should", "proof_removed", "the vault issued it as entry")

	// The home goes on, and so does its copy, with the same key: two histories.
	s.file("f00004.pdf", smallPDF("Person 4", 0))
	s.bulk(0, "--files", s.docs, s.manifest("more.csv", 4))
	s.done("export", "site", path("site"))
	s.done("tlog", "audit", path("site"), "--seen", path("seen"))
	s.done("export", "site", path("older"), "--home="+path("copied"))
	s.want(1, "tlog", "audit", path("older"), "--seen", path("seen")).says(t, "shrunk")
	s.file("f00005.pdf", smallPDF("Person 5", 0))
	s.file("f00006.pdf", smallPDF("Person 6", 0))
	// A copy is refused; that of somebody who hides it is not.
	must(t, os.Remove(path("copied/log-keys/place")))
	s.bulk(0, "--files", s.docs, "--home="+path("copied"), s.manifest("others.csv", 6))
	s.done("export", "site", path("fork"), "--home="+path("copied"))
	s.want(1, "tlog", "audit", path("fork"), "--seen", path("seen")).says(t, "forked")
	latest := s.all()
	s.done("download", latest[0].UUID, "--out", path("d.pdf"))
	s.want(1, "verify", path("d.pdf"), none, "--site", path("fork")).says(t, "log_forked", "The log was rewritten")
	s.done("verify", path("d.pdf"), none, "--site", path("older")).says(t, "what is published is older than the file, or entries were removed")
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/vecctl/vecctl/agent/home"
)

// TestDoctorReadsEverything damages a document and a record; a deep look names each.
func TestDoctorReadsEverything(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.bulk(0, s.batch(3))
	// The public address does not exist, so the exit code is 1 at any rate.
	s.want(1, "doctor", "--deep").says(t, "documents are what was written")

	c := s.all()[1]
	document := filepath.Join(home.Dir(s.home).Blobs(), c.File.SHA256[:2], c.File.SHA256)
	sound, err := os.ReadFile(document)
	must(t, err)
	must(t, os.WriteFile(document, append(bytes.Clone(sound[:len(sound)-1]), '!'), 0o600))
	s.want(1, "doctor", "--deep").says(t, document, "(of "+c.UUID+")", "the document is not what was stored")
	must(t, os.Remove(document))
	s.want(1, "doctor", "--deep").says(t, document, "(of "+c.UUID+")", "the document is missing")
	must(t, os.WriteFile(document, sound, 0o600))

	path := home.Dir(s.home).Database()
	file, err := os.ReadFile(path)
	must(t, err)
	for _, test := range []struct{ name, text string }{
		{"certificates, key ", `"full_name":"` + c.Name}, {"certificates, key ", c.ReferenceID + `","`},
	} {
		damaged := bytes.ReplaceAll(file, []byte(test.text), append([]byte(test.text[:len(test.text)-1]), '#'))
		if bytes.Equal(damaged, file) {
			continue // records are written in another way
		}
		must(t, os.WriteFile(path, damaged, 0o600))
		s.want(1, "doctor", "--deep").says(t, path, test.name, "the record is not what was written", "(of "+c.UUID+")")
		return
	}
	t.Error("no record was found to damage")
}

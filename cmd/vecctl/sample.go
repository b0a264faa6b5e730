package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/template"
)

// sampleTemplate is the name of the sample batch's template in the home.
const sampleTemplate = "sample"

// sampleRows are invented. The titles say that these are samples.
var sampleRows = [...][3]string{
	{"Sample: Bookbinding", "Anna Kowalska", "With distinction."},
	{"Sample: Cartography", "Łucja Świątek-Brânză", "Forty hours, with a final map of the old town."},
	{"Sample: Public Speaking", "Marcus Aurelius Threlkeld-Abernathy", ""},
	{"Sample: Restoration of Instruments", "Đặng Quốc Bảo", "Two semesters in the workshop."},
	{"Sample: Statistics", "Ελένη Παπαδοπούλου", "Grade: 1.3"},
}

// makeSample puts a manifest and its template into the home, and returns the manifest's
// path. Existing files stay as they are. The mails go to the sender, so that no other
// person gets one.
func makeSample(c *cli.Context, w environment, sender string) (string, error) {
	dir, err := homeDir(c, w)
	if err != nil {
		return "", err
	}
	s, err := templateDir(c, w)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(s.Path, sampleTemplate)); errors.Is(err, fs.ErrNotExist) {
		files, err := template.BundledFiles("course")
		if err != nil {
			return "", err
		}
		if err := s.Add(sampleTemplate, files); err != nil {
			return "", fmt.Errorf("creating the sample's template: %w", err)
		}
	}
	path := filepath.Join(string(dir), "sample", "sample.csv")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	body, err := sampleManifest(cmp.Or(sender, "nobody@example.org"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fsutil.DiskError(err, "creating the sample batch")
	}
	return path, fsutil.WriteFile(path, 0o600, func(w io.Writer) error {
		_, err := w.Write(body)
		return err
	})
}

func sampleManifest(address string) ([]byte, error) {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	rows := [][]string{{"certificate_title", "full_name", "applicant_email", "details", "template"}}
	for _, r := range sampleRows {
		rows = append(rows, []string{r[0], r[1], address, r[2], sampleTemplate})
	}
	err := out.WriteAll(rows)
	return b.Bytes(), err
}

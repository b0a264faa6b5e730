package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

func exportSiteCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "site", Usage: "write everything that verification needs as files for any web server", ArgsUsage: "DIR",
		Description: "The files have what the verification pages of all institutions of the home show, their logs, the\n" +
			"certificates that they sign with, and a page that judges a PDF in the browser, also when it is opened as a\n" +
			"file. The same command again writes what has changed, and removes what it wrote and is no longer needed.",
		Flags:  slices.Concat(homeFlags(), outputFlags()),
		Action: func(c *cli.Context) error { return runExportSite(c, w) },
	}
}

// siteReport is what "export site" prints.
type siteReport struct {
	Folder  string `json:"folder"`
	Files   int    `json:"files"`
	Bytes   int64  `json:"bytes"`
	Written int    `json:"written"`
	Removed int    `json:"removed"`
}

func runExportSite(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the folder")
	if err != nil {
		return err
	}
	folder, err := openSiteFolder(c.Args().First())
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		files, err := s.Site(c.Context, folder.put)
		if err != nil {
			return err
		}
		if err := folder.removeOthers(files); err != nil {
			return err
		}
		r := folder.report
		return printFields(w.stdout, form, r, [][2]string{{"folder", r.Folder}, {"files", fmt.Sprint(r.Files)}, {"bytes", fmt.Sprint(r.Bytes)},
			{"written", fmt.Sprint(r.Written)}, {"removed", fmt.Sprint(r.Removed)}})
	})
}

// siteFolder is the folder of a static site.
type siteFolder struct {
	report siteReport
	before []string // the files that the last export listed
}

// openSiteFolder opens a folder that is new, empty, or has a static site already: nobody
// else's files are overwritten.
func openSiteFolder(dir string) (*siteFolder, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, usageError("%s is no folder", dir)
	}
	f := &siteFolder{report: siteReport{Folder: path}}
	if err := os.MkdirAll(path, 0o755); err != nil { //nolint:gosec // everyone may read it
		return nil, fsutil.DiskError(err, "making the folder of the site")
	}
	var list struct {
		Files []string `json:"files"`
	}
	data, err := os.ReadFile(filepath.Join(path, adminclient.SiteManifest))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, f.refuseForeign()
	case err != nil:
		return nil, fsutil.DiskError(err, "reading the list of the site's files")
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, fmt.Sprintf("%s in %s is not the list of a site's files; name another folder", adminclient.SiteManifest, path))
	}
	f.before = list.Files
	return f, nil
}

// siteParts are the files and folders of a site. One that was interrupted has no list yet.
func siteParts() []string {
	return []string{"index.html", "check.js", "check.css", "certificates", "keys", "log", "revocations.json"}
}

// refuseForeign refuses a folder with files that are not a site's.
func (f *siteFolder) refuseForeign() error {
	found, err := os.ReadDir(f.report.Folder)
	if err != nil {
		return fsutil.DiskError(err, "reading the folder of the site")
	}
	for _, entry := range found {
		if !slices.Contains(siteParts(), entry.Name()) {
			return usageError("%s has other files, such as %s; name an empty folder", f.report.Folder, entry.Name())
		}
	}
	return nil
}

// put writes a file, unless it is there already.
func (f *siteFolder) put(name string, content []byte) error {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return fault.Newf(fault.Damaged, "the agent names a file %q, which is outside of the site", name)
	}
	f.report.Files++
	f.report.Bytes += int64(len(content))
	path := filepath.Join(f.report.Folder, filepath.FromSlash(name))
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // everyone may read it
		return fsutil.DiskError(err, "making a folder of the site")
	}
	f.report.Written++
	if err := fsutil.ReplaceFile(path, content); err != nil {
		return err
	}
	return fsutil.DiskError(os.Chmod(path, 0o644), "letting others read the site") //nolint:gosec // everyone may read it
}

// removeOthers removes what the last export wrote and this one did not.
func (f *siteFolder) removeOthers(now []string) error {
	for _, name := range f.before {
		if slices.Contains(now, name) || !filepath.IsLocal(filepath.FromSlash(name)) {
			continue
		}
		removed, err := fsutil.RemoveFile(filepath.Join(f.report.Folder, filepath.FromSlash(name)))
		if err != nil {
			return fsutil.DiskError(err, "removing an old file of the site")
		}
		if removed {
			f.report.Removed++
		}
	}
	return nil
}

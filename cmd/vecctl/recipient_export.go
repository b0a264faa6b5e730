package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

func recipientExportCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "write everything that is known of a person: data.json and documents", ArgsUsage: "EMAIL",
		Description: "For requests for access to personal data. It covers every institution of the home, or the one that\n" +
			"--institution names, and enters the audit trail. data.json says what it does not cover.",
		Flags: append(append(homeFlags(), outputFlags()...),
			&cli.StringFlag{Name: "out", Value: "personal-data.zip", Usage: "a new `PATH`: a zip if it ends with .zip, else a folder"},
			&cli.StringFlag{Name: "person", Usage: "`NAME` or external ID of the person, if several people share the address"}),
		Action: func(c *cli.Context) error { return runRecipientExport(c, w) },
	}
}

// recipientExport is what the command prints.
type recipientExport struct {
	Out          string   `json:"out"`
	Institutions []string `json:"institutions"`
	Certificates int      `json:"certificates"`
	Mails        int      `json:"mails"`
	Files        int      `json:"files"`
	Missing      []string `json:"missing_files"`
}

func runRecipientExport(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the e-mail address")
	if err != nil {
		return err
	}
	out := c.String("out")
	if _, err := os.Lstat(out); err == nil {
		return usageError("%s already exists; name another file or folder with --out", out)
	}
	if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
		return usageError("the folder %s for the export does not exist; create it first", filepath.Dir(out))
	}
	return withSession(c, w, func(s *session) error {
		archive := out
		if !strings.EqualFold(filepath.Ext(out), ".zip") {
			archive = out + ".part.zip"
			defer os.Remove(archive)
		}
		err := fsutil.WriteFile(archive, 0o600, func(to io.Writer) error {
			return s.ExportRecipient(c.Context, c.Args().First(), c.String("person"), to)
		})
		if err != nil {
			return err
		}
		result, err := readExport(archive, out)
		if err != nil {
			return err
		}
		result.Out = out
		fields := [][2]string{{"out", out}, {"institutions", strings.Join(result.Institutions, " ")}, {"certificates", strconv.Itoa(result.Certificates)},
			{"mails", strconv.Itoa(result.Mails)}, {"files", strconv.Itoa(result.Files)}}
		for _, missing := range result.Missing {
			fields = append(fields, [2]string{"missing", missing})
		}
		if err := printFields(w.stdout, form, result, fields); err != nil {
			return err
		}
		if len(result.Missing) > 0 {
			printLinef(w, "%d files could not be read; restore them from a backup and export again.", len(result.Missing))
			return exitStatus(exitPartly)
		}
		return nil
	})
}

// readExport reads what an export holds, and unpacks it where it is to be a folder.
func readExport(archive, out string) (recipientExport, error) {
	result := recipientExport{Institutions: []string{}}
	z, err := zip.OpenReader(archive)
	if err != nil {
		return result, fault.Wrap(fault.Unavailable, err, "the agent ended the export early; run the same command again")
	}
	defer func() { _ = z.Close() }() // it was only read
	for _, f := range z.File {
		if f.Name == adminclient.PersonalDataFile {
			if err := summarize(f, &result); err != nil {
				return result, err
			}
		} else {
			result.Files++
		}
		if archive != out {
			if err := unpack(f, out); err != nil {
				return result, err
			}
		}
	}
	return result, nil
}

func summarize(f *zip.File, result *recipientExport) error {
	var data adminclient.PersonalData
	r, err := f.Open()
	if err == nil {
		err = json.NewDecoder(r).Decode(&data)
	}
	if err != nil {
		return fmt.Errorf("reading the export: %w", err)
	}
	for _, one := range data.Institutions {
		result.Institutions = append(result.Institutions, one.Institution)
		result.Certificates += len(one.Certificates)
		result.Mails += len(one.Mails)
	}
	result.Missing = data.Missing
	return r.Close()
}

// unpack writes a file of an export into a folder.
func unpack(f *zip.File, folder string) error {
	if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
		return fault.Newf(fault.Damaged, "the export has a file %q outside of its folder", f.Name)
	}
	name := filepath.Join(folder, filepath.FromSlash(f.Name))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fsutil.DiskError(err, "making a folder of the export")
	}
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("reading the export: %w", err)
	}
	defer r.Close()
	return fsutil.WriteFile(name, 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, r) //nolint:gosec // our own agent made it, and the disk says when it is full
		return err
	})
}

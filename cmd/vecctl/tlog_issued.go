package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

func tlogAddIssuedCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "add-issued", Usage: "enter certificates in the log that were issued before it began",
		Description: "Their verified PDFs stay as they are, byte for byte. Each proof becomes a file REFERENCE_ID.tlog-proof in the\n" +
			"folder of --out; \"verify FILE --proof FILE --log-key KEY\" checks one. The same command again writes the files\n" +
			"anew. Exit code 3: some certificates could not be entered.",
		Flags: slices.Concat(homeFlags(), outputFlags(), []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "write the proofs into the folder `DIR`"}}),
		Action: func(c *cli.Context) error { return runTlogAddIssued(c, w) },
	}
}

func runTlogAddIssued(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		all := adminclient.LateEntries{Entered: []string{}, Refused: []adminclient.RefusedEntry{}}
		for next := uint64(0); ; {
			part, err := s.AddIssued(c.Context, next)
			if err != nil {
				return err
			}
			all.Entered, all.Refused = append(all.Entered, part.Entered...), append(all.Refused, part.Refused...)
			if next = part.Next; next == 0 {
				break
			}
		}
		if dir := c.String("out"); dir != "" {
			if err := writeProofs(c, s, dir, all.Entered); err != nil {
				return err
			}
		}
		for _, r := range all.Refused {
			printLinef(w, "%s is not in the log: %s", r.ReferenceID, r.Reason)
		}
		if err := printFields(w.stdout, form, all, [][2]string{{"entered", fmt.Sprint(len(all.Entered))}, {"refused", fmt.Sprint(len(all.Refused))}}); err != nil {
			return err
		}
		if len(all.Refused) > 0 {
			return exitStatus(exitPartly)
		}
		return nil
	})
}

// writeProofs writes the proofs of certificates into a folder.
func writeProofs(c *cli.Context, s *session, dir string, references []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // proofs are for everyone
		return fsutil.DiskError(err, "making the folder of proofs")
	}
	for _, reference := range references {
		proof, err := s.LogProof(c.Context, reference)
		if err != nil {
			return err
		}
		if err := fsutil.ReplaceFile(filepath.Join(dir, reference+".tlog-proof"), []byte(proof)); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/transparency"
)

func tlogCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "tlog", Usage: "show and audit the transparency logs of issued certificates",
		Subcommands: []*cli.Command{{
			Name: "status", Usage: "list the institution's logs with their size and last checkpoint", Flags: staffFlags(),
			Action: listAction(w, 0, "", logStatusList(), func(c *cli.Context, s *session) ([]adminclient.LogStatus, error) {
				return s.Logs(c.Context)
			}),
		}, {
			Name: "audit", Usage: "read published logs again and compare them with what they were before", ArgsUsage: "URL|DIR",
			Description: "URL is the address of a vault's pages, DIR a folder with a published log. Every entry and every tile is read\n" +
				"and must give the root of the signed checkpoint. The last checkpoint of each log is remembered: a later audit\n" +
				"says whether the log continues it. The exit code is 0 where all logs are consistent, 1 where one is forked,\n" +
				"shrunk, damaged, removed or signed by another key, and 10 where a log cannot be reached.",
			Flags: slices.Concat(outputFlags(), remoteFlags(), []cli.Flag{
				&cli.StringFlag{Name: "seen", Usage: "remember checkpoints in the folder `DIR` (default: a folder of your settings)"}}),
			Action: func(c *cli.Context) error { return runTlogAudit(c, w) },
		}, {
			Name: "proof", Usage: "print a certificate's log proof", ArgsUsage: "UUID|REFERENCE_ID",
			Flags: append(apiFlags(),
				&cli.StringFlag{Name: "out", Value: "-", Usage: "output `FILE`; - is standard output"}),
			Action: func(c *cli.Context) error { return runTlogProof(c, w) },
		}, tlogAddIssuedCommand(w), tlogWitnessCommand(w), {
			Name: "continue", Usage: "say that this home was moved and alone continues its logs",
			Description: "A home whose folder is another one than before issues nothing: where it was copied, the original may go on,\n" +
				"and two histories under one key could not be told from fraud. Use this command when the home was moved and\n" +
				"no other copy issues. It is refused where another history of the log is published or witnessed.",
			Flags:  slices.Concat(homeFlags(), outputFlags(), []cli.Flag{yesFlag()}),
			Action: func(c *cli.Context) error { return runTlogDecision(c, w, "continue") },
		}, {
			Name: "new", Usage: "begin a new log for what is issued from now on",
			Description: "Use this command when this home is a copy, or older than what was published: the log cannot be continued\n" +
				"here. The older log stays as it is, and what it proves stays proven.",
			Flags:  slices.Concat(homeFlags(), outputFlags(), []cli.Flag{yesFlag()}),
			Action: func(c *cli.Context) error { return runTlogDecision(c, w, "new") },
		}},
	}
}

func logStatusList() list[adminclient.LogStatus] {
	return list[adminclient.LogStatus]{
		headings: []string{"id", "origin", "size", "growing", "created_at", "cosigned", "root", "problem"},
		cells: func(l adminclient.LogStatus) []string {
			return []string{l.ID, l.Origin, strconv.FormatInt(l.Size, 10), yesNo(l.Growing), l.CreatedAt.UTC().Format(time.RFC3339), strconv.FormatInt(l.Cosigned, 10), l.Root, l.Problem}
		},
	}
}

// runTlogDecision carries out what staff decided about a log that cannot simply go on.
func runTlogDecision(c *cli.Context, w environment, decision string) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	question := "Begin a new log? What is issued from now on enters that one."
	if decision == "continue" {
		question = "Does no other copy of this home issue certificates?"
	}
	if err := confirm(c, w, question); err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		decide := s.NewLog
		if decision == "continue" {
			decide = s.ContinueLogs
		}
		all, err := decide(c.Context)
		if err != nil {
			return err
		}
		return logStatusList().print(w.stdout, form, all)
	})
}

// auditedLog is what "tlog audit" prints of a log.
type auditedLog struct {
	Origin      string               `json:"origin"`
	Institution string               `json:"institution,omitempty"`
	Finding     transparency.Finding `json:"finding"`
	Message     string               `json:"message"`
	Size        int64                `json:"size"`
	Since       time.Time            `json:"consistent_since"`
	Key         string               `json:"key"`
	Checkpoint  string               `json:"checkpoint,omitempty"` // as published now
	Before      string               `json:"before,omitempty"`     // the checkpoint that was seen before
}

func newAuditedLog(a transparency.Audited) auditedLog {
	l := auditedLog{Origin: a.Origin, Institution: a.Listed.Institution, Finding: a.Finding, Size: a.Checkpoint.Size, Since: a.Since, Key: a.Listed.Key, Checkpoint: string(a.Signed)}
	if a.Before != nil {
		l.Before = a.Before.Checkpoint
	}
	since := a.Since.Format(time.DateOnly)
	switch {
	case a.Finding == transparency.Consistent && a.Before == nil:
		l.Message = "Consistent in itself; it was never seen before, so later audits compare with today."
	case a.Finding == transparency.Consistent:
		l.Message = "Consistent since " + since + "."
	case a.Before == nil:
		l.Message = "Not consistent: " + a.Reason + "."
	default:
		l.Message = fmt.Sprintf("No longer consistent, as it was from %s to %s: %s.", since, a.Before.At.Format(time.DateOnly), a.Reason)
	}
	return l
}

// auditedLogList is how audits are printed.
func auditedLogList() list[auditedLog] {
	return list[auditedLog]{
		headings: []string{"origin", "finding", "size", "message"},
		cells: func(l auditedLog) []string {
			return []string{l.Origin, string(l.Finding), strconv.FormatInt(l.Size, 10), l.Message}
		},
	}
}

func runTlogAudit(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, "the address of a vault's pages, or a folder")
	if err != nil {
		return err
	}
	publication, location, err := publicationAt(c, w, c.Args().First())
	if err != nil {
		return err
	}
	memory := c.String("seen")
	if memory == "" {
		settings, err := defaultInstitutionsFile(w)
		if err != nil {
			return usageError("there is no folder for your settings; name a folder for the checkpoints with --seen")
		}
		memory = filepath.Join(filepath.Dir(settings), "checkpoints")
	}
	found, err := transparency.Auditor{Memory: memory, At: wallClock()}.Audit(c.Context, publication, location)
	if fault.Is(err, fault.NotFound) {
		return fault.Wrap(fault.NotFound, err, fmt.Sprintf("no log is published at %s: it has no %s", location, transparency.ListPath))
	}
	if err != nil {
		return err
	}
	all, code := make([]auditedLog, len(found)), exitDone
	for i, a := range found {
		if all[i] = newAuditedLog(a); a.Finding != transparency.Consistent {
			code = exitFailed
		}
	}
	if err := auditedLogList().print(w.stdout, form, all); err != nil {
		return err
	}
	if len(all) == 0 {
		printLinef(w, "No log is published at %s yet.", location)
	}
	if code != exitDone {
		return exitStatus(code)
	}
	return nil
}

// publicationAt is what is published at an address or in a folder, and the name under which
// it is remembered.
func publicationAt(c *cli.Context, w environment, where string) (transparency.Publication, string, error) {
	if !strings.HasPrefix(where, "http://") && !strings.HasPrefix(where, "https://") {
		location, err := filepath.Abs(where)
		if err != nil {
			return nil, "", usageError("%s is no folder", where)
		}
		if info, err := os.Stat(location); err != nil || !info.IsDir() {
			return nil, "", usageError("%s is no folder, and no address with http:// or https://", where)
		}
		return transparency.Folder{Files: os.DirFS(location)}, location, nil
	}
	set, err := loadSettings(c, w)
	if err != nil {
		return nil, "", err
	}
	transport, _, err := remoteTransport(set)
	if err != nil {
		return nil, "", err
	}
	location := strings.TrimSuffix(where, "/")
	return transparency.Site{Transport: transport, URL: location}, location, nil
}

func runTlogProof(c *cli.Context, w environment) error {
	if err := requireArgs(c, 1, "the certificate's UUID or reference ID"); err != nil {
		return err
	}
	return withSession(c, w, func(s *session) error {
		proof, err := logProofOf(c.Context, s, c.Args().First())
		if err != nil {
			return err
		}
		return writeTo(w, c.String("out"), func(out io.Writer) error {
			_, err := out.Write(proof)
			return err
		})
	})
}

// logProofOf takes the proof out of a certificate's PDF, if it holds.
func logProofOf(ctx context.Context, s *session, name string) ([]byte, error) {
	var file bytes.Buffer
	if _, err := s.Download(ctx, name, &file); err != nil {
		return nil, err
	}
	found, err := pdf.Verify(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		return nil, err
	}
	for _, signature := range slices.Backward(found.Signatures) {
		if signature.Log.Proof != nil {
			return signature.Log.Signed, nil
		}
	}
	if !s.remote {
		if proof, err := s.LogProof(ctx, name); err == nil {
			return []byte(proof), nil
		}
	}
	return nil, fault.New(fault.NotFound, cmp.Or(found.Sentence, "The verified PDF carries no log proof: it was issued before the log began."))
}

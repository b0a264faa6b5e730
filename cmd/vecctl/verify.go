package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/transparency"
)

func verifyCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "check that verified PDFs and badges are unchanged, and show who signed them", ArgsUsage: "FILE|FOLDER...",
		Description: "The check needs no network and no vault. If a vault is available (the home, or --api), the command also\n" +
			"asks it whether the certificate was revoked or replaced. With --site, the command compares the file with a\n" +
			"published log and its list of revocations, and says since when a revocation is in the log.\n" +
			"Of a folder, the PDFs in it are checked.\n" +
			"A badge (Open Badges 3.0 as .json, .jwt, .png or .svg) of this home's is checked likewise; that of\n" +
			"another issuer needs its keys and its status list, for which --online asks the issuer's site.\n" +
			"Exit code 0: valid; 1: not valid or not signed; 2: cannot be judged. Of several files, the worst counts.",
		Flags: append(append(apiFlags(), outputFlags()...),
			&cli.StringSliceFlag{Name: "trust", Usage: "trust the certificates in `FILE`, a folder of them, or \"system\"; repeatable"},
			&cli.BoolFlag{Name: "online", Usage: "ask the sites of badges' issuers for their keys and status lists"},
			&cli.StringFlag{Name: "site", Usage: "compare with what is published in a static site or by a vault: `DIR|URL`"},
			&cli.StringFlag{Name: "proof", Usage: "check the log proof in `FILE`, of a certificate that entered the log after it was issued"},
			&cli.StringFlag{Name: "log-key", Usage: "the log's public `KEY` for --proof (default: the keys that --site lists)"},
			&cli.BoolFlag{Name: "require-trust", Usage: "a file whose signer is not trusted counts as not valid"},
			&cli.BoolFlag{Name: "recursive", Aliases: []string{"r"}, Usage: "check the PDFs in folders within folders, too"},
		),
		Action: func(c *cli.Context) error {
			form, err := parseOutputFormat(c)
			if err != nil {
				return err
			}
			if c.NArg() == 0 {
				return requireArgs(c, 1, "the file")
			}
			return runVerify(c, w, form)
		},
	}
}

// verdict is what "verify" prints for a file.
type verdict struct {
	File        string          `json:"file"`
	Valid       bool            `json:"valid"`
	Code        pdf.VerdictCode `json:"verdict"`
	Reason      string          `json:"reason,omitempty"`
	Level       string          `json:"level,omitempty"`
	NextLevel   string          `json:"next_level,omitempty"`
	Missing     []string        `json:"missing_for_next_level,omitempty"`
	LevelNote   string          `json:"level_note,omitempty"`
	Until       *time.Time      `json:"timestamp_until,omitempty"` // when the certificate of the newest time stamp ends
	Sentence    string          `json:"message"`
	ReferenceID string          `json:"reference_id,omitempty"`
	VerifyURL   string          `json:"verify_url,omitempty"`
	SHA256      string          `json:"sha256,omitempty"`
	Status      string          `json:"status,omitempty"` // in the vault
	Vault       string          `json:"vault,omitempty"`  // the vault's answer, or why there is none
	Site        string          `json:"site,omitempty"`   // what --site says of it
	Logged      *loggedInfo     `json:"revocation_logged,omitempty"`
	Signatures  []signatureInfo `json:"signatures"`
	Badge       *badgeInfo      `json:"badge,omitempty"` // of a file that is one

	whoVouches string // the part of the message that the vault's word takes the place of
}

type signatureInfo struct {
	Field           string       `json:"field"`
	SignedBy        string       `json:"signed_by"`
	Issuer          string       `json:"issuer"`
	SelfSigned      bool         `json:"self_signed"`
	Trusted         bool         `json:"trusted"`
	Fingerprint     string       `json:"certificate_sha256"`
	SignedAt        time.Time    `json:"signed_at"`
	Timestamped     bool         `json:"timestamped"`
	TimestampedBy   string       `json:"timestamped_by,omitempty"`
	IsTimestamp     bool         `json:"document_timestamp"`
	Certifies       int          `json:"certifies,omitempty"`
	Level           string       `json:"level,omitempty"`
	Missing         []string     `json:"missing_for_next_level,omitempty"`
	Intact          bool         `json:"intact"`
	CoversWholeFile bool         `json:"covers_whole_file"`
	Changes         []changeInfo `json:"changes,omitempty"`
	Reason          string       `json:"reason,omitempty"`
	Problem         string       `json:"problem,omitempty"`
	Note            string       `json:"note,omitempty"`
	ReferenceID     string       `json:"reference_id,omitempty"`
	Log             *logInfo     `json:"log,omitempty"` // the log of issued certificates that the signature names

	digest []byte // of what the signature covers
}

// logInfo is what a file proves of the log that its signature names.
type logInfo struct {
	Key      string `json:"key"`                 // public, with the log's name
	Proven   bool   `json:"proven"`              // the file has a proof, and it holds
	Origin   string `json:"origin,omitempty"`    // the log's name
	Index    *int64 `json:"index,omitempty"`     // of the entry, from 0
	TreeSize int64  `json:"tree_size,omitempty"` // entries of the log when the proof was made

	checkpoint transparency.Checkpoint // of the proof
}

func newLogInfo(l pdf.LogOfSignature) *logInfo {
	if l.Key == "" {
		return nil
	}
	info := &logInfo{Key: l.Key}
	if p := l.Proof; p != nil {
		info.Proven, info.Origin, info.Index, info.TreeSize, info.checkpoint = true, p.Checkpoint.Origin, &p.Index, p.Checkpoint.Size, p.Checkpoint
	}
	return info
}

// changeInfo is a change to the document after a signature.
type changeInfo struct {
	What    string `json:"what"`
	Allowed bool   `json:"allowed"`
}

func newVerdict(path string, found pdf.Verdict) verdict {
	v := verdict{
		File: path, Valid: found.Valid, Code: found.Code, Reason: string(found.Reason), Level: string(found.Level), Sentence: found.Sentence,
		ReferenceID: found.ReferenceID, VerifyURL: found.URL, SHA256: fmt.Sprintf("%x", found.SHA256), Signatures: []signatureInfo{},
		NextLevel: string(found.Level.Next()), Missing: found.Missing, LevelNote: found.LevelNote, Until: client.TimeOrNull(found.TimestampUntil),
		whoVouches: found.WhoVouches,
	}
	for _, s := range found.Signatures {
		info := signatureInfo{
			Field: s.Field, SignedBy: s.SignedBy, Issuer: s.Issuer, SelfSigned: s.SelfSigned, Trusted: s.Trusted, Fingerprint: s.Fingerprint,
			SignedAt: s.SignedAt, Timestamped: s.Timestamped, TimestampedBy: s.TimestampedBy, IsTimestamp: s.IsTimestamp,
			Certifies: s.Certifies, Level: string(s.Level), Missing: s.Missing, Intact: s.Intact, CoversWholeFile: s.CoversWholeFile,
			Reason: string(s.Reason), Problem: s.Problem, Note: s.Note, ReferenceID: s.ReferenceID, Log: newLogInfo(s.Log), digest: s.Log.Digest,
		}
		for _, ch := range s.Changes {
			info.Changes = append(info.Changes, changeInfo(ch))
		}
		v.Signatures = append(v.Signatures, info)
	}
	if v.ReferenceID == sampleReference {
		v.Valid, v.Code, v.Reason = false, verdictPreview, ""
		v.Sentence = "Not a certificate: this is a preview of the QR code's place."
	}
	return v
}

func runVerify(c *cli.Context, w environment, f outputFormat) error {
	files, many, err := filesToVerify(c.Args().Slice(), c.Bool("recursive"))
	if err != nil {
		return err
	}
	pool, err := readTrust(c.StringSlice("trust"))
	if err != nil {
		return err
	}
	verdicts, err := verifyFiles(c.Context, files, pdf.NewVerifier(pdf.WithDigest(), pdf.WithTrust(pool), pdf.WithTime(wallClock())))
	if err != nil {
		return err
	}
	verifyBadges(c, w, verdicts)
	askVault(c, w, verdicts)
	if c.String("proof") != "" {
		if err := checkDetachedProof(c, w, verdicts); err != nil {
			return err
		}
	}
	if site := c.String("site"); site != "" {
		if err := askSite(c, w, site, verdicts); err != nil {
			return err
		}
	}
	if many {
		err = verdictList.print(w.stdout, f, verdicts)
	} else {
		err = printFields(w.stdout, f, verdicts[0], verdictFields(verdicts[0]))
	}
	if err != nil {
		return err
	}
	if code := worstCode(verdicts, c.Bool("require-trust")); code != exitDone {
		return exitStatus(code)
	}
	return nil
}

// worstCode is the exit code for several files: that of the worst.
func worstCode(all []verdict, needTrust bool) int {
	worst := exitDone
	for _, v := range all {
		switch {
		case v.Code == pdf.VerdictUnreadable, v.Code == verdictNotKnown:
			return exitUsage
		case !v.Valid, needTrust && v.Code != pdf.VerdictTrusted && v.Badge == nil:
			worst = exitFailed
		}
	}
	return worst
}

// verdictList is how the verdicts on several files are printed.
var verdictList = list[verdict]{
	headings: []string{"file", "verdict", "level", "signed_by", "signed_at", "reference_id", "status", "sha256", "message"},
	cells: func(v verdict) []string {
		var by, at string
		for _, s := range v.Signatures {
			if s.IsTimestamp {
				continue
			}
			if by = s.SignedBy; !s.SignedAt.IsZero() {
				at = s.SignedAt.Format(time.RFC3339)
			}
		}
		return []string{v.File, string(v.Code), v.Level, by, at, v.ReferenceID, v.Status, v.SHA256, v.Sentence}
	},
}

func verdictFields(v verdict) [][2]string {
	valid := "no"
	if v.Valid {
		valid = "yes"
	}
	until := ""
	if v.Until != nil {
		until = v.Until.Format(time.DateOnly)
	}
	fields := [][2]string{
		{"verdict", v.Sentence}, {"valid", valid}, {"code", string(v.Code)}, {"level", v.Level}, {"next_level", nextLevelLine(v)}, {"level_note", v.LevelNote},
		{"timestamp_until", until}, {"reference_id", v.ReferenceID}, {"verify_url", v.VerifyURL}, {"status", v.Status}, {"vault", v.Vault}, {"site", v.Site}, {"sha256", v.SHA256},
	}
	if v.Badge != nil {
		fields = append(fields, badgeFields(v)...)
	}
	for i, s := range v.Signatures {
		fields = append(fields, [2]string{fmt.Sprintf("signature_%d", i+1), signatureLine(s)},
			[2]string{"certificate_sha256", s.Fingerprint})
	}
	return fields
}

// nextLevelLine says what the file lacks for the level above.
func nextLevelLine(v verdict) string {
	if v.NextLevel == "" || len(v.Missing) == 0 {
		return ""
	}
	return v.NextLevel + " needs " + strings.Join(v.Missing, ", ")
}

func signatureLine(s signatureInfo) string {
	var line strings.Builder
	line.WriteString("by " + s.SignedBy)
	switch {
	case s.SelfSigned && s.Trusted:
		line.WriteString(" (self-signed, trusted)")
	case s.SelfSigned:
		line.WriteString(" (self-signed)")
	case s.Trusted:
		line.WriteString(" (certified by " + s.Issuer + ")")
	case s.Issuer != "":
		line.WriteString(" (names " + s.Issuer + " as its issuer, not checked)")
	}
	if !s.SignedAt.IsZero() {
		line.WriteString(" on " + s.SignedAt.Format(time.RFC3339))
	}
	switch {
	case s.IsTimestamp:
		line.WriteString(", a time stamp of the document")
	case s.Timestamped:
		line.WriteString(", time-stamped by " + s.TimestampedBy)
	}
	for _, text := range []string{s.Problem, s.Note} {
		if text != "" {
			line.WriteString(": " + text)
		}
	}
	return line.String()
}

package main

import (
	"cmp"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

func viewCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "view", Usage: "show one certificate", ArgsUsage: "UUID|REFERENCE_ID",
		Flags: append(apiFlags(), outputFlags()...),
		Action: objectAction(w, 1, "the certificate's UUID or reference ID", certificateFields,
			func(c *cli.Context, s *session) (client.Certificate, error) {
				return s.Certificate(c.Context, c.Args().First())
			}),
	}
}

func certificateFields(c client.Certificate) [][2]string {
	fields := [][2]string{
		{"reference_id", c.ReferenceID}, {"uuid", c.UUID},
		{"status", c.Status.Value}, {"failure_reason", orEmpty(c.FailureReason)},
	}
	content := c.Vault()
	for _, f := range vault.Fields() {
		fields = append(fields, [2]string{f.Key, f.Get(content)})
	}
	fields = append(fields, [][2]string{
		{"file", c.File.Name}, {"batch_id", orEmpty(c.BatchID)}, {"verify_url", c.VerifyURL}, {"share_url", c.ShareURL},
		{"supersedes", orEmpty(c.Supersedes)}, {"superseded_by", orEmpty(c.SupersededBy)},
		{"created_at", formatMoment(c.CreatedAt)},
	}...)
	if c.QR != nil {
		fields = append(fields, [2]string{"qr", c.QR.String()})
	}
	if c.ApprovedAt != nil {
		fields = append(fields, [2]string{"approved_at", c.ApprovedAt.Format(time.RFC3339)})
	}
	if c.ExpiresAt != nil {
		state := "no"
		if c.Expired(time.Now()) {
			state = "yes"
		}
		fields = append(fields, [2]string{"expires_at", c.ExpiresAt.Format(time.RFC3339)}, [2]string{"expired", state})
	}
	if c.Verified != nil {
		fields = append(fields, [2]string{"verified_sha256", c.Verified.SHA256})
		if c.Verified.TimestampOwed {
			fields = append(fields, [2]string{"timestamp", "owed: it is added as soon as a time stamp server answers"})
		}
		fields = append(fields, [2]string{"level", c.Verified.Level})
		if c.Verified.LevelOwed != "" {
			fields = append(fields, [2]string{"level_owed", c.Verified.LevelOwed + ": what it needs is added as soon as the servers answer"})
		}
		if c.Verified.LevelProblem != "" {
			fields = append(fields, [2]string{"level_problem", c.Verified.LevelProblem})
		}
		if c.Verified.TimestampUntil != nil {
			fields = append(fields, [2]string{"timestamp_until", c.Verified.TimestampUntil.Format(time.DateOnly)})
		}
	}
	if r := c.Revocation; r != nil {
		fields = append(fields, [2]string{"revoked_at", r.At.Format(time.RFC3339)}, [2]string{"revoke_reason", r.Reason})
	}
	if m := c.Remote; m != nil {
		fields = append(fields, [2]string{"issued_by", m.Vault}, [2]string{"reference_id_there", cmp.Or(m.ReferenceID, "not known yet")})
	}
	if u := c.Undelivered; u != nil {
		fields = append(fields, [2]string{"undelivered", strings.TrimSpace(u.Address + " " + u.Code + " " + u.Reason)})
	}
	if c.ErasedAt != nil {
		fields = append(fields, [2]string{"erased_at", c.ErasedAt.Format(time.RFC3339)})
	}
	return fields
}

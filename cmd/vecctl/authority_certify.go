package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/authorityclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

const aHash = "the verification hash"

func callFlags(more ...cli.Flag) []cli.Flag {
	return slices.Concat(staffFlags(), settingFlags("authority.url", "authority.store", "authority.key"), remoteFlags(), more)
}

func snapshotFlag() cli.Flag {
	return &cli.StringFlag{Name: "snapshot", Usage: "`FILE` with the integration's snapshot (JSON); - for standard input"}
}

// certifyCommands returns the commands for the five calls of the contract, which a
// client makes.
func certifyCommands(w environment) []*cli.Command {
	return []*cli.Command{
		{
			Name: "request", Usage: "request a certification", ArgsUsage: "DOMAIN",
			Flags: callFlags(snapshotFlag(), &cli.StringFlag{Name: "project", Usage: "`NAME` of the project"}),
			Action: certification(w, aDomain, func(c *cli.Context, a *authorityclient.Client) (authorityclient.Certification, error) {
				snapshot, err := readSnapshot(c.String("snapshot"), w)
				if err != nil {
					return authorityclient.Certification{}, err
				}
				return a.Request(c.Context, c.Args().First(), c.String("project"), snapshot)
			}),
		},
		{
			Name: "status", Usage: "show the certification of a domain", ArgsUsage: "DOMAIN", Flags: callFlags(),
			Action: certification(w, aDomain, func(c *cli.Context, a *authorityclient.Client) (authorityclient.Certification, error) {
				return a.Status(c.Context, c.Args().First())
			}),
		},
		{
			Name: "verify", Usage: "check the hash of a badge; the exit code is 1 if it is not valid", ArgsUsage: "HASH",
			Flags:  callFlags(&cli.StringFlag{Name: "domain", Usage: "`DOMAIN` that shows the badge"}),
			Action: func(c *cli.Context) error { return verifyBadge(c, w) },
		},
		{
			Name: "revoke", Usage: "revoke a certification; without --key, as staff of the home", ArgsUsage: "HASH",
			Flags:  callFlags(&cli.StringFlag{Name: "reason", Usage: "reason as `TEXT`, which is public"}),
			Action: func(c *cli.Context) error { return revokeBadge(c, w) },
		},
		{
			Name: "renew", Usage: "renew a certification for its next term", ArgsUsage: "HASH", Flags: callFlags(snapshotFlag()),
			Action: certification(w, aHash, func(c *cli.Context, a *authorityclient.Client) (authorityclient.Certification, error) {
				snapshot, err := readSnapshot(c.String("snapshot"), w)
				if err != nil {
					return authorityclient.Certification{}, err
				}
				return a.Renew(c.Context, c.Args().First(), snapshot)
			}),
		},
	}
}

// withAuthority makes calls to the authority in the settings, or to the home's own.
func withAuthority(c *cli.Context, w environment, work func(*authorityclient.Client, *session) error) error {
	set, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	key, store := set.Authority.Key, set.Authority.Store
	if address := set.Authority.URL; address != "" {
		transport, options, err := remoteTransport(set)
		if err != nil {
			return err
		}
		a, err := authorityclient.New(address, key, store, transport, options...)
		if err != nil {
			return err
		}
		return work(a, nil)
	}
	return withSession(c, w, func(s *session) error {
		// The transport connects to the agent on this machine, whatever the address says.
		a, err := authorityclient.New(s.Base(), key, store, s.Transport(), client.InsecureHTTP)
		if err != nil {
			return err
		}
		return work(a, s)
	})
}

// certification returns the action of a call that returns a certification.
func certification(w environment, what string, call func(*cli.Context, *authorityclient.Client) (authorityclient.Certification, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		form, err := formatAndArgs(c, 1, what)
		if err != nil {
			return err
		}
		return withAuthority(c, w, func(a *authorityclient.Client, _ *session) error {
			answer, err := call(c, a)
			if err != nil {
				return err
			}
			return printFields(w.stdout, form, answer, certificationFields(answer))
		})
	}
}

func certificationFields(a authorityclient.Certification) [][2]string {
	return [][2]string{
		{"status", a.Status}, {"message", a.Message}, {"request_id", a.RequestID}, {"badge_code", a.BadgeCode}, {"badge_name", a.BadgeName},
		{"previous_badge", a.PreviousBadge}, {"downgrade_reason", a.DowngradeReason}, {"project_name", a.ProjectName}, {"domain", a.Domain},
		{"sdk_version", a.SDKVersion}, {"features", strings.Join(a.Features, ", ")}, {"issued_at", formatTime(a.IssuedAt)}, {"expires_at", formatTime(a.ExpiresAt)},
		{"revoked_at", formatTime(a.RevokedAt)}, {"revoke_reason", a.RevokeReason}, {"verification_hash", a.VerificationHash},
		{"badge_url", a.BadgeURL}, {"verify_url", a.VerifyURL},
	}
}

func verifyBadge(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, aHash)
	if err != nil {
		return err
	}
	return withAuthority(c, w, func(a *authorityclient.Client, _ *session) error {
		v, err := a.Verify(c.Context, c.Args().First(), c.String("domain"))
		if err != nil {
			return err
		}
		err = printFields(w.stdout, form, v, [][2]string{
			{"valid", fmt.Sprint(v.Valid)}, {"status", v.Status}, {"message", v.Message}, {"reason", v.Reason}, {"project_name", v.ProjectName},
			{"domain", v.Domain}, {"badge_code", v.BadgeCode}, {"badge_name", v.BadgeName}, {"sdk_version", v.SDKVersion},
			{"issued_at", formatTime(v.IssuedAt)}, {"expires_at", formatTime(v.ExpiresAt)}, {"expired_at", formatTime(v.ExpiredAt)}, {"revoked_at", formatTime(v.RevokedAt)},
		})
		if err == nil && !v.Valid {
			err = exitStatus(exitFailed)
		}
		return err
	})
}

func revokeBadge(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 1, aHash)
	if err != nil {
		return err
	}
	if c.String("reason") == "" {
		return usageError("--reason TEXT is missing; anyone who clicks on the badge sees it")
	}
	set, err := loadSettings(c, w)
	if err != nil {
		return err
	}
	return withAuthority(c, w, func(a *authorityclient.Client, s *session) error {
		if s != nil && set.Authority.Key == "" {
			r, err := s.RevokeCertification(c.Context, c.Args().First(), c.String("reason"))
			if err != nil {
				return err
			}
			return printFields(w.stdout, form, r, decisionFields(r))
		}
		answer, err := a.Revoke(c.Context, c.Args().First(), c.String("reason"))
		if err != nil {
			return err
		}
		return printFields(w.stdout, form, answer, certificationFields(answer))
	})
}

// readSnapshot reads a snapshot, either alone or inside of the body of a request.
func readSnapshot(path string, w environment) (authorityclient.Snapshot, error) {
	var body struct {
		Inner *authorityclient.Snapshot `json:"snapshot"`
		authorityclient.Snapshot
	}
	if path == "" {
		return body.Snapshot, usageError("--snapshot FILE is missing")
	}
	read := func() ([]byte, error) { return os.ReadFile(path) }
	if path == "-" {
		read = func() ([]byte, error) { return io.ReadAll(w.stdin) }
	}
	raw, err := read()
	if err != nil {
		return body.Snapshot, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the snapshot %s cannot be read; check its name and permissions", path))
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return body.Snapshot, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the snapshot %s is not valid: %s", path, err))
	}
	if body.Inner != nil {
		return *body.Inner, nil
	}
	return body.Snapshot, nil
}

// snapshotReport is the result of the evaluation of a snapshot.
type snapshotReport struct {
	Badge     string        `json:"badge_code"` // "" for none
	BadgeName string        `json:"badge_name"`
	Features  []string      `json:"features"`
	Claimed   string        `json:"qualified_badge,omitempty"` // the badge that the snapshot claims
	Next      string        `json:"next_badge,omitempty"`
	Missing   []missingItem `json:"missing"` // for the next badge
	SDK       string        `json:"sdk_version"`
	Refused   string        `json:"refused,omitempty"` // why it gets no badge at present
}

type missingItem struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func snapshotCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "snapshot", Usage: "show which badge a snapshot qualifies for, and what the next badge needs", ArgsUsage: "FILE", Flags: staffFlags(),
		Action: func(c *cli.Context) error {
			form, err := formatAndArgs(c, 1, "the snapshot's file")
			if err != nil {
				return err
			}
			set, err := loadSettings(c, w)
			if err != nil {
				return err
			}
			s, err := readSnapshot(c.Args().First(), w)
			if err != nil {
				return err
			}
			a := evaluateSnapshot(s, set.Authority.MinSDK)
			fields := [][2]string{
				{"badge", strings.TrimSpace(a.Badge + " " + a.BadgeName)}, {"features", strings.Join(a.Features, ", ")}, {"refused", a.Refused},
				{"next_badge", a.Next},
			}
			if a.Badge == "" {
				fields[0][1] = "none"
			}
			for _, m := range a.Missing {
				fields = append(fields, [2]string{"it_needs", m.Field + ": " + m.Message})
			}
			return printFields(w.stdout, form, a, fields)
		},
	}
}

func evaluateSnapshot(s authorityclient.Snapshot, minSDK string) snapshotReport {
	own := authority.Snapshot{
		SDKVersion: s.SDKVersion, Features: authority.Features(s.Features), Services: authority.Services(s.Services), Config: authority.Config(s.Config),
	}
	badge := authority.Qualify(own)
	a := snapshotReport{
		Badge: string(badge), BadgeName: badge.Name(), Features: badge.Features(), Claimed: s.QualifiedBadge,
		Next: string(badge.Next()), Missing: []missingItem{}, SDK: s.SDKVersion,
	}
	if err := authority.CheckSDK(s.SDKVersion, minSDK); err != nil {
		a.Refused = err.Error()
	}
	for _, r := range authority.Missing(own, badge.Next()) {
		a.Missing = append(a.Missing, missingItem{r.Field, r.Message})
	}
	return a
}

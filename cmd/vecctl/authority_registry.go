package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

const aStore = "the store's name"

func storeCommand(w environment) *cli.Command {
	act := func(name, usage string) *cli.Command {
		return &cli.Command{
			Name: name, Usage: usage, ArgsUsage: "SLUG", Flags: staffFlags(),
			Action: objectAction(w, 1, aStore, storeFields, func(c *cli.Context, s *session) (adminclient.Store, error) {
				return s.ActOnStore(c.Context, c.Args().First(), name)
			}),
		}
	}
	return &cli.Command{
		Name: "store", Usage: "manage the stores that may request certifications",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "register a store; its API key is printed once", ArgsUsage: "SLUG",
				Flags: staffFlags(&cli.BoolFlag{Name: "review", Usage: "let staff decide on each of its requests"}),
				Action: newKey(w, func(c *cli.Context, s *session) (adminclient.Store, error) {
					return s.AddStore(c.Context, c.Args().First(), c.Bool("review"))
				}),
			},
			{
				Name: "list", Usage: "list the stores", Flags: staffFlags(),
				Action: listAction(w, 0, "", storeList(), func(c *cli.Context, s *session) ([]adminclient.Store, error) { return s.Stores(c.Context) }),
			},
			{
				Name: "rotate-key", Usage: "create a new API key; the old key stops working", ArgsUsage: "SLUG", Flags: staffFlags(),
				Action: newKey(w, func(c *cli.Context, s *session) (adminclient.Store, error) {
					return s.ActOnStore(c.Context, c.Args().First(), "rotate-key")
				}),
			},
			act("disable", "refuse all requests of a store; its badges stay valid"),
			act("enable", "accept requests of a disabled store again"),
			act("review", "let staff decide on each request of a store"),
			act("no-review", "approve the requests of a store without review"),
		},
	}
}

// newKey returns an action that prints a new API key alone on the last line of stdout.
func newKey(w environment, call func(*cli.Context, *session) (adminclient.Store, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		form, err := formatAndArgs(c, 1, aStore)
		if err != nil {
			return err
		}
		return withSession(c, w, func(s *session) error {
			made, err := call(c, s)
			if err != nil {
				return err
			}
			return printSecret(w, form, made, made.APIKey, "The API key of the store %q; it is shown only once:", made.Slug)
		})
	}
}

func storeFields(s adminclient.Store) [][2]string {
	return [][2]string{
		{"store_slug", s.Slug}, {"review", strconv.FormatBool(s.Review)}, {"disabled", strconv.FormatBool(s.Disabled)},
		{"created_at", s.CreatedAt.Format(time.RFC3339)}, {"rotated_at", formatTime(s.RotatedAt)},
	}
}

func storeList() list[adminclient.Store] {
	return list[adminclient.Store]{
		headings: []string{"store_slug", "review", "disabled", "created_at", "rotated_at"},
		cells: func(s adminclient.Store) (cells []string) {
			for _, f := range storeFields(s) {
				cells = append(cells, f[1])
			}
			return cells
		},
	}
}

const aDomain = "the domain"

func domainCommand(w environment) *cli.Command {
	act := func(name, usage string) *cli.Command {
		return &cli.Command{
			Name: name, Usage: usage, ArgsUsage: "DOMAIN", Flags: staffFlags(),
			Action: objectAction(w, 1, aDomain, domainFields, func(c *cli.Context, s *session) (adminclient.StoreDomain, error) {
				return s.ActOnDomain(c.Context, c.Args().First(), name)
			}),
		}
	}
	return &cli.Command{
		Name: "domain", Usage: "manage the domains and App IDs of stores",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "register a domain or App ID, and print how its owner can prove ownership", ArgsUsage: "DOMAIN",
				Flags: staffFlags(&cli.StringFlag{Name: "store", Usage: "`SLUG` of the store that owns it"}),
				Action: objectAction(w, 1, aDomain, domainFields, func(c *cli.Context, s *session) (adminclient.StoreDomain, error) {
					if c.String("store") == "" {
						return adminclient.StoreDomain{}, usageError("--store SLUG is missing: the store that owns the domain")
					}
					return s.AddDomain(c.Context, c.Args().First(), c.String("store"))
				}),
			},
			{
				Name: "list", Usage: "list the domains", Flags: staffFlags(),
				Action: listAction(w, 0, "", domainList(), func(c *cli.Context, s *session) ([]adminclient.StoreDomain, error) { return s.Domains(c.Context) }),
			},
			act("check", "check the proof of ownership of a domain now"),
			act("trust", "accept a domain or App ID without proof of ownership"),
			act("remove", "remove a domain that has no certification"),
		},
	}
}

func proofOf(d adminclient.StoreDomain) string {
	if d.Proof == nil {
		return "none yet"
	}
	return *d.Proof
}

func domainFields(d adminclient.StoreDomain) [][2]string {
	fields := [][2]string{
		{"domain", d.Domain}, {"store_slug", d.Store}, {"proof", proofOf(d)}, {"proven_at", formatTime(d.ProvenAt)},
		{"checked_at", formatTime(d.CheckedAt)}, {"next_check", formatTime(d.NextCheck)}, {"found", d.Found},
	}
	if d.Proof == nil {
		fields = append(fields, [2]string{"txt_name", d.RecordName}, [2]string{"txt_value", d.Record}, [2]string{"meta_tag", d.Tag})
	}
	return fields
}

func domainList() list[adminclient.StoreDomain] {
	return list[adminclient.StoreDomain]{
		headings: []string{"domain", "store_slug", "proof", "proven_at", "next_check", "found"},
		cells: func(d adminclient.StoreDomain) []string {
			return []string{d.Domain, d.Store, proofOf(d), formatTime(d.ProvenAt), formatTime(d.NextCheck), d.Found}
		},
	}
}

const aRequest = "the request's ID"

func decisionCommands(w environment) []*cli.Command {
	return []*cli.Command{
		{
			Name: "list", Usage: "list the latest certification of each domain",
			Flags: staffFlags(&cli.StringFlag{Name: "store", Usage: "only those of the store `SLUG`"}),
			Action: listAction(w, 0, "", certificationList(), func(c *cli.Context, s *session) ([]adminclient.StoreCertification, error) {
				return s.StoreCertifications(c.Context, c.String("store"))
			}),
		},
		{
			Name: "pending", Usage: "list the requests that wait for a decision", Flags: staffFlags(),
			Action: listAction(w, 0, "", pendingList(), func(c *cli.Context, s *session) ([]adminclient.StoreCertification, error) {
				return s.PendingRequests(c.Context)
			}),
		},
		{
			Name: "approve", Usage: "approve a pending request", ArgsUsage: "REQUEST_ID", Flags: staffFlags(),
			Action: objectAction(w, 1, aRequest, decisionFields, func(c *cli.Context, s *session) (adminclient.StoreCertification, error) {
				return s.DecideRequest(c.Context, c.Args().First(), "approve", "")
			}),
		},
		{
			Name: "reject", Usage: "reject a pending request", ArgsUsage: "REQUEST_ID",
			Flags: staffFlags(&cli.StringFlag{Name: "reason", Usage: "reason as `TEXT`, which the store sees"}),
			Action: objectAction(w, 1, aRequest, decisionFields, func(c *cli.Context, s *session) (adminclient.StoreCertification, error) {
				if c.String("reason") == "" {
					return adminclient.StoreCertification{}, usageError("--reason TEXT is missing; the store sees it")
				}
				return s.DecideRequest(c.Context, c.Args().First(), "reject", c.String("reason"))
			}),
		},
	}
}

// badgeCommands returns the commands about issued badges.
func badgeCommands(w environment) []*cli.Command {
	return []*cli.Command{
		{
			Name: "embed", Usage: "print the HTML code that shows a badge", ArgsUsage: "HASH",
			Flags: append(homeFlags(), newChoiceFlag("size", "`SIZE` in pixels", "80x20", "150x40", "200x60").or("150x40")),
			Action: func(c *cli.Context) error {
				if err := requireArgs(c, 1, "the verification hash"); err != nil {
					return err
				}
				return withSession(c, w, func(s *session) error {
					html, err := s.EmbedSnippet(c.Context, c.Args().First(), c.String("size"))
					if err != nil {
						return err
					}
					_, err = fmt.Fprintln(w.stdout, html)
					return err
				})
			},
		},
		{
			Name: "rotate-secret", Usage: "use a new secret for new hashes; issued badges stay valid", Flags: homeFlags(),
			Action: func(c *cli.Context) error {
				if err := requireArgs(c, 0, ""); err != nil {
					return err
				}
				return withSession(c, w, func(s *session) error {
					id, err := s.RotateAuthoritySecret(c.Context)
					if err == nil {
						printLinef(w, "New hashes now use the secret %s.", id)
					}
					return err
				})
			},
		},
	}
}

func decisionFields(r adminclient.StoreCertification) [][2]string {
	return [][2]string{
		{"request_id", r.RequestID}, {"status", r.Status}, {"waits_for", strings.Join(r.WaitsFor, ", ")}, {"store_slug", r.Store},
		{"domain", r.Domain}, {"project_name", r.Project}, {"badge_code", r.Badge}, {"sdk_version", r.SDKVersion},
		{"verification_hash", r.Hash}, {"issued_at", formatTime(r.IssuedAt)}, {"expires_at", formatTime(r.ExpiresAt)},
		{"revoked_at", formatTime(r.RevokedAt)}, {"reason", r.Reason},
	}
}

func certificationList() list[adminclient.StoreCertification] {
	return list[adminclient.StoreCertification]{
		headings: []string{"domain", "store_slug", "status", "badge_code", "expires_at", "verification_hash"},
		cells: func(r adminclient.StoreCertification) []string {
			return []string{r.Domain, r.Store, r.Status, r.Badge, formatTime(r.ExpiresAt), r.Hash}
		},
	}
}

func pendingList() list[adminclient.StoreCertification] {
	return list[adminclient.StoreCertification]{
		headings: []string{"request_id", "store_slug", "domain", "project_name", "badge_code", "sdk_version", "requested_at", "waits_for"},
		cells: func(r adminclient.StoreCertification) []string {
			return []string{r.RequestID, r.Store, r.Domain, r.Project, r.Badge, r.SDKVersion, r.RequestedAt.Format(time.RFC3339), strings.Join(r.WaitsFor, ", ")}
		},
	}
}

func authorityLogCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "log", Usage: "show the authority's log: who did what, when and why", Flags: staffFlags(),
		Action: listAction(w, 0, "", authorityLogList(), authorityLog),
		Subcommands: []*cli.Command{{
			Name: "verify", Usage: "check that no entry was changed or removed", Flags: staffFlags(),
			Action: objectAction(w, 0, "", func(last adminclient.AuditEntry) [][2]string {
				return [][2]string{{"entries", strconv.FormatUint(last.Seq, 10)}, {"last_hash", last.Hash}}
			}, func(c *cli.Context, s *session) (adminclient.AuditEntry, error) { return s.VerifyAuditLog(c.Context) }),
		}},
	}
}

// authorityLog fetches the audit log, page by page.
func authorityLog(c *cli.Context, s *session) (all []adminclient.AuditEntry, err error) {
	const page = 5000
	for after := uint64(0); ; {
		more, err := s.AuditLog(c.Context, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
		if len(more) < page {
			return all, nil
		}
		after = more[len(more)-1].Seq
	}
}

func authorityLogList() list[adminclient.AuditEntry] {
	return list[adminclient.AuditEntry]{
		headings: []string{"seq", "at", "who", "what", "subject", "why"},
		cells: func(e adminclient.AuditEntry) []string {
			return []string{strconv.FormatUint(e.Seq, 10), e.At.Format(time.RFC3339), e.Who, e.What, e.Subject, e.Why}
		},
	}
}

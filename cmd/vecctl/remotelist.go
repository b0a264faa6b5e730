package main

import (
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/pkg/client/remotebulk"
)

func remoteCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "remote", Usage: "list the certificates that were sent to remote vaults, each with its latest known state",
		Flags: slices.Concat(homeFlags(), outputFlags(), []cli.Flag{
			newChoiceFlag("status", "only those in this `STATE`", "processing", "approved", "failed", "revoked", "rejected")}),
		Action: func(c *cli.Context) error { return runRemoteList(c, w) },
	}
}

// runRemoteList reads the home's notes; no vault is asked.
func runRemoteList(c *cli.Context, w environment) error {
	form, err := formatAndArgs(c, 0, "")
	if err != nil {
		return err
	}
	dir, err := homeDir(c, w)
	if err != nil {
		return err
	}
	all, err := remotebulk.NewRegistry(dir.Remote()).All()
	if err != nil {
		return err
	}
	if status := c.String("status"); status != "" {
		all = slices.DeleteFunc(all, func(k remotebulk.RemoteCertificate) bool { return k.Status != status })
	}
	return list[remotebulk.RemoteCertificate]{
		headings: []string{"uuid", "reference_id", "vault", "row", "status", "at"},
		cells: func(k remotebulk.RemoteCertificate) []string {
			return []string{k.UUID, k.ReferenceID, k.Vault, strconv.Itoa(k.Row), k.Status, formatMoment(k.At)}
		},
	}.print(w.stdout, form, all)
}

package main

import (
	"crypto/rand"
	"fmt"
	"net"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/transparency"
)

func tlogWitnessCommand(w environment) *cli.Command {
	return &cli.Command{
		Name: "witness", Usage: "cosign the logs of others, on a machine of its own", ArgsUsage: "DIR",
		Description: "The witness answers POST /add-checkpoint (C2SP tlog-witness). It keeps its key and the last checkpoint of each\n" +
			"log in DIR, and signs a checkpoint only when it continues the last one: a log that was forked or has shrunk gets\n" +
			"no signature. One process uses a folder. The first line of output is what the log's owner puts into the setting\n" +
			"log.witnesses, with the address at which the witness can be reached. --log takes the log's public key, as\n" +
			"\"tlog status --json\" and log/logs.json show it.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "log", Usage: "cosign the log with the public `KEY`; repeatable"},
			&cli.StringFlag{Name: "name", Usage: "the `NAME` of a new witness, such as archive.example.edu"},
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:7781", Usage: "listen at `ADDRESS`"},
			&cli.BoolFlag{Name: "key", Usage: "only print the witness's public key"},
		},
		Action: func(c *cli.Context) error { return runTlogWitness(c, w) },
	}
}

func runTlogWitness(c *cli.Context, w environment) error {
	if err := requireArgs(c, 1, "the witness's folder"); err != nil {
		return err
	}
	dir, err := filepath.Abs(c.Args().First())
	if err != nil {
		return usageError("%s is no folder", c.Args().First())
	}
	logs := c.StringSlice("log")
	if len(logs) == 0 && !c.Bool("key") {
		return usageError("name the log that is to be cosigned with --log KEY")
	}
	witness, err := transparency.OpenWitness(dir, c.String("name"), rand.Reader, logs)
	if err != nil {
		return err
	}
	fmt.Fprintln(w.stdout, witness.PublicKey())
	if c.Bool("key") {
		return nil
	}
	l, err := net.Listen("tcp", c.String("listen"))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the address %s cannot be listened on; another program may hold it; choose one with --listen", c.String("listen")))
	}
	fmt.Fprintln(w.stdout, "vecctl tlog witness ready: http://"+l.Addr().String())
	return httpserver.Listener{Listener: l, Handler: witness}.Serve(c.Context)
}

//go:build linux || darwin

// Command vecctl-pkcs11 signs for vecctl with a key on a PKCS#11 token: a hardware security module, a
// smart card, a USB key. It is a helper of "vecctl key use exec:PATH": requests come in on standard
// input and answers go out on standard output, each a line of JSON. docs/signers.md describes them.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// releaseVersion is set by the linker.
var releaseVersion = "dev"

// protocol is the version of the protocol.
const protocol = 1

// request is what vecctl asks.
type request struct {
	ID        int64    `json:"id"`
	Op        string   `json:"op"`
	Protocol  int      `json:"protocol"`
	PIN       string   `json:"pin"`
	Algorithm string   `json:"algorithm"`
	Digests   [][]byte `json:"digests"`
}

// answer is what it is told.
type answer struct {
	ID           int64    `json:"id"`
	Protocol     int      `json:"protocol,omitempty"`
	Certificates [][]byte `json:"certificates,omitempty"`
	Signatures   [][]byte `json:"signatures,omitempty"`
	Error        string   `json:"error,omitempty"`
	Code         string   `json:"code,omitempty"`
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "vecctl-pkcs11:", err)
		}
		os.Exit(2)
	}
}

// options are the flags.
type options struct {
	module, token, serial, key, id, certificates string
	sessions                                     int
	measure                                      time.Duration
}

func run(args []string, in io.Reader, out, errout io.Writer) error {
	var o options
	version := false
	flags := flag.NewFlagSet("vecctl-pkcs11", flag.ContinueOnError)
	flags.SetOutput(errout)
	flags.StringVar(&o.module, "module", os.Getenv("VECCTL_PKCS11_MODULE"), "the token's PKCS#11 module, a shared library (default: VECCTL_PKCS11_MODULE)")
	flags.StringVar(&o.token, "token", "", "label of the token, where there are several")
	flags.StringVar(&o.serial, "serial", "", "serial number of the token, where several have one label")
	flags.StringVar(&o.key, "key", "", "label of the key, where the token has several")
	flags.StringVar(&o.id, "id", "", "ID of the key in hexadecimal, where several have one label")
	flags.StringVar(&o.certificates, "certificates", "", "PEM file with the key's certificate and its chain (default: those on the token)")
	flags.IntVar(&o.sessions, "sessions", 4, "how many signatures the token makes at a time")
	flags.DurationVar(&o.measure, "measure", 0, "sign for this long and print how many signatures that were in a second; the PIN is read from standard input")
	flags.BoolVar(&version, "version", false, "print the version")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if version {
		_, err := fmt.Fprintln(out, releaseVersion)
		return err
	}
	if o.module == "" || flags.NArg() > 0 || o.sessions < 1 {
		return errors.New("usage: vecctl-pkcs11 --module FILE [--token LABEL] [--key LABEL]; it is started by vecctl: vecctl key use \"exec:/usr/bin/vecctl-pkcs11 --module FILE\"")
	}
	if o.measure > 0 {
		return measure(o, in, out)
	}
	return serve(o, in, out)
}

// measure prints how many signatures a token makes in a second.
func measure(o options, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Scan()
	t, err := openToken(o, lines.Text())
	defer func() { t.close() }()
	if err != nil {
		return err
	}
	rate, err := t.measure(o.measure)
	if err == nil {
		_, err = fmt.Fprintf(out, "%.1f\n", rate)
	}
	return err
}

// serve answers requests until there are no more.
func serve(o options, in io.Reader, out io.Writer) error {
	const longest = 1 << 20
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longest)
	var t *token
	defer func() { t.close() }()
	for lines.Scan() {
		var q request
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return fmt.Errorf("a line is no request: %w", err)
		}
		a := answer{ID: q.ID}
		var err error
		switch {
		case q.Op == "open" && t == nil:
			a.Protocol = protocol
			t, err = openToken(o, q.PIN)
		case t == nil:
			err = errors.New("the token is not open")
		case q.Op == "certificates":
			a.Certificates, err = t.certificates()
		case q.Op == "sign":
			a.Signatures, err = t.sign(q.Algorithm, q.Digests)
		default:
			err = fmt.Errorf("there is no request %q", q.Op)
		}
		if err != nil {
			a.Error = err.Error()
			if code, ok := errors.AsType[returnValue](err); ok && code.isOfPIN() {
				a.Code = "pin"
			}
		}
		line, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("write an answer: %w", err)
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("write an answer: %w", err)
		}
	}
	return lines.Err()
}

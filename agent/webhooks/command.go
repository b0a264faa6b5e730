package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// commandWaitDelay is how long what a command started may hold its output open after
// its end.
const commandWaitDelay = time.Second

// runCommand has the shell run a command: the event's body on standard input, its fields in
// the environment. Nothing of the event becomes part of the command's text.
func (r *Receiver) runCommand(ctx context.Context, command string, e webhook.InboundEvent) error {
	ctx, done := context.WithTimeout(ctx, r.CommandTime)
	defer done()
	shell := []string{"sh", "-c", command}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C", command}
	}
	cmd := exec.CommandContext(ctx, shell[0], shell[1:]...)
	var said outputTail
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(e.Body), &said, &said
	cmd.Env = commandEnv(r.Environ, e)
	cmd.WaitDelay = commandWaitDelay
	setProcessGroup(cmd)
	err := cmd.Run()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("the command took longer than %v", r.CommandTime)
	case err != nil:
		return &commandError{cause: err, output: said.text()}
	}
	return nil
}

// commandError is a command that failed, with the end of what it said. That may be the event
// itself, which names people: it is kept with the event, and not logged.
type commandError struct {
	cause  error
	output string
}

func (f *commandError) Error() string { return f.cause.Error() + ": " + f.output }

// Unwrap is how the command ended.
func (f *commandError) Unwrap() error { return f.cause }

// commandEnv is the agent's own, without its settings, which hold secrets, and with
// the fields of the event: VEC_EVENT, VEC_UUID, ...
func commandEnv(own func() []string, e webhook.InboundEvent) []string {
	var env []string
	if own != nil {
		for _, one := range own() {
			if !strings.HasPrefix(one, "VECCTL_") && !strings.HasPrefix(one, "VEC_") {
				env = append(env, one)
			}
		}
	}
	fields := map[string]json.RawMessage{}
	_ = json.Unmarshal(e.Body, &fields) // it was an object when it came
	for name, raw := range fields {
		var text string
		switch {
		case json.Unmarshal(raw, &text) == nil:
		case len(raw) > 0 && (raw[0] == '{' || raw[0] == '['):
			continue // standard input has these
		default:
			text = string(raw)
		}
		if key, ok := envVariable(name); ok {
			env = append(env, key+"="+strings.ReplaceAll(text, "\x00", ""))
		}
	}
	return append(env, "VEC_IDENTITY="+e.Identity)
}

// envVariable is the name of a field's variable; false for a field that can have none.
func envVariable(field string) (string, bool) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	name := strings.ToUpper(field)
	if name == "" || len(name) > 60 || name == "IDENTITY" || strings.Trim(name, letters) != "" {
		return "", false
	}
	return "VEC_" + name, true
}

// outputTail keeps the end of what is written to it.
type outputTail struct{ end []byte }

func (t *outputTail) Write(p []byte) (int, error) {
	t.end = append(t.end, p...)
	t.end = t.end[max(0, len(t.end)-maxFailureText):]
	return len(p), nil
}

func (t *outputTail) text() string { return strings.TrimSpace(strings.ToValidUTF8(string(t.end), "")) }

package webhooks

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
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
	var said outputTail
	err := r.runShell(ctx, shell, e, maxEnvironment, &said)
	if errors.Is(err, syscall.E2BIG) { // with what the agent's own environment holds
		err = r.runShell(ctx, shell, e, 0, &said)
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("the command took longer than %v", r.CommandTime)
	case err != nil:
		return &commandError{cause: err, output: said.text()}
	}
	return nil
}

// runShell runs a command whose variables may hold so many bytes of the event.
func (r *Receiver) runShell(ctx context.Context, shell []string, e webhook.InboundEvent, room int, said *outputTail) error {
	cmd := exec.CommandContext(ctx, shell[0], shell[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(e.Body), said, said
	cmd.Env = commandEnv(r.Environ, e, room)
	cmd.WaitDelay = commandWaitDelay
	setProcessGroup(cmd)
	return cmd.Run()
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

// Bounds of what an event puts into the environment of a command. Systems bound a variable
// (Windows at 32 KB, Linux at 128 KB) and all of them together.
const (
	maxVariable    = 16 << 10
	maxEnvironment = 64 << 10
)

// commandEnv is the agent's own, without its settings, which hold secrets, and with
// the fields of the event: VEC_EVENT, VEC_UUID, ... Fields that there is no room for stand
// on standard input alone; VEC_OMITTED names them.
func commandEnv(own func() []string, e webhook.InboundEvent, room int) []string {
	var env []string
	if own != nil {
		for _, one := range own() {
			if !strings.HasPrefix(one, "VECCTL_") && !strings.HasPrefix(one, "VEC_") {
				env = append(env, one)
			}
		}
	}
	var omitted []string
	fields := textFields(e.Body)
	for _, key := range slices.SortedFunc(maps.Keys(fields), func(a, b string) int { // short ones first, so that few are left out
		return cmp.Or(cmp.Compare(len(fields[a]), len(fields[b])), strings.Compare(a, b))
	}) {
		one := key + "=" + fields[key]
		if len(one) > min(maxVariable, room) {
			omitted = append(omitted, key)
			continue
		}
		room -= len(one)
		env = append(env, one)
	}
	if len(omitted) > 0 {
		slices.Sort(omitted)
		list := strings.Join(omitted, " ")
		if len(list) > maxVariable {
			list = list[:strings.LastIndexByte(list[:maxVariable], ' ')] + " ..."
		}
		env = append(env, "VEC_OMITTED="+list)
	}
	return append(env, "VEC_IDENTITY="+e.Identity)
}

// textFields are the fields of an event that a variable can hold, by the variable's name.
func textFields(body []byte) map[string]string {
	raw := map[string]json.RawMessage{}
	_ = json.Unmarshal(body, &raw) // it was an object when it came
	texts := make(map[string]string, len(raw))
	for name, value := range raw {
		var text string
		switch {
		case json.Unmarshal(value, &text) == nil:
		case len(value) > 0 && (value[0] == '{' || value[0] == '['):
			continue // standard input has these
		default:
			text = string(value)
		}
		if key, ok := envVariable(name); ok {
			texts[key] = strings.ReplaceAll(text, "\x00", "")
		}
	}
	return texts
}

// envVariable is the name of a field's variable; false for a field that can have none.
func envVariable(field string) (string, bool) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	name := strings.ToUpper(field)
	if name == "" || len(name) > 60 || name == "IDENTITY" || name == "OMITTED" || strings.Trim(name, letters) != "" {
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

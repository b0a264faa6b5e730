package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// An agent on the own machine is named by its home: nobody gave an address.
func TestAnAgentThatHasStopped(t *testing.T) {
	t.Parallel()
	dir := home.Dir(t.TempDir())
	c, err := adminclient.New("http://vecctl.local", newAgentConn(dir, home.Endpoint{Network: "unix", Address: filepath.Join(string(dir), "agent.sock")}))
	must(t, err)
	_, err = c.RotateKey(t.Context(), false)
	message, _ := fault.Message(err)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(message, "the agent on the home "+string(dir)) || strings.Contains(message, "vecctl.local") {
		t.Errorf("got %q, %v", message, err)
	}
}

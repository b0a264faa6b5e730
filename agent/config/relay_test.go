package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

// TestRelayToken reads the token from where it is set first: the environment, its file, the
// service's credential.
func TestRelayToken(t *testing.T) {
	t.Parallel()
	home, credentials := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(home, "token.txt"), "vc_file\n")
	write(filepath.Join(home, "empty.txt"), "\n")
	load := func(env map[string]string) (Config, error) {
		return Load(Source{Home: home, Getenv: func(name string) string { return env[name] }})
	}
	const url = "https://api.vec.digital"
	for _, tt := range []struct {
		env  map[string]string
		want Value
	}{
		{map[string]string{"VECCTL_RELAY_TOKEN": "vc_env", "VECCTL_RELAY_TOKEN_FILE": filepath.Join(home, "token.txt")}, Value{"vc_env", FromEnvironment}},
		{map[string]string{"VECCTL_RELAY_TOKEN_FILE": filepath.Join(home, "token.txt"), "CREDENTIALS_DIRECTORY": credentials}, Value{"vc_file", FromTokenFile}},
		{map[string]string{"CREDENTIALS_DIRECTORY": credentials}, Value{"", FromDefault}},
	} {
		tt.env["VECCTL_RELAY_URL"] = url
		if c, err := load(tt.env); err != nil || c.Value("relay.token") != tt.want || c.Relay.Token != tt.want.Text {
			t.Errorf("%v: %+v, %v", tt.env, c.Value("relay.token"), err)
		}
	}
	write(filepath.Join(credentials, relayCredential), "vc_credential")
	if c, err := load(map[string]string{"VECCTL_RELAY_URL": url, "CREDENTIALS_DIRECTORY": credentials}); err != nil || c.Value("relay.token") != (Value{"vc_credential", FromSystemd}) {
		t.Errorf("a credential: %+v, %v", c.Value("relay.token"), err)
	}
	for _, name := range []string{"missing.txt", "empty.txt"} {
		if _, err := load(map[string]string{"VECCTL_RELAY_URL": url, "VECCTL_RELAY_TOKEN_FILE": filepath.Join(home, name)}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package agent

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/signer"
	"github.com/vecctl/vecctl/pkg/ssrf"
)

// Bounds of answers and connections of signing services.
const (
	maxServiceAnswer      = 4 << 20
	maxServiceConnections = 8
)

// newSigners returns what opens signing keys that lie in no file of the home.
func newSigners(c config.Config) (signer.Opener, error) {
	o := c.Signing
	policy := ssrf.Policy{AllowPrivate: o.AllowPrivate, Timeout: o.Timeout, MaxBody: maxServiceAnswer, MaxIdle: maxServiceConnections}
	if c.CA != "" {
		body, err := os.ReadFile(c.CA)
		if err != nil {
			return signer.Opener{}, fault.Wrap(fault.Invalid, err, fmt.Sprintf("the certificates in %s cannot be read; correct the setting ca", c.CA))
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		roots.AppendCertsFromPEM(body)
		policy.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return signer.Opener{
		PIN:          signerSecret(o, o.PIN, o.PINFile, config.PINCredential, "signing.pin"),
		ClientSecret: signerSecret(o, o.CSCClientSecret, o.CSCClientSecretFile, config.CSCClientSecretCredential, "signing.csc_client_secret"),
		ClientID:     o.CSCClientID, Timeout: o.Timeout, Environ: helperEnviron(os.Environ()), Client: ssrf.New(policy),
	}, nil
}

// signerSecret returns a secret of the settings: its value, its file, or the systemd credential.
func signerSecret(o config.Signing, value, file, credential, setting string) signer.Secret {
	if value != "" {
		return signer.Secret{Value: value, Name: setting}
	}
	if file != "" {
		return signer.Secret{File: file, Name: setting + "_file"}
	}
	path := filepath.Join(o.CredentialsDir, credential)
	if _, err := os.Stat(path); err != nil || o.CredentialsDir == "" {
		return signer.Secret{Name: setting}
	}
	return signer.Secret{File: path, Name: "the systemd credential " + credential}
}

// helperEnviron is an environment without the secrets of this program.
func helperEnviron(all []string) []string {
	secret := map[string]bool{}
	for _, s := range config.Settings() {
		secret[s.Env] = s.Secret
	}
	return slices.DeleteFunc(all, func(one string) bool {
		name, _, _ := strings.Cut(one, "=")
		return secret[name]
	})
}

module github.com/vecctl/vecctl/cmd/vecctl-pkcs11

go 1.26.0

require github.com/ebitengine/purego v0.11.3

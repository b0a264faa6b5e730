package tlog

import (
	"time"

	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// statementLeaf is the entry of a statement.
type statementLeaf struct {
	key       *transparency.Key
	statement transparency.Statement
}

var _ vault.LogLeaf = statementLeaf{}

// LogKey implements vault.LogLeaf.
func (l statementLeaf) LogKey() string { return l.key.Public() }

// Entry implements vault.LogLeaf.
func (l statementLeaf) Entry() []byte { return l.statement.Entry() }

// At implements vault.LogLeaf.
func (l statementLeaf) At() time.Time { return l.statement.At }

// SignCheckpoint implements vault.LogLeaf.
func (l statementLeaf) SignCheckpoint(size int64, root [32]byte) ([]byte, error) {
	return l.key.Sign(size, root)
}

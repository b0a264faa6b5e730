package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
)

// VerifyHome reads every record of the database and every document, of all institutions, and lists
// what is not what was written.
func (s *Service) VerifyHome(ctx context.Context) (adminclient.Verification, error) {
	release, err := s.blobs.Hold(ctx)
	if err != nil {
		return adminclient.Verification{}, err
	}
	defer release()
	i := &inspector{Service: s, ctx: ctx, Verification: adminclient.Verification{Damage: []adminclient.Damage{}}}
	i.Records, err = s.store.Verify(ctx, i)
	if fault.Is(err, fault.Damaged) { // the rest cannot be read
		message, _ := fault.Message(err)
		i.add(adminclient.Damage{Kind: "database", File: s.home.Database(), Message: message})
		err = nil
	}
	return i.Verification, errors.Join(err, ctx.Err())
}

// inspector collects what is damaged. It implements store.Inspector.
type inspector struct {
	*Service
	ctx context.Context
	adminclient.Verification
}

// maxDamage is how much damage is listed; of the rest only the number is said.
const maxDamage = 500

func (i *inspector) add(d adminclient.Damage) {
	if len(i.Damage) == maxDamage {
		i.More++
		return
	}
	i.Damage = append(i.Damage, d)
}

// Damaged implements store.Inspector.
func (i *inspector) Damaged(d store.Damage) {
	i.add(adminclient.Damage{Kind: d.Kind, Key: d.Key, UUID: d.UUID, File: i.home.Database(), Message: d.Message})
}

// Needs implements store.Inspector: it reads the document.
func (i *inspector) Needs(sum, uuid string) {
	if i.ctx.Err() != nil || len(sum) != hex.EncodedLen(sha256.Size) {
		return
	}
	i.Documents++
	if why := i.readDocument(sum); why != "" && i.ctx.Err() == nil {
		i.add(adminclient.Damage{Kind: "document", Key: sum, UUID: uuid, File: filepath.Join(i.home.Blobs(), sum[:2], sum), Message: why})
	}
}

// readDocument says what is wrong with a stored document; "" where nothing is.
func (i *inspector) readDocument(sum string) string {
	f, err := i.blobs.Open(i.ctx, sum)
	if errors.Is(err, fs.ErrNotExist) {
		return "the document is missing"
	}
	if err != nil {
		return "the document cannot be opened: " + err.Error()
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "the document cannot be read: " + err.Error()
	}
	if hex.EncodeToString(hash.Sum(nil)) != sum {
		return "the document is not what was stored"
	}
	return ""
}

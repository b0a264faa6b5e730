package bolt

import (
	"bytes"
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/substring"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Erase implements store.Certificates.
func (s *Store) Erase(ctx context.Context, institution uint32, email string, now time.Time) (store.Erased, error) {
	return write(ctx, s, func(t *txn) (store.Erased, error) {
		var done store.Erased
		folded := vault.FoldEmail(email)
		prefix := join(u32(institution), text(folded))
		for _, id := range t.under(entry{byEmail, prefix, nil}) {
			c, err := t.certificate(u64(id))
			if err != nil {
				return done, err
			}
			// Looked at before anything is written, so that all is erased or nothing.
			if _, _, err := c.Erase(now); err != nil {
				return done, err
			}
			done.Certificates = append(done.Certificates, c)
		}
		for _, c := range done.Certificates {
			n, err := t.erase(c, now)
			if err != nil {
				return done, err
			}
			done.Mails = append(done.Mails, n...)
		}
		others, err := t.eraseMailsTo(institution, folded, now)
		if err != nil {
			return done, err
		}
		done.Mails = append(done.Mails, others...)
		return done, t.eraseReplies(institution, done.Certificates)
	})
}

// erase forgets one certificate's data and returns the mails about it.
func (t *txn) erase(old vault.Certificate, now time.Time) ([]uint64, error) {
	for _, e := range t.personal(old) {
		if err := t.delete(e.bucket, e.key); err != nil {
			return nil, err
		}
	}
	if err := t.eraseText(old); err != nil {
		return nil, err
	}
	if err := t.dropCorrections(old.Institution, old.UUID); err != nil {
		return nil, err
	}
	for _, seq := range t.under(entry{eventsByCert, u64(old.ID), nil}) {
		var e vault.Event
		key := u64(seq)
		if err := decode(key, t.get(events, key), &e); err != nil {
			return nil, err
		}
		value, err := encode(key, e.Anonymous())
		if err != nil {
			return nil, err
		}
		if err := t.put(events, key, value); err != nil {
			return nil, err
		}
	}
	ids := t.under(entry{mailsByCert, u64(old.ID), nil})
	for _, id := range ids {
		if err := t.eraseMail(id, now); err != nil {
			return nil, err
		}
	}
	_, err := t.change(old, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.Erase(now) })
	return ids, err
}

// personal lists the entries that are about a certificate's recipient or its
// document.
func (t *txn) personal(c vault.Certificate) []entry {
	inst, id := u32(c.Institution), u64(c.ID)
	d := vault.Draft{Title: c.Title, Email: c.Email, File: c.File}
	all := []entry{
		{byEmail, join(inst, text(vault.FoldEmail(c.Email)), id), nil},
		{byBlob, join([]byte(c.File.SHA256), id), nil},
		{frozen, keyKey(c.Institution, d.FreezeKey()), nil},
		{tails, id, nil},
	}
	if v := c.Verified; v != nil {
		all = append(all, entry{byBlob, join([]byte(v.Document.SHA256), id), nil})
	}
	if key := keyKey(c.Institution, c.Key()); bytes.Equal(t.get(byKey, key), id) {
		all = append(all, entry{byKey, key, nil})
	}
	return all
}

// eraseText takes a certificate's text out of the search, but for its reference ID.
func (t *txn) eraseText(c vault.Certificate) error {
	left := vault.Certificate{Identity: c.Identity}.SearchText()
	for key, without := range substring.Without(c.Institution, c.ID, c.SearchText(), left) {
		list, err := t.gramList(key)
		if err != nil {
			return err
		}
		if err := t.put(grams, key, seal(key, without(list))); err != nil {
			return err
		}
	}
	return t.put(texts, u64(c.ID), seal(u64(c.ID), []byte(left)))
}

func (t *txn) eraseMail(id uint64, now time.Time) error {
	old, err := t.mail(id)
	if err != nil {
		return err
	}
	// One that is being sent at this moment is ended all the same: its settling finds
	// no job.
	if j, err := t.job(old.JobID); err != nil {
		return err
	} else if j != nil {
		if err := t.dropJob(*j); err != nil {
			return err
		}
	}
	if err := t.delete(mailsReturned, u64(id)); err != nil {
		return err
	}
	return t.putMail(old.Erase(now))
}

// eraseMailsTo forgets mails to an address that are about no certificate of its.
func (t *txn) eraseMailsTo(institution uint32, folded string, now time.Time) (ids []uint64, err error) {
	c := t.bucket(mails).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		var m vault.Mail
		if err := decode(k, v, &m); err != nil {
			return nil, err
		}
		if m.Institution == institution && (vault.FoldEmail(m.To) == folded || vault.FoldEmail(m.From) == folded) && folded != "" {
			ids = append(ids, m.ID)
		}
	}
	for _, id := range ids {
		if err := t.eraseMail(id, now); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// eraseReplies forgets kept answers that tell about certificates.
func (t *txn) eraseReplies(institution uint32, about []vault.Certificate) error {
	var gone [][]byte
	prefix := u32(institution)
	c := t.bucket(replies).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		var r vault.Reply
		if err := decode(k, v, &r); err != nil {
			return err
		}
		for _, one := range about {
			if bytes.Contains(r.Body, []byte(one.UUID)) {
				gone = append(gone, bytes.Clone(k))
				break
			}
		}
	}
	for _, k := range gone {
		if err := t.delete(replies, k); err != nil {
			return err
		}
	}
	return nil
}

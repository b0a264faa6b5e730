package mailer

import (
	"sync"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/mail"
)

// TemplateCache keeps the mail templates of a home's institutions.
type TemplateCache struct {
	home home.Dir

	mu    sync.Mutex
	known map[uint32]*mail.Templates
}

// NewTemplateCache makes a cache; it reads nothing.
func NewTemplateCache(dir home.Dir) *TemplateCache {
	return &TemplateCache{home: dir, known: map[uint32]*mail.Templates{}}
}

// For returns an institution's templates.
func (t *TemplateCache) For(institution uint32) *mail.Templates {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known[institution] == nil {
		own, all := t.home.MailTemplates(institution)
		t.known[institution] = mail.NewTemplates(own, all)
	}
	return t.known[institution]
}

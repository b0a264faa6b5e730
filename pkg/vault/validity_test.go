package vault_test

import (
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func TestStanding(t *testing.T) {
	t.Parallel()
	for want, c := range map[vault.Validity]vault.Certificate{
		vault.ValidityProcessing: {Status: vault.Processing},
		vault.ValidityFailed:     {Status: vault.Failed, SupersededBy: "x"},
		vault.ValidityGenuine:    {Status: vault.Approved, Supersedes: "x"},
		vault.ValiditySuperseded: {Status: vault.Approved, SupersededBy: "x"},
		vault.ValidityWithdrawn:  {Status: vault.Approved, SupersededBy: "x", ErasedAt: &born},
		vault.ValidityRevoked:    {Status: vault.Revoked, SupersededBy: "x"},
	} {
		if got := c.Validity(); got != want {
			t.Errorf("%+v is %s, want %s", c, got, want)
		}
	}
}

func TestPartialName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Ada Lovelace": "Ada L.", "Augusta Ada King": "Augusta A. K.", "Sukarno": "S…", "王小明": "王…",
		"Zoe\u0301 E\u0301tienne": "Zoe\u0301 E\u0301.", "محمد علي": "محمد ع.", "": "",
	} {
		if got := vault.PartialName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func TestAssign(t *testing.T) {
	t.Parallel()
	ada := &vault.Account{ID: "a-1", Email: "ada@example.com"}
	c := vault.Certificate{Status: vault.Approved, Content: vault.Content{Email: "Ada@Example.com"}, UpdatedAt: born}
	later := born.Add(time.Hour)
	mine, err := c.Assign(ada, later)
	if err != nil || mine.Owner() != "a-1" || !mine.Assignment.At.Equal(later) || !mine.UpdatedAt.Equal(later) || c.Owner() != "" {
		t.Errorf("became %+v: %v", mine, err)
	}
	if same, err := mine.Assign(ada, later.Add(time.Hour)); err != nil || !same.Assignment.At.Equal(later) {
		t.Errorf("assigned again: %+v, %v", same.Assignment, err)
	}
	if nobodys, err := mine.Assign(nil, later); err != nil || nobodys.Owner() != "" {
		t.Errorf("taken away: %+v, %v", nobodys.Assignment, err)
	}
	if _, err := c.Assign(&vault.Account{ID: "b", Email: "bob@example.com"}, later); !fault.Is(err, fault.Illegal) {
		t.Errorf("to another address's account: %v", err)
	}
	for _, status := range []vault.Status{vault.Processing, vault.Failed} {
		c.Status = status
		if _, err := c.Assign(ada, later); !fault.Is(err, fault.Illegal) {
			t.Errorf("while %s: %v", status, err)
		}
	}
}

func TestCorrections(t *testing.T) {
	t.Parallel()
	c := vault.Certificate{Identity: vault.Identity{UUID: "u", Reference: "R"}, Institution: 3}
	for _, text := range []string{"", " \n", "a\x00b"} {
		if _, err := vault.NewCorrectionRequest(c, text, born); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	wish, err := vault.NewCorrectionRequest(c, " two\nlines ", born)
	if err != nil || wish.Text != "two\nlines" || wish.Certificate != "u" || wish.Institution != 3 || wish.Done() {
		t.Errorf("%+v, %v", wish, err)
	}
}

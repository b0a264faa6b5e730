package tui

import (
	"strings"
	"testing"
)

func TestTheAuthority(t *testing.T) {
	t.Parallel()
	f := certifying()
	s := start(t, f, staging{})
	s.press("7")
	s.wants("2 stores  1 pending  1 expiring  1 active  1 revoked", ">  nowy.example.com", "proof, review", "whose requests staff look at")
	s.press("a")
	s.wants("The request of nowy.example.com is approved; its state is active.", "2 active")
	f.certified[2].Status = "pending"
	s.press("1", "7", "/")
	s.typed("SKLEP")
	s.press("enter")
	s.wants("Search: SKLEP", ">  sklep.example.com")
	if strings.Contains(s.view(), "nowy.example.com") {
		t.Errorf("what is not looked for is shown:\n%s", s.view())
	}
	s.press("s", "s", "s", "s")
	s.wants("No certification matches.")
	s.press("esc", "s")
	s.wants("State: pending", "nowy.example.com")
	s.press("x")
	s.typed("No such shop")
	s.press("enter")
	s.wants("is rejected; its state is rejected.", "No certification matches.")
	if !f.called("reject r-3 No such shop") {
		t.Errorf("calls: %v", f.calls)
	}
	s.press("s", "s", "R")
	s.wants("Revoke the certification of kantor.example.com?")
	s.typed("Broken")
	s.press("enter")
	s.typed("kantor.example.com")
	s.press("enter")
	s.wants("The certification of kantor.example.com is revoked.")
	if !f.called("revoke 5a5a Broken") {
		t.Errorf("calls: %v", f.calls)
	}
}

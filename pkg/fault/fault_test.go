package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

func TestEveryKindHasANameOfItsOwn(t *testing.T) {
	seen := map[string]fault.Kind{}
	for k := fault.Internal; k <= fault.Damaged; k++ {
		name := k.String()
		if name == "" || strings.HasPrefix(name, "kind ") {
			t.Errorf("kind %d has no name", uint8(k))
		}
		if other, ok := seen[name]; ok {
			t.Errorf("kinds %d and %d are both called %q", uint8(other), uint8(k), name)
		}
		seen[name] = k
	}
	if got := fault.Kind(200).String(); got != "kind 200" {
		t.Errorf("an unknown kind is called %q", got)
	}
}

func TestTheOutermostKindCounts(t *testing.T) {
	cause := fault.New(fault.Damaged, "a record is damaged")
	tests := []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"none", nil, fault.Internal},
		{"a plain error", errors.New("x"), fault.Internal},
		{"an error with a kind", cause, fault.Damaged},
		{"one that was wrapped plainly", fmt.Errorf("reading: %w", cause), fault.Damaged},
		{"one that got another kind", fault.Wrap(fault.Unavailable, cause, "try later"), fault.Unavailable},
		{"one among joined errors", errors.Join(errors.New("x"), cause), fault.Damaged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fault.KindOf(tt.err); got != tt.want {
				t.Errorf("kind %s, want %s", got, tt.want)
			}
			for k := fault.Internal; k <= fault.Damaged; k++ {
				if got, want := fault.Is(tt.err, k), tt.err != nil && k == tt.want; got != want {
					t.Errorf("Is(%s) = %v, want %v", k, got, want)
				}
			}
		})
	}
}

func TestTheCauseIsForLogsAndNotForPeople(t *testing.T) {
	err := fmt.Errorf("opening: %w", fault.Wrap(fault.Full, fs.ErrPermission, "the folder cannot be written"))
	if got := err.Error(); got != "opening: the folder cannot be written: permission denied" {
		t.Errorf("a log reads %q", got)
	}
	message, ok := fault.Message(err)
	if !ok || message != "the folder cannot be written" {
		t.Errorf("a person reads %q, %v", message, ok)
	}
	if !errors.Is(err, fs.ErrPermission) {
		t.Error("the cause is lost")
	}
	if message, ok := fault.Message(errors.New("dial tcp 10.0.0.1")); ok || message != "" {
		t.Errorf("an error without a kind shows %q to people", message)
	}
	if _, ok := fault.Message(nil); ok {
		t.Error("no error has a message")
	}
	if err := fault.Wrap(fault.Full, nil, "x"); err != nil {
		t.Errorf("wrapping nothing gives %v", err)
	}
	if got := fault.Newf(fault.Invalid, "row %d of %s", 3, "m.csv").Error(); got != "row 3 of m.csv" {
		t.Errorf("got %q", got)
	}
}

func TestFieldsAreKeptAndReadAsSentences(t *testing.T) {
	fields := []fault.Field{
		{Name: "full_name", Message: "The full name field is required."},
		{Name: "issue_date", Message: "The issue date field must match the format YYYY-MM-DD."},
	}
	err := fmt.Errorf("row 7: %w", fault.InvalidFields(fields))
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("kind %s", fault.KindOf(err))
	}
	if got := fault.FieldsOf(err); len(got) != 2 || got[0] != fields[0] || got[1] != fields[1] {
		t.Errorf("fields %v", got)
	}
	want := "row 7: The full name field is required.; The issue date field must match the format YYYY-MM-DD."
	if got := err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := fault.InvalidFields(nil); err != nil {
		t.Errorf("no complaint gives %v", err)
	}
	if got := fault.FieldsOf(errors.New("x")); got != nil {
		t.Errorf("a plain error has fields %v", got)
	}
}

package home

import (
	"path/filepath"
	"testing"
)

func TestTheDiskOfAFolder(t *testing.T) {
	d, err := DiskOf(t.TempDir())
	if err != nil || d.Total == 0 || d.Free > d.Total {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := DiskOf(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a folder that does not exist has a disk")
	}
}

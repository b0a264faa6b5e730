package home

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

func diskOf(folder string) (Disk, error) {
	path, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return Disk{}, err
	}
	var d Disk
	if err := windows.GetDiskFreeSpaceEx(path, &d.Free, &d.Total, nil); err != nil {
		return Disk{}, err
	}
	if volume, err := windows.UTF16PtrFromString(filepath.VolumeName(folder) + `\`); err == nil {
		d.Network = windows.GetDriveType(volume) == windows.DRIVE_REMOTE
	}
	return d, nil
}

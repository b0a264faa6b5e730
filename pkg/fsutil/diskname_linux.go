package fsutil

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// diskName is the device on which a file or folder lies and where that is mounted, as part of
// a sentence; "" where that is not known (proc_pid_mountinfo(5)).
func diskName(path string) string {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return ""
	}
	device := fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		place, kind, ok := strings.Cut(lines.Text(), " - ")
		fields, of := strings.Fields(place), strings.Fields(kind)
		if ok && len(fields) > 4 && len(of) > 1 && fields[2] == device {
			return fmt.Sprintf(", %s mounted on %s", of[1], fields[4])
		}
	}
	return ""
}

package health

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// residentMemory reads from /proc/self/smaps (proc_pid_smaps(5)) how much memory the process
// has, and how much of that is pages of a file.
func residentMemory(file string) (all, mapped uint64) {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	ours := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 3 && fields[0] == "Rss:" && fields[2] == "kB":
			kb, err := strconv.ParseUint(fields[1], 10, 64)
			if err != nil {
				continue
			}
			all += kb << 10
			if ours {
				mapped += kb << 10
			}
		case len(fields) >= 5 && strings.Contains(fields[0], "-") && !strings.HasSuffix(fields[0], ":"):
			ours = strings.HasSuffix(lines.Text(), " "+file)
		}
	}
	return all, mapped
}

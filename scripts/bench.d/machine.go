package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// machine is where a run was made, as far as its figures depend on it.
type machine struct {
	Processors int     `json:"processors"`
	Model      string  `json:"model,omitempty"`
	Kernel     string  `json:"kernel,omitempty"`
	Go         string  `json:"go"`
	Load       string  `json:"load_at_start,omitempty"`    // of 1, 5 and 15 minutes
	Flush      float64 `json:"flush_of_4_kb_seconds"`      // the median of some
	FileSystem string  `json:"file_system_type,omitempty"` // its magic number
}

func (m machine) String() string {
	return fmt.Sprintf("%d processors (%s), %s, %s, load %s, a flush of 4 KB takes %s", m.Processors, m.Model, m.Kernel, m.Go, m.Load, millis(m.Flush))
}

// lookAround describes the machine, and the disk on which a folder lies.
func lookAround(dir string) (machine, error) {
	m := machine{Processors: runtime.GOMAXPROCS(0), Go: runtime.Version(), Kernel: firstLine("/proc/sys/kernel/osrelease"), Load: firstLine("/proc/loadavg"), Model: processorModel()}
	if fields := strings.Fields(m.Load); len(fields) > 3 {
		m.Load = strings.Join(fields[:3], " ")
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return m, err
	}
	m.FileSystem = fmt.Sprintf("%#x", s.Type)
	var err error
	m.Flush, err = flushLatency(dir)
	return m, err
}

func firstLine(path string) string {
	body, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := bytes.Cut(body, []byte("\n"))
	return string(line)
}

func processorModel() string {
	body, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(body)) {
		if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return ""
}

// flushLatency is how long a small write takes until it is on the disk.
func flushLatency(dir string) (float64, error) {
	const tries = 21
	path := filepath.Join(dir, "flushed")
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer os.Remove(path)
	defer f.Close()
	block := make([]byte, 4096)
	took := make([]float64, tries)
	for i := range took {
		took[i], err = timed(func() error {
			if _, err := f.Write(block); err != nil {
				return err
			}
			return f.Sync()
		})
		if err != nil {
			return 0, err
		}
	}
	return median(took), nil
}

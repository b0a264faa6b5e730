package health

import (
	"encoding/json"
	"net/http"
	"os"
	"runtime"
	runtimemetrics "runtime/metrics"
)

// RuntimePath is where RuntimeHandler answers, on the staff's socket alone.
const RuntimePath = "/debug/runtime"

// Runtime is what the process uses now. Sizes are in bytes; what this system does not say is 0.
type Runtime struct {
	HeapLive    uint64 `json:"heap_live"`   // found in use by the last garbage collection
	Heap        uint64 `json:"heap"`        // taken up by objects, dead ones included
	Collections uint64 `json:"collections"` // of garbage, so far
	Goroutines  uint64 `json:"goroutines"`
	Descriptors int    `json:"descriptors"` // open files and connections
	Resident    uint64 `json:"resident"`    // memory of the process, the mapped database included
	// DatabaseMapped is the part of Resident that is pages of the database file. The system
	// takes them back when it needs memory.
	DatabaseMapped uint64 `json:"database_mapped"`
	Database       int64  `json:"database"` // length of the file
}

// RuntimeHandler says what the process uses. With ?collect=1 it collects garbage first, so that
// two answers can be compared.
func (h *Health) RuntimeHandler(database string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("collect") == "1" {
			runtime.GC()
		}
		raw, err := json.Marshal(readRuntime(database))
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(raw, '\n'))
	})
}

func readRuntime(database string) Runtime {
	samples := []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/sched/goroutines:goroutines"}}
	runtimemetrics.Read(samples)
	var u Runtime
	for i, value := range []*uint64{&u.HeapLive, &u.Heap, &u.Collections, &u.Goroutines} {
		if samples[i].Value.Kind() == runtimemetrics.KindUint64 {
			*value = samples[i].Value.Uint64()
		}
	}
	if open, err := os.ReadDir("/dev/fd"); err == nil {
		u.Descriptors = len(open)
	}
	if info, err := os.Stat(database); err == nil {
		u.Database = info.Size()
	}
	u.Resident, u.DatabaseMapped = residentMemory(database)
	return u
}

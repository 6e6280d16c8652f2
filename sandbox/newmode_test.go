package sandbox

import (
	"encoding/binary"
	"io/fs"
	"testing"
)

// TestModesOfNewFiles checks that a new file has the mode that the client asks for, less the umask, and otherwise 0644.
func TestModesOfNewFiles(t *testing.T) {
	if got := newMode(nil); got != 0o644 {
		t.Errorf("without a wish: %v", got)
	}
	for asked, want := range map[uint32]fs.FileMode{0o600: 0o600, 0o100640: 0o640, 0o777: 0o755, 0o666: 0o644} {
		if got := newMode(binary.BigEndian.AppendUint32(nil, asked)); got != want {
			t.Errorf("asked for %o: %v", asked, got)
		}
	}
}

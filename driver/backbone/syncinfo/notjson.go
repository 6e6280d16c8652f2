package syncinfo

import "bytes"

// foreign recognizes by its beginning a file that is certainly not JSON in UTF-8, and says what to do. start holds
// the first four bytes, fewer only if the file is shorter.
func foreign(start []byte) string {
	for _, f := range [...]struct{ begin, msg string }{
		{"\xef\xbb\xbf", "the file starts with a UTF-8 byte order mark; save it as UTF-8 without one, or better " +
			"download it again"},
		{"\xff\xfe\x00\x00", inUTF("UTF-32")},
		{"\x00\x00\xfe\xff", inUTF("UTF-32")},
		{"\x00\x00\x00", inUTF("UTF-32")},
		{"\xff\xfe", inUTF("UTF-16")},
		{"\xfe\xff", inUTF("UTF-16")},
		{"\x1f\x8b", "the file is compressed (gzip); unpack it first"},
		{"PK\x03\x04", "the file is a ZIP archive; unpack it first"},
	} {
		if bytes.HasPrefix(start, []byte(f.begin)) {
			return f.msg
		}
	}
	switch {
	case len(start) >= 4 && start[1] == 0 && start[2] == 0 && start[3] == 0 && start[0] != 0:
		return inUTF("UTF-32")
	case len(start) >= 2 && (start[0] == 0) != (start[1] == 0):
		return inUTF("UTF-16")
	}
	return ""
}

func inUTF(name string) string {
	return "the file is in " + name + "; save it as UTF-8, or better download it again"
}

const webPage = "this is a web page (HTML or XML), not JSON: probably a login or error page was saved; log in " +
	"and download the file again"

package bundle

import "fmt"

// Reason is why a bundle is refused.
type Reason string

// The reasons.
const (
	NotABundle    Reason = "not-a-bundle"
	Truncated     Reason = "truncated"      // or changed in its last 64 KiB, which cannot be told apart
	Changed       Reason = "changed"        // bytes, after it was encrypted
	TooLarge      Reason = "too-large"      // for the limits
	BadName       Reason = "bad-name"       // a part's, such as one that leaves the folder
	NotAFile      Reason = "not-a-file"     // a link, a device, a folder in the tar
	DuplicateName Reason = "duplicate-name" // two parts would be one file
	Malformed     Reason = "malformed"      // it is not made as a bundle is
	WrongVersion  Reason = "wrong-version"
	WrongParts    Reason = "wrong-parts" // the manifest does not say what the parts are
	Trailing      Reason = "trailing"    // something follows the signature
	BadSignature  Reason = "bad-signature"
	UnknownSigner Reason = "unknown-signer"
	NotForUs      Reason = "not-for-us"
	Old           Reason = "old"       // a later one was received before
	Fork          Reason = "fork"      // the sender has sent something else under a number
	Forgotten     Reason = "forgotten" // the receiver does not know what it has sent itself
)

// Refusal says that a bundle is not taken, and why. Nothing was changed.
type Refusal struct {
	Reason Reason
	Detail string // what is wrong with it, and what to do: "it is …"
}

func (r *Refusal) Error() string { return r.Detail }

// Refuse is a Refusal, for what only who knows the parts can tell.
func Refuse(reason Reason, format string, args ...any) error { return refuse(reason, format, args...) }

func refuse(reason Reason, format string, args ...any) error {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

package bundle

import "fmt"

// Reason says why a bundle is refused.
type Reason string

// The reasons.
const (
	NotABundle    Reason = "not-a-bundle"
	Truncated     Reason = "truncated"      // or changed in its last 64 KiB: the two cannot be distinguished
	Changed       Reason = "changed"        // bytes were changed after it was encrypted
	TooLarge      Reason = "too-large"      // it exceeds the limits
	BadName       Reason = "bad-name"       // of a part, such as one that leads out of the folder
	NotAFile      Reason = "not-a-file"     // the tar contains a link, a device or a folder
	DuplicateName Reason = "duplicate-name" // two parts would be the same file
	Malformed     Reason = "malformed"      // it does not have the format of a bundle
	WrongVersion  Reason = "wrong-version"
	WrongParts    Reason = "wrong-parts" // the parts are not those in the manifest
	Trailing      Reason = "trailing"    // something follows the signature
	BadSignature  Reason = "bad-signature"
	UnknownSigner Reason = "unknown-signer"
	NotForUs      Reason = "not-for-us"
	Old           Reason = "old"       // a later one was received before
	Fork          Reason = "fork"      // the sender has sent another bundle with the same number
	Forgotten     Reason = "forgotten" // this site does not remember a bundle that it has sent
)

// Refusal is the error for a bundle that is not accepted. Nothing was changed.
type Refusal struct {
	Reason Reason
	Detail string // what is wrong with it and what to do: "it is …"
}

func (r *Refusal) Error() string { return r.Detail }

// Refuse returns a Refusal, for reasons that only code that knows the parts can find.
func Refuse(reason Reason, format string, args ...any) error { return refuse(reason, format, args...) }

func refuse(reason Reason, format string, args ...any) error {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

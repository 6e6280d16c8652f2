package cli

import (
	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/planner"
)

// bundleRule is before the reason in the id of a rule.
const bundleRule = "bundle/"

// bundleRules explain why a bundle is refused. Whatever it is, nothing was changed.
func bundleRules() []planner.Rule {
	var out []planner.Rule
	for _, r := range []struct {
		reason            bundle.Reason
		meaning, when, do string
	}{
		{bundle.NotABundle, "The file is not a bundle.",
			"It does not begin as an age file does.",
			"Give the file that the other site has sent, as it was sent: no mail, no archive around it."},
		{bundle.Truncated, "The file is not whole at its end: cut short, changed or longer than it was. Which of them " +
			"cannot be told.",
			"It ends in the middle, or its last 64 KiB are not as they were encrypted.",
			"Have the same file sent again. The sender has it still."},
		{bundle.Changed, "The file was changed after it was encrypted.",
			"A part of it is not as it was encrypted.",
			"Have the same file sent again, in a way that keeps every byte (no conversion of line ends)."},
		{bundle.TooLarge, "The bundle is larger than your limits.",
			"It has more bytes, more parts or longer names than the policy's bundles block allows, or than the defaults do.",
			"If it is meant to be so large, raise the limit in your policy (docs/policy.md)."},
		{bundle.BadName, "A part has a name that is not one for a file within a folder.",
			"A name leads upwards, is absolute, or has characters that a file's name cannot have everywhere.",
			"No version of syncctl writes such a bundle. Ask the sender how it was made."},
		{bundle.NotAFile, "Something in the bundle is not a plain file.",
			"There is a link, a device, a folder or a file with holes in it.",
			"No version of syncctl writes such a bundle. Ask the sender how it was made."},
		{bundle.DuplicateName, "Two parts have one name.",
			"The names are the same, or are on systems that take no account of case.",
			"No version of syncctl writes such a bundle. Ask the sender how it was made."},
		{bundle.Malformed, "What is encrypted is not put together as a bundle is.",
			"It is not a tar, or it has no manifest with a signature at its end, or the manifest cannot be read.",
			"No version of syncctl writes such a bundle. Ask the sender how it was made."},
		{bundle.WrongVersion, "The format of the bundle is of another version.",
			"The sites use versions of the program that do not fit.",
			"Agree with the other site upon a version of syncctl."},
		{bundle.WrongParts, "The parts are not those that the manifest names.",
			"A part is missing, is added, or has another content than the sender has signed.",
			"Whoever could open the bundle has changed it. Ask the sender for it, by another way."},
		{bundle.Trailing, "Something follows the end of the bundle.",
			"There is more behind the signature or behind the tar.",
			"Whoever could open the bundle has changed it, or it was not made by syncctl. Ask the sender for it."},
		{bundle.BadSignature, "The signature does not hold.",
			"The manifest was changed after it was signed, or the signature was made for something else.",
			"Do not use it. Ask the sender, by another way than this file."},
		{bundle.UnknownSigner, "The bundle is signed with a key that is not one of the sender's.",
			"The site that it says it is from does not name the key among its signers.",
			"Compare the fingerprint with the sender, such as on the telephone. If it is theirs, add the key to the site's " +
				"signers; otherwise somebody else has made the bundle."},
		{bundle.NotForUs, "The bundle is for somebody else.",
			"None of your keys opens it, or the sender has addressed it to another site.",
			"Give it to whom it is for. If it is meant for you, tell the sender the public key that you can use, or name " +
				"the private one with -key."},
	} {
		out = append(out, planner.Rule{ID: bundleRule + string(r.reason), Kind: planner.KindRefusal, Meaning: r.meaning,
			When: r.when, Do: r.do})
	}
	return out
}

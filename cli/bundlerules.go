package cli

import (
	"github.com/syncctl/syncctl/bundle"
	"github.com/syncctl/syncctl/planner"
)

// bundleRule is the prefix of the IDs of these rules, before the reason.
const bundleRule = "bundle/"

// refusals explain why a bundle is refused. A refused bundle changes nothing.
var refusals = []struct {
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
	{bundle.Old, "A later bundle of the same site was received before this one.",
		"The bundle came late, or was carried twice in another order.",
		"Nothing: the later one had all that this one has."},
	{bundle.Fork, "The sender has sent two different bundles with one number.",
		"Its folder was restored from a backup or copied, or two people act for it from two folders.",
		"Ask which of the two counts. Let one folder act for a site, and never an older state of it."},
	{bundle.Forgotten, "The other site has received a bundle from this one that this folder knows nothing of.",
		"This folder was restored from a backup or is a copy, or somebody acts for the site from another one.",
		"Use the folder that has sent it. If it is lost, abandon the run at all sites (syncctl resolve -abandon), remove " +
			".syncctl/received and .syncctl/sent at all of them, and plan again."},
	{otherConfiguration, "The sites have different configurations.",
		"The files, or the values of variables, are not the same here and at the sender's.",
		"The error shows what differs. Agree upon one configuration, and have the bundle sent again."},
	{otherPlan, "The bundle is of another plan than the one that is carried out here.",
		"Both sites have planned, and begun a run.",
		"The error shows what differs. Abandon the run at one site (syncctl resolve -abandon), and receive the bundle " +
			"again."},
	{unfoundedPlan, "The plan does not follow from the configuration and from what it was made from.",
		"The plan is made again here, and is not the same: somebody has changed it, or the sites use versions of the " +
			"program that do not fit. Or what it was made from is missing, or was not sent by the sites that it is of.",
		"The error says what differs. Nothing of the plan was taken in. Compare the versions, send what your servers show, " +
			"have the run abandoned where it was planned (syncctl resolve -abandon), and plan again there."},
	{unfitParts, "A part of the bundle cannot be read, or is one that this version does not know.",
		"The other site uses a version of syncctl that does not fit.",
		"Agree with the other site upon a version of syncctl."},
	{unfitRun, "What the bundle says of the run does not fit what is known of it here.",
		"The sender's journal was changed, does not continue what was received, or speaks for another site; a " +
			"file is missing, or is not the one that was " +
			"written; or another run is unfinished here.",
		"The error says what does not fit, and what to do. Nothing is taken in until it does."},
}

// bundleRules returns the rules made from refusals.
func bundleRules() []planner.Rule {
	var out []planner.Rule
	for _, r := range refusals {
		out = append(out, planner.Rule{ID: bundleRule + string(r.reason), Kind: planner.KindRefusal, Meaning: r.meaning,
			When: r.when, Do: r.do})
	}
	return out
}

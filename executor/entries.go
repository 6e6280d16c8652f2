package executor

// EntryType is a type of journal entry, for its reference.
type EntryType struct {
	Event string
	Doc   string
	Data  []EntryData
}

// EntryData is a member of an entry's data. A Name that ends in a point is the beginning of the names of several.
type EntryData struct{ Name, Doc string }

// The members of data that several types of entries have.
var (
	entrySite    = EntryData{dataOwn, "over sites: the site whose journal this is"}
	entryBy      = EntryData{dataBy, "who says so"}
	entryNote    = EntryData{dataNote, "what was seen or confirmed"}
	entryOutputs = EntryData{outputPrefix, "what later steps read, after the point by its name"}
	entryReason  = EntryData{"reason", "why, in the person's words"}
	entryEnd     = EntryData{dataEnd, "what counts of the run from now on, as JSON: how many steps are done, of how " +
		"many; what was retired, confirmed by people and acted on; the hash of the plan"}
)

// EntryTypes returns all types of journal entries.
func EntryTypes() []EntryType {
	return []EntryType{
		{EventOpened, "A process has opened the run. Steps that were started and have not ended were interrupted.",
			[]EntryData{entrySite}},
		{EventStarted, "The step begins. This is durable before anything is done.", []EntryData{
			{dataScript, "a person's step with long commands: the file of the run that has them"},
			{dataScriptSum, "the SHA-256 of that file"}}},
		{EventExecuted, "The step was carried out, and is verified now.", []EntryData{entryNote, entryOutputs}},
		{EventDone, "The step is done, and verified against the servers.", []EntryData{entryNote, entryBy, entryOutputs,
			{filePrefix, "over sites: the SHA-256 and the length of a file that it has written, after the point by its name"}}},
		{EventFailed, "An attempt at the step has failed.", []EntryData{
			{dataError, "why"},
			{dataSent, `"no": it is certain that nothing was changed`},
			{dataAfter, `"executed": it was carried out, and could not be verified`},
			{dataStopped, `"yes": an interrupt has ended the attempt, so that there is nothing to mend`},
			{dataCause, `"moved": the servers have changed since the plan was made; "refused": a guard has refused`},
			{dataAgainAt, "when it is tried again, in RFC 3339"}}},
		{EventWaiting, "A person was asked and has not done the step yet.", []EntryData{
			{dataError, "what the person does, and what was missing"},
			{dataVerdict, "what the last verification said"}, entryBy}},
		{EventStuck, "It is unknown whether the step was carried out: a person must resolve it.", []EntryData{
			{dataError, "why"}}},
		{EventResolved, "A person has said that the step counts as done (syncctl resolve STEP -done).",
			[]EntryData{entryReason, entryBy}},
		{EventReopened, "A person has said that the step must be carried out again (syncctl resolve STEP -retry).",
			[]EntryData{entryReason, entryBy}},
		{EventVerified, "Over sites: a check was verified again, since a step of another site rests on it.",
			[]EntryData{entryNote}},
		{EventApproved, "Over sites: the people of the site have approved the plan.", []EntryData{entrySite, entryBy,
			{dataPlan, "the hash of the plan"}}},
		{EventReceived, "Over sites: the site has received entries of another one, and knows them from here on.", []EntryData{
			entrySite, entryBy,
			{dataSite, "the other site"},
			{dataEntries, "how many of its entries are known"},
			{dataHead, "the hash of the last of these, in a chain without a key"}}},
		{EventRevised, "The files were mended, and the run has a new plan from here on.", []EntryData{entryBy,
			{dataRevision, "the number of the new plan's folder, revised-NUMBER"},
			{dataPlan, "the SHA-256 of the plan's file"},
			{dataDigest, "the digest of the configuration"}}},
		{EventFinished, "All steps are done.", []EntryData{entrySite, entryEnd}},
		{EventAbandoned, "A person has abandoned the run (syncctl resolve -abandon).",
			[]EntryData{entrySite, entryReason, entryBy, entryEnd}},
	}
}

package state

// Message is what one connector tells the other one.
type Message struct {
	Kind        string
	Issue       string // the sender's key
	Partner     string // of a paired message: the receiver's key
	Fresh       bool   // the sender does not know the partner's issue
	Seq         int64
	Typ         string // the receiver's issue type
	Values      []Value
	Comments    []Comment
	Attachments []Attachment
	At          int64
	Config      *Config
}

// Value is one field on its way: already under the receiver's name for it.
type Value struct {
	Field, Text string
	Mapping     FieldMapping
	User        *User // whom text names, on the sender's Jira
	Forward     bool  // from the first to the second project
}

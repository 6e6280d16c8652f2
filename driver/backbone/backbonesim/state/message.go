package state

// Message is a message from one connector to the other.
type Message struct {
	Kind        string
	Issue       string // the sender's key
	Partner     string // in a paired message: the receiver's key
	Fresh       bool   // the sender does not know the partner's issue
	Seq         int64
	Typ         string // the receiver's issue type
	Values      []Value
	Comments    []Comment
	Attachments []Attachment
	At          int64
	Config      *Config
}

// Value is the value of one field in a message. Field is the receiver's name for it.
type Value struct {
	Field, Text string
	Mapping     FieldMapping
	User        *User // the user that Text names, on the sender's Jira
	Forward     bool  // from the first to the second project
}

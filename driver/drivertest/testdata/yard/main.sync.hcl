server "yard" "north" {
  url         = env("YARD_URL")
  password    = env("YARD_PASSWORD")
  ca_file     = env("SYNCCTL_SANDBOX_CA_FILE")
  ssh         = env("YARD_SSH")
  key         = env("YARD_KEY")
  known_hosts = env("YARD_KNOWN_HOSTS")
}

sync "yard" "move" {
  server   = server.yard.north
  box      = "new"
  label    = "heavy"
  replaces = "old"
}

server "depot" "north" {
  url      = env("DEPOT_NORTH_URL")
  user     = "keeper"
  password = env("DEPOT_NORTH_PASSWORD")
  ca_file  = env("SYNCCTL_SANDBOX_CA_FILE")
}

sync "depot" "tools" {
  server   = server.depot.north
  box      = "tools"
  color    = "red"
  label    = "heavy"
  replaces = "old"
}

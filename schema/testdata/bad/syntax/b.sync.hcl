server "depot" "c" {
  url  = "${server.depot.torn.url}${local.lost}"
  port = server.depot.nowhere.port
}

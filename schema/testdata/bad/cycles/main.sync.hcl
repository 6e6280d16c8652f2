locals {
  a = local.b
  b = "${local.c}!"
  c = [local.a]
  d = local.a
  e = local.e
}

server "depot" "x" {
  url = server.depot.y.url
}

server "depot" "y" {
  url        = "u"
  port       = "wrong"
  depends_on = [sync.depot.s]
}

sync "depot" "s" {
  transport = local.d
  first {
    server  = server.depot.x
    project = "P"
  }
}

server "depot" "downstream" {
  url  = server.depot.x.url
  port = server.depot.x.port
}

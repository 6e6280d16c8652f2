locals {
  prefix = "x"
  broken = var.nope
  worse  = "${local.broken}-and-more"
}

variable "project" {
  type    = string
  default = "SAM"
}

variable "depth" {
  type    = object({ metres = number })
  default = { metres = 3 }
}

server "depot" "a" {
  url  = "https://${server.depot.b.ulr}"
  user = local.prefixx
}

server "depot" "b" {
  url  = local.worse
  user = outdoor
  port = var.depth.meters
}

server "barn" "c" {
  url = vars.project
}

sync "depot" "goods" {
  transport = server.depot.a
  upstream  = sync.depot.godos
  first {
    server  = server.depto.a
    project = var.projct
  }
  second {
    server  = server.barn.c
    project = server.depot.a.host.ssh
  }
  depends_on = [server.depot.bb, "text", local.prefix]
}

sync "depot" "upper" {
  transport = uper("road")
  upstream  = "sync.depot.goods"
  first {
    server  = server.depot.a.url
    project = tonumber("x${local.prefix}")
  }
}

migration "depot_move" "m" {
  from = sync.depot.long_gone
  to   = sync.depot.goods
}

migration "depot_move" "n" {
  from = server.depot.a
  to   = sync.depot.goods
}

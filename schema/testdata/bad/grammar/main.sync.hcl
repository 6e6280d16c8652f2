servr "depot" "a" {
}

terraform {
}

parallelism = 3

server "depo" "x" {
  url = "x"
}

keystore "pkcs" "y" {
}

server "depot" "a" {
  pasword = "hunter2"
  port    = "many"
  flavour = "Indoors"
  tags    = { a = 1 }
  labels  = { a = ["b"] }
  host    = { ssh = "x" }
}

server "depot" "a" {
  url = "again"
}

server "depot" {
  url = "again"
}

server "depot" "9 lives" {
  url = "again"
}

sync "depot" "goods" {
  transport = "roads"
  modes     = ["day", "nihgt"]
  transport = "road"
  first {
    server = null
  }
  second {
    server  = server.depot.a
    project = "P"
  }
  second {
    server  = server.depot.a
    project = "P"
  }
  field "one" {
    mapping = "x"
  }
  field "one" {
    mapping = "y"
  }
  field {
    mapping = "z"
  }
  transport {
  }
  fields "two" {
  }
}

sync "depot" "empty" {
}

syncctl {
  required_version = ">= 2.0"
  parallelism      = 0
  operator {}
}

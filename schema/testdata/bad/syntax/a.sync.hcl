server "depot" "whole" {
  url = 7 + "x"
}

server "depot" "torn" {
  url      = "https://torn
  password = "hunter2"
}

locals {
  lost = 1
}

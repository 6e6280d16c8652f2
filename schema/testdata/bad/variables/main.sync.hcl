variable "unset" {
  type = string
}

variable "count" {
  type    = number
  default = "three"
}

variable "level" {
  type    = number
  default = 3
  validation {
    condition     = var.level > 5
    error_message = "The level is above 5, not ${var.level}."
  }
  validation {
    condition     = local.x
    error_message = "x"
  }
  validation {
    condition = true
  }
}

variable "secret" {
  type      = string
  sensitive = true
  default   = "pa$$word"
  validation {
    condition     = length(var.secret) > 20
    error_message = "Too short: ${var.secret}."
  }
}

variable "typed" {
  type = object({ a = number, b = optional(string, "bee") })
}

variable "list" {
  type = list(string)
}

variable "unset" {
  default = server.depot.a
}

variable "odd" {
  tpye     = string
  nullable = "perhaps"
  default  = upper("x")
}

variable "pin" {
  type      = number
  sensitive = true
}

variable "filled" {
  type     = string
  nullable = false
}

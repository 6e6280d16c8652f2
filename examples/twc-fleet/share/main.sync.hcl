# One plant's share: a synchronization for each of its categories.

variable "from" {
  description = "The server that the models are on."
}

variable "to" {
  description = "The server that gets them."
}

variable "name" {
  type = string
}

variable "categories" {
  type = list(string)

  validation {
    condition     = alltrue([for category in var.categories : startswith(category, "Released/")])
    error_message = "${var.name} may share what is released, and nothing else."
  }
}

sync "teamwork_cloud" "models" {
  for_each        = toset(var.categories)
  source          = var.from
  target          = var.to
  categories      = [each.key]
  target_category = "From ${var.name}/${trimprefix(each.key, "Released/")}"
  trigger         = "every_commit"
  tls             = true
}

output "categories" {
  value = [for sync in sync.teamwork_cloud.models : sync.target_category]
}

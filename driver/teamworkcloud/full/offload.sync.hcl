variable "password" {
  type      = string
  sensitive = true
}

server "teamwork_cloud" "prod" {
  url      = "https://twc.prod.example:8111"
  user     = "syncctl"
  password = var.password
}

server "teamwork_cloud" "archive" {
  url      = "https://twc.archive.example:8111"
  user     = "syncctl"
  password = var.password
}

sync "teamwork_cloud" "dormant_2019" {
  source          = server.teamwork_cloud.prod
  target          = server.teamwork_cloud.archive
  categories      = ["Dormant/2019"]
  target_category = "Archive/2019"
}

migration "teamwork_cloud_offload" "dormant_2019" {
  sync = sync.teamwork_cloud.dormant_2019

  remove_configuration = false
  order                = "as_documented"
  allow_logged_in      = true
}

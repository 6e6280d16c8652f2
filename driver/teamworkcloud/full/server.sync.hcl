variable "token" {
  type      = string
  sensitive = true
}

variable "passwords" {
  type      = object({ keystore = string, trust_stores = string, server_keystore = string, ssh = string })
  sensitive = true
}

variable "ssh_key" {
  type      = string
  sensitive = true
}

variable "certificates" {
  type = object({ ca = string, server = string, partner_ca = string })
}

variable "server_key" {
  type      = string
  sensitive = true
}

site "acme" {
  signers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5 admin@acme"]
}

keystore "pkcs12" "prod" {
  path     = "/opt/CATIANoMagicServices/certs/prod.p12"
  password = var.passwords.keystore

  host {
    ssh      = "admin@twc.prod.example"
    key_file = "~/.ssh/id_ed25519"
  }

  entry "server" {
    certificate = var.certificates.server
    key         = var.server_key
  }
}

server "teamwork_cloud" "prod" {
  url                 = "https://twc.prod.example:8111"
  user                = "syncctl"
  token               = var.token
  token_kind          = "oauth"
  ca                  = var.certificates.ca
  requests_per_second = 50
  request_timeout     = "1m"
  web_application     = "https://twc.prod.example:8443/webapp"
  sync_address        = "twc.prod.example:10002"
  site                = site.acme

  host {
    ssh         = "admin@twc.prod.example"
    key         = var.ssh_key
    passphrase  = var.passwords.ssh
    known_hosts = "twc.prod.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMoMNpEmejrB+C7Ai2bKqu6erO9RPfBTx7hbTen/mS5"
    agent       = false
    jump        = ["admin@gate.example"]

    home                      = "/opt/twc"
    datamanager               = ["/opt/twc/DataManager/datamanager.sh"]
    stop                      = [["sudo", "systemctl", "stop", "webapp"], ["sudo", "systemctl", "stop", "twcloud"]]
    start                     = [["sudo", "systemctl", "start", "twcloud"], ["sudo", "systemctl", "start", "webapp"]]
    status                    = ["systemctl", "is-active", "twcloud"]
    database                  = ["nodetool", "-h", "127.0.0.1", "status"]
    application_conf          = "/opt/twc/configuration/application.conf"
    webappplatform_properties = "/opt/twc/WebAppPlatform/shared/conf/webappplatform.properties"
    within                    = "20m"
  }

  sync_tls {
    keystore                 = keystore.pkcs12.prod
    keystore_path            = "/opt/twc/certs/prod.p12"
    port                     = 10002
    recipe                   = "2024x"
    trust_stores             = ["/opt/java/lib/security/cacerts"]
    trust_stores_password    = var.passwords.trust_stores
    server_keystore_password = var.passwords.server_keystore
    allow_logged_in          = true

    trust "partner" { certificate = var.certificates.partner_ca }
  }
}

server "teamwork_cloud" "here" {
  url     = "https://twc.here.example:8111"
  user    = "syncctl"
  token   = var.token
  ca_file = "ca.pem"
  site    = site.acme

  host { local = true }
}

server "teamwork_cloud" "archive" {
  url   = "https://twc.archive.example:8111"
  user  = "syncctl"
  token = var.token
  site  = site.acme

  host {
    ssh              = "admin@twc.archive.example"
    known_hosts_file = "known_hosts"
  }
}

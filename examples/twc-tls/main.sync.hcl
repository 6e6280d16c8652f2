# Two clusters that synchronize in plain text become encrypted, with certificates of the company's own authority; a third one is
# encrypted already, and its certificate expires next week.

syncctl {
  required_version = ">= 0.1"
}

variable "prod_password" {
  type      = string
  sensitive = true
}

variable "partner_password" {
  type      = string
  sensitive = true
}

variable "archive_password" {
  type      = string
  sensitive = true
}

# One key opens all three machines here. Each may have its own.
variable "ssh_key" {
  type      = string
  sensitive = true
}

# The page wants the same keystore settings on both ends of a synchronization, the password among them.
variable "keystore_password" {
  type      = string
  sensitive = true
}

variable "prod_key" {
  type      = string
  sensitive = true
}

variable "partner_key" {
  type      = string
  sensitive = true
}

variable "archive_key" {
  type      = string
  sensitive = true
}

locals {
  keystore_file = "/opt/CATIANoMagicServices/WebAppPlatform/shared/conf/sync.p12"
  authority     = env("ACME_CA")

  prod_ssh    = env("PROD_SSH", "admin@twc.prod.example")
  partner_ssh = env("PARTNER_SSH", "admin@twc.partner.example")
  archive_ssh = env("ARCHIVE_SSH", "admin@twc.archive.example")
  known_hosts = env("KNOWN_HOSTS", "")

  # Where each of the two Javas of a server looks for whom it trusts.
  trust_stores = ["/opt/java/twcloud/lib/security/cacerts", "/opt/java/webapp/lib/security/cacerts"]
}

# The keystores: key and certificate of each server, on its own machine.
keystore "pkcs12" "prod" {
  path     = local.keystore_file
  password = var.keystore_password

  host {
    ssh         = local.prod_ssh
    key         = var.ssh_key
    known_hosts = local.known_hosts
  }

  entry "teamworkcloud" {
    certificate = env("PROD_CERTIFICATE")
    chain       = local.authority
    key         = var.prod_key
  }
}

keystore "pkcs12" "partner" {
  path     = local.keystore_file
  password = var.keystore_password

  host {
    ssh         = local.partner_ssh
    key         = var.ssh_key
    known_hosts = local.known_hosts
  }

  entry "teamworkcloud" {
    certificate = env("PARTNER_CERTIFICATE")
    chain       = local.authority
    key         = var.partner_key
  }
}

keystore "pkcs12" "archive" {
  path     = local.keystore_file
  password = var.keystore_password

  host {
    ssh         = local.archive_ssh
    key         = var.ssh_key
    known_hosts = local.known_hosts
  }

  entry "teamworkcloud" {
    certificate = env("ARCHIVE_CERTIFICATE")
    chain       = local.authority
    key         = var.archive_key
  }
}

# 2024x: settings files on both ends, and the other's authority in configuration/keystore.p12.
server "teamwork_cloud" "prod" {
  url          = env("PROD_URL", "https://twc.prod.example:8111")
  sync_address = "twc.prod.example:10002"
  user         = "syncctl"
  password     = var.prod_password
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE", "")

  host {
    ssh         = local.prod_ssh
    key         = var.ssh_key
    known_hosts = local.known_hosts
  }

  sync_tls {
    keystore = keystore.pkcs12.prod
    trust "acme-ca" {
      certificate = local.authority
    }
  }
}

server "teamwork_cloud" "partner" {
  url          = env("PARTNER_URL", "https://twc.partner.example:8111")
  sync_address = "twc.partner.example:10443"
  user         = "syncctl"
  password     = var.partner_password
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE", "")

  host {
    ssh         = local.partner_ssh
    key         = var.ssh_key
    known_hosts = local.known_hosts
  }

  sync_tls {
    keystore = keystore.pkcs12.partner
    port     = 10443 # another one than prod's: the addresses name them
    trust "acme-ca" {
      certificate = local.authority
    }
  }
}

# 2024x Refresh3: the trust stores of both Javas. It is as it should be, but for a certificate that soon expires.
server "teamwork_cloud" "archive" {
  url          = env("ARCHIVE_URL", "https://twc.archive.example:8111")
  sync_address = "twc.archive.example:10002"
  user         = "syncctl"
  password     = var.archive_password
  ca_file      = env("SYNCCTL_SANDBOX_CA_FILE", "")

  host {
    ssh         = local.archive_ssh
    key         = var.ssh_key
    known_hosts = local.known_hosts
  }

  sync_tls {
    keystore     = keystore.pkcs12.archive
    trust_stores = local.trust_stores
    trust "acme-ca" {
      certificate = local.authority
    }
  }
}

sync "teamwork_cloud" "powertrain" {
  source          = server.teamwork_cloud.prod
  target          = server.teamwork_cloud.partner
  categories      = ["Released/Powertrain"]
  target_category = "From ACME"
  trigger         = "every_commit"
}

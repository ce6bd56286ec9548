# A company: everything that the language has, at least once.
hostname   = "mx.example.net"
postmaster = "post@example.net"
include    = ["company.d/*.hcl"]
classes    = ["spam", "malware", "bulk"]

variable "quarantine_at" {
  type    = number
  default = 7
}

locals {
  stranger  = !session.trusted && !auth.ok
  authentic = spf.result == "pass" || dkim.result == "pass"
}

listener "edge" {
  address      = ":25"
  policy       = policy.inbound
  max_size     = "30MB"
  reject_early = true
  xclient      = ["10.0.0.8"]

  max_per_network = 30
  network_v6      = 56
  rate_per_client = "90/1m"
  greeting_delay  = "2s"
}

listener "submission" {
  address = ":465"
  tls     = implicit
  auth    = accounts
  policy  = policy.outbound
}

imap "readers" {
  address = ":993"
  tls     = implicit
}

pop3 "readers" {
  address     = ":995"
  tls         = implicit
  delete      = keep
  login_delay = "30s"
}

domain "example.net" {
  route   = route.store
  aliases = { info = ["ann", "bob@example.net"], "first.last" = "ann" }
  dkim    = [{ selector = "fp1", key = secret("dkim") }]
}

domain "lab.example.net" {
  route      = route.lab
  recipients = list.staff
  thresholds = { quarantine = 9 }
  quarantine = quarantine.security
}

account "ann@example.net" {
  password = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
  quota    = "2GB"
}

route "lab" {
  to       = ["lmtp://mail.lab.example.net:24"]
  strategy = balance
  retry    = { first = "5m", expire = "4d", factor = 2, jitter = 0.2 }

  concurrency = 8
}

route "smarthost" {
  to  = ["smtp.provider.test:587"]
  tls = verify

  source = ["192.0.2.7", "2001:db8::7"]

  auth = { user = "u", password = secret("smarthost") }
}

store {
  quota     = "1GB"
  retention = "365d"
}

dns {
  resolvers = ["127.0.0.1", "[::1]:53"]
  timeout   = "3s"
  dnssec    = trust
}

redis "shared" {
  address = "127.0.0.1:6379"
}

state {
  backend = redis.shared
  on_away = closed
}

control {}

web {
  address = "127.0.0.1:8025"
}

metrics {
  address = "127.0.0.1:9025"
}

reports {
  dmarc   = true
  tls     = true
  from    = "dmarc@example.net"
  org     = "Example Ltd"
  domains = ["example.net"]
  read    = ["ann@example.net"]
}

srs {
  secret = secret("smarthost")
}

bounces {
  to = verified
}

log {
  format = json
  level  = warn
}

callout {
  per_client = "none"
  per_server = "600/1m"
}

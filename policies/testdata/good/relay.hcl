# A bare relay: no filter, any recipient.
hostname = "gw.test"

listener "in" {
  address    = "127.0.0.1:2626"
  tls        = off
  relay_from = ["127.0.0.1", "::1"]
  policy     = policy.none
}

domain "rcpt.test" {
  route      = route.sink
  recipients = any
}

route "sink" {
  to = ["127.0.0.1:2699"]
}

policy "none" {}

# SMTP and LMTP are two routes.
hostname = "mx.test"

route "a" {
  to = ["a.test:25", "lmtp://b.test:24"] # ERROR: all SMTP or all LMTP
}

domain "a.test" {
  route = route.a
}

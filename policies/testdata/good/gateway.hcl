# A gateway in front of one server, with the built-in policy.
hostname = "mx.example.org"

domain "example.org" {
  route = route.inside
}

route "inside" {
  to = ["192.0.2.5:25"]
}

listener "edge" {
  address    = ":25"
  relay_from = ["192.0.2.5"]
}

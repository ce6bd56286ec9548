# Names that are built in stay so.
hostname = "mx.test"

route "mx" { # ERROR: route.mx is built in
  to = ["a.test:25"]
}

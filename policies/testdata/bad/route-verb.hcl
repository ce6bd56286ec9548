# A route rule names a route.
hostname = "mx.test"

policy "p" {
  data {
    route "a" { # ERROR: needs via
      when = mail.null
    }

    route "b" {
      via = "mx" # ERROR: Write it as a reference: via = route.mx
    }

    route "c" {
      source = "0.0.0.0" # ERROR: is no address to connect from
    }
  }
}

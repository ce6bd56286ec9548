# A route that nothing takes.
hostname = "mx.test"

route "far" { # WARNING: Nothing refers to route.far
  to = mx
}

policy "p" {
  mail {
    reject "a" {
      when = mail.null
      text = "5.7.1 x"
    }
  }
}

# A rule that changes nothing.
hostname = "mx.test"

policy "p" {
  data {
    modify "a" { # ERROR: The rule changes nothing
      when = mail.null
    }
  }
}

# Two quarantines, and none is meant.
hostname = "mx.test"

quarantine "one" {}

quarantine "two" {}

policy "p" {
  data {
    quarantine "a" { # ERROR: FP0212
      when = mail.null
    }
  }
}

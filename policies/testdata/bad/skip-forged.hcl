# Anybody can write an address.
hostname = "mx.test"

policy "p" {
  mail {
    skip "friends" { # WARNING: FP0304
      when    = mail.domain == "friend.test"
      classes = ["spam"]
    }
  }
}

# A fact of a later phase.
hostname = "mx.test"

policy "p" {
  helo {
    reject "a" {
      when = spf.result == "fail" # ERROR: Move the rule to a mail block
      text = "5.7.1 x"
    }
  }
}

# A pattern is known at start.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" {
      when = matches(mail.from, mail.domain) # ERROR: FP0205
      text = "5.7.1 x"
    }
  }
}

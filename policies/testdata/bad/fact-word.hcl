# A bare word stands for nothing.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" {
      when = mail.domain == strangertest # ERROR: put it in quotes
      text = "5.7.1 x"
    }
  }
}

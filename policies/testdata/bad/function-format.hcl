# Places and arguments are as many.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" {
      when = format("%s", mail.from, mail.domain) == "x" # ERROR: 1 places for 2 arguments
      text = "5.7.1 x"
    }
  }
}

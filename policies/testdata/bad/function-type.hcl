# Arguments have types.
hostname = "mx.test"

policy "p" {
  mail {
    reject "a" {
      when = length(mail.size) > 5 # ERROR: Argument 1 of length
      text = "5.7.1 x"
    }
  }
}

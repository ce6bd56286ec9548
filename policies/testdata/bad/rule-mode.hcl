# Modes are words.
hostname = "mx.test"

policy "p" {
  rcpt {
    reject "a" {
      when = mail.null
      mode = shdow # ERROR: Did you mean "shadow"?
      text = "5.7.1 x"
    }
  }
}

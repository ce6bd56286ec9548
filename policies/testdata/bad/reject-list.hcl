# A text is one text.
hostname = "mx.test"

policy "p" {
  rcpt {
    reject "a" {
      when = mail.null
      text = ["5.7.1 x"] # WARNING: FP0303
    }
  }
}

# Senders read enhanced codes.
hostname = "mx.test"

policy "p" {
  rcpt {
    reject "a" {
      when = mail.null
      text = "go away" # WARNING: FP0303
    }
  }
}

# A block that is not closed: what it means is not looked at.
hostname = "mx.test"

policy "p" {
  rcpt { # ERROR: Unclosed configuration block

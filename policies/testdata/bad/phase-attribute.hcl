# A phase holds rules.
hostname = "mx.test"

policy "p" {
  rcpt {
    when = true # ERROR: A phase block holds rules
  }
}
